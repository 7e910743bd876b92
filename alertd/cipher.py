"""Seals what the daemon must keep and nobody may read: AES-256-GCM, bound to the place where it is kept.

The key is configured, or made once and kept in the state directory. It is never made again while
something sealed with another one exists, because that would be lost without a word.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from alertd.config.keys import HOW_TO_MAKE_ONE, KEY_BYTES, decoded_keys
from alertd.errors import ConfigError, Refused

KEY_FILE: Final = "encryption.key"

_NONCE_BYTES: Final = 12
_LOST: Final = (
    "secrets.encryption_key: is not set and {file} does not exist, but there are secrets sealed with an earlier key; "
    "restore that file, or set the key that it held. No new key was made, because it could not open them"
)
_SEALED: Final = re.compile(r"v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)")


class Cipher:
    """Seals with the first of its keys and opens with any of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a cipher needs keys of {KEY_BYTES} bytes")
        self.key_ids: Final = tuple(key_id(key) for key in keys)
        self._ciphers: Final[Mapping[str, AESGCM]] = {key_id(key): AESGCM(key) for key in keys}

    def seal(self, plaintext: bytes, context: str) -> str:
        """`v1.<key id>.<base64url of nonce and ciphertext>`; `context` names the place, such as a row's id.

        The nonce is random, which is safe for the first four billion texts under one key.
        """
        header = f"v1.{self.key_ids[0]}"
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.key_ids[0]].encrypt(nonce, plaintext, _bound(header, context))
        return f"{header}.{_encoded(nonce + sealed)}"

    def unseal(self, text: str, context: str) -> bytes:
        """What was sealed for this `context`. Raises Refused, which says why and never what was inside."""
        match = _SEALED.fullmatch(text)
        if match is None:
            raise Refused("this is not a sealed text of a version that alertd knows")
        cipher = self._ciphers.get(match[1])
        if cipher is None:
            known = ", ".join(self.key_ids)
            raise Refused(f"it was sealed with key {match[1]}, and secrets.encryption_key has only {known}")
        raw = _decoded(match[2])
        try:
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(f"v1.{match[1]}", context))
        except (InvalidTag, ValueError):
            raise Refused("the sealed text was changed, or belongs to another place") from None

    def is_current(self, text: str) -> bool:
        """Whether `text` was sealed with the newest key; what was not can be sealed again."""
        return text.startswith(f"v1.{self.key_ids[0]}.")


def is_sealed(text: str) -> bool:
    """Whether `text` looks like the work of `Cipher.seal`, with whatever key."""
    return _SEALED.fullmatch(text) is not None


def key_id(key: bytes) -> str:
    """Eight hex digits that tell keys apart and say nothing about them."""
    return hashlib.sha256(b"alertd key id\0" + key).hexdigest()[:8]


def load_or_create_key(configured: SecretStr | None, state_dir: Path, *, ciphertext_exists: bool) -> Cipher:
    """The cipher of the configured keys, else of the key file in `state_dir`, which is made if it may be.

    A key file beside configured keys still opens what it sealed, so that a deployment can move from
    the one to the other. Raises ConfigError for an unusable key, and for a missing one while
    `ciphertext_exists`.
    """
    file = state_dir / KEY_FILE
    if configured is not None:
        keys = _keys(configured.get_secret_value(), "secrets.encryption_key")
        return Cipher(tuple(dict.fromkeys(keys + (_read(file) or ()))))
    kept = _read(file)
    if kept is None and ciphertext_exists:
        raise ConfigError([_LOST.format(file=file)])
    return Cipher(kept or _create(file))


def add_key(state_dir: Path) -> Cipher:
    """Put a new key in front of those in the key file. Raises ConfigError, also when there is no such file."""
    file = state_dir / KEY_FILE
    return _replace(file, (secrets.token_bytes(KEY_BYTES), *_kept(file)))


def drop_old_keys(state_dir: Path) -> Cipher:
    """Leave only the newest key in the key file; what older ones sealed is lost then. Raises ConfigError."""
    file = state_dir / KEY_FILE
    return _replace(file, _kept(file)[:1])


def _kept(file: Path) -> tuple[bytes, ...]:
    keys = _read(file)
    if keys is None:
        raise ConfigError([f"{file}: does not exist; nothing was sealed with a key of alertd's own yet"])
    return keys


def _replace(file: Path, keys: Sequence[bytes]) -> Cipher:
    try:
        with _drafted(file, keys) as draft:
            draft.replace(file)
            _sync(file.parent)
    except OSError as exc:
        raise ConfigError([f"{file}: cannot be replaced: {(exc.strerror or 'no reason given').lower()}"]) from None
    return Cipher(keys)


def _keys(text: str, name: str) -> tuple[bytes, ...]:
    try:
        return decoded_keys(text)
    except ValueError as exc:
        raise ConfigError([f"{name}: {exc}"]) from None


def _read(file: Path) -> tuple[bytes, ...] | None:
    try:
        text = file.read_text("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise ConfigError([f"{file}: cannot be read: {(exc.strerror or 'no reason given').lower()}"]) from None
    return _keys(text.strip(), str(file))


def _create(file: Path) -> tuple[bytes, ...]:
    """Make the key file, complete from its first moment; of two processes that try, both get the same key."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _drafted(file, [secrets.token_bytes(KEY_BYTES)]) as draft:
            _publish(draft, file)
    except OSError as exc:
        reason = (exc.strerror or "no reason given").lower()
        text = f"{file}: cannot be created: {reason}; make state_dir writable, or set secrets.encryption_key"
        raise ConfigError([f"{text} ({HOW_TO_MAKE_ONE})"]) from None
    return _read(file) or ()


@contextmanager
def _drafted(file: Path, keys: Sequence[bytes]) -> Iterator[Path]:
    """A complete file beside `file`; under that name it does not stay, whatever happens."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, keys)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _write(draft: Path, keys: Sequence[bytes]) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(b",".join(base64.b64encode(key) for key in keys) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def _publish(draft: Path, file: Path) -> None:
    """Give `draft` its name for good; a link, unlike a rename, leaves a file that is already there alone."""
    with suppress(FileExistsError):
        os.link(draft, file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bound(header: str, context: str) -> bytes:
    return f"{header}\0{context}".encode()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """The bytes of canonical base64url; a variant that happens to decode to the same bytes is refused."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raw = b""
    if _encoded(raw) != text:
        raise Refused("the sealed text was changed")
    return raw
