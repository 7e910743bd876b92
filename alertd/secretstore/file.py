"""The secret store on a bare machine: one sealed file for each key below `<state_dir>/secrets`.

A file is bound to its path, so that a copy in another tenant's folder does not open. It is replaced
in one step: a reader sees the old key or the new one, also after a power cut.
"""

import asyncio
import errno
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from alertd.cipher import Cipher, is_sealed
from alertd.config import Settings
from alertd.errors import Absent, Refused, StoreDown, StoreFault
from alertd.model import CredentialRef, Secret
from alertd.secretstore.layout import Listing, checked_path, secret_of
from alertd.secretstore.walk import walk

FOLDER: Final = "secrets"
MOST_BYTES: Final = 1_000_000
# What says nothing about the one file that was asked for.
OUR_TROUBLE: Final = frozenset({errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE})


class FileStore:
    """Made by `open_file`. Reads each time; there is nothing to forget."""

    name: Final = "file"

    def __init__(self, root: Path, cipher: Cipher) -> None:
        self._root = root
        self._cipher = cipher

    async def list_refs(self) -> Listing:
        await self.health()
        return await walk(self._names, tenants=await self._tenants())

    async def read(self, ref: CredentialRef) -> Secret:
        return await asyncio.to_thread(self._read, checked_path(ref))

    async def version(self, ref: CredentialRef) -> str:
        text = await asyncio.to_thread(self._load, checked_path(ref))
        return _marker(text)

    async def write(self, ref: CredentialRef, fields: Mapping[str, object]) -> str:
        """Replaces all fields."""
        path = checked_path(ref)
        text = self._cipher.seal(json.dumps(dict(fields)).encode(), path)
        await asyncio.to_thread(self._replace, path, text)
        return _marker(text)

    async def reseal(self, ref: CredentialRef) -> tuple[str, str] | None:
        """Seal what an older key sealed with the newest; its version before and after, None if it was current.

        Raises Refused for what none of our keys opens.
        """
        return await asyncio.to_thread(self._reseal, checked_path(ref))

    async def remove(self, ref: CredentialRef) -> None:
        """Deletes the file for good. Nothing there: nothing happens."""
        await asyncio.to_thread(self._unlink, checked_path(ref))

    def forget(self, ref: CredentialRef) -> None:
        """Nothing is kept between reads."""

    async def health(self) -> None:
        """Raises StoreDown if the folder cannot be read, or if our keys open nothing that is in it."""
        await self._tenants()
        await asyncio.to_thread(self._check_keys)

    async def _tenants(self) -> tuple[str, ...]:
        try:
            return await asyncio.to_thread(_entries, self._root)
        except FileNotFoundError:
            return ()
        except OSError as failure:
            _raise_down("list", failure)

    async def _names(self, path: str) -> tuple[str, ...]:
        try:
            return await asyncio.to_thread(_entries, self._root / path)
        except FileNotFoundError:
            raise Absent(f"{path}: not in the secret store") from None
        except OSError as failure:
            raise Refused(f"the folder cannot be read: {_reason(failure)}") from None

    def _check_keys(self) -> None:
        """Files sealed with a foreign key are their own trouble; if all are, it is ours."""
        used: set[str] = set()
        for file in self._root.glob("*/exchanges/*/*"):
            key = self._key_of(file)
            if key in self._cipher.key_ids:
                return
            used |= {key} - {""}
        if used:
            known = ", ".join(self._cipher.key_ids)
            raise StoreDown(
                StoreFault.LOGIN_REFUSED,
                f"cannot open the stored keys: they are sealed with encryption key {', '.join(sorted(used))}, "
                f"and secrets.encryption_key (or the key file in state_dir) has only {known}; bring the old one back",
            )

    def _key_of(self, file: Path) -> str:
        """The id of the key that sealed the file; empty if it cannot be said."""
        with suppress(Refused):
            text = self._load(str(file.relative_to(self._root)))
            return text.split(".")[1] if is_sealed(text) else ""
        return ""

    def _read(self, path: str) -> Secret:
        text = self._load(path)
        try:
            plain = self._cipher.unseal(text, path)
        except Refused as refusal:
            raise Refused(f"cannot open the stored key {path}: {refusal}") from None
        return secret_of(json.loads(plain), version=_marker(text))

    def _reseal(self, path: str) -> tuple[str, str] | None:
        text = self._load(path)
        if self._cipher.is_current(text):
            return None
        fresh = self._cipher.seal(self._cipher.unseal(text, path), path)
        self._replace(path, fresh)
        return _marker(text), _marker(fresh)

    def _load(self, path: str) -> str:
        try:
            with open(self._root / path, "rb", opener=_no_link) as file:
                return file.read(MOST_BYTES).decode("ascii", errors="replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise Absent(f"{path}: not in the secret store") from None
        except OSError as failure:
            if failure.errno in OUR_TROUBLE:
                _raise_down("read", failure)
            raise Refused(f"cannot read the stored key {path}: {_reason(failure)}") from None

    def _replace(self, path: str, text: str) -> None:
        file = self._root / path
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            _make_folders(self._root.parent, file.parent)
            try:
                _write(draft, text)
                draft.replace(file)
            finally:
                draft.unlink(missing_ok=True)
            _sync(file.parent)
        except OSError as failure:
            _raise_down("write", failure)

    def _unlink(self, path: str) -> None:
        file = self._root / path
        try:
            file.unlink()
            _sync(file.parent)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as failure:
            _raise_down("delete from", failure)


@asynccontextmanager
async def open_file(settings: Settings, cipher: Cipher) -> AsyncIterator[FileStore]:
    yield FileStore(settings.state_dir / FOLDER, cipher)


def ciphertext_exists(state_dir: Path) -> bool:
    """Whether some key is stored in files there, so that a new encryption key would lose it."""
    return any(path.is_file() for path in (state_dir / FOLDER).rglob("*"))


def _entries(folder: Path) -> tuple[str, ...]:
    """In order, folders with a slash at their end; without drafts, which a killed process may have left."""
    with os.scandir(folder) as entries:
        return tuple(sorted(f"{e.name}/" if e.is_dir() else e.name for e in entries if not e.name.startswith(".")))


def _no_link(path: str, flags: int) -> int:
    """A key belongs where its path says, so a symbolic link is no key."""
    return os.open(path, flags | os.O_NOFOLLOW)


def _make_folders(top: Path, bottom: Path) -> None:
    """Each with mode 0700 and each made durable, which `mkdir(parents=True)` does not do."""
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in [*reversed([p for p in bottom.parents if p.is_relative_to(top) and p != top]), bottom]:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            _sync(folder.parent)


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _marker(text: str) -> str:
    """The ciphertext's fingerprint: each sealing has its own nonce, so each write has its own marker."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _reason(failure: OSError) -> str:
    return (failure.strerror or "no reason given").lower()


def _raise_down(what: str, failure: OSError) -> NoReturn:
    fault = StoreFault.FORBIDDEN if isinstance(failure, PermissionError) else StoreFault.UNREACHABLE
    raise StoreDown(fault, f"cannot {what} the secret files in state_dir: {_reason(failure)}") from None
