"""The first way in: where no key is configured and no admin key works, one is written to a private file."""

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from alertd.admin import store
from alertd.admin.access import Role
from alertd.admin.keyring import Keyring
from alertd.admin.keys import digest, new_key
from alertd.admin.store import Deed, StoredKey
from alertd.db import Db, new_id
from alertd.errors import ConfigError

log = structlog.get_logger(__name__)

KEY_FILE: Final = "admin.key"
CREATOR: Final = "first start"


async def ensure_a_way_in(db: Db, keyring: Keyring, *, pepper: bytes, state_dir: Path, now: datetime) -> Path | None:
    """The file with a new admin key, if one had to be made. Of several daemons that start at once, one makes it.

    Raises ConfigError when the file cannot be written.
    """
    if keyring.configured:
        return None
    async with db.transaction() as tx:
        await store.lock_first_key(tx)
        if await store.working_admins(tx, now):
            return None
        made = new_key()
        key = _row(made.text, made.lookup, pepper=pepper, now=now)
        await store.add_key(tx, key)
        await store.add_deed(tx, Deed(now, CREATOR, "key.create", f"key:{key.id}", after={"role": "admin"}))
        file = state_dir / KEY_FILE
        # Before the commit: a key without its file would keep everybody out.
        _write(file, made.text)
    log.warning("No admin key was set up; wrote one to a file", file=str(file))
    return file


def _row(text: str, lookup: str, *, pepper: bytes, now: datetime) -> StoredKey:
    return StoredKey(
        id=new_id(),
        lookup=lookup,
        digest=digest(text, pepper),
        role=Role.ADMIN,
        name="bootstrap",
        tenant_id=None,
        created_by=CREATOR,
        created_at=now,
        expires_at=None,
        last_used_at=None,
        revoked_at=None,
    )


def _write(file: Path, text: str) -> None:
    """Complete or not at all, and never readable by others."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as stream:
            stream.write(f"{text}\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
    except OSError as exc:
        reason = (exc.strerror or "no reason given").lower()
        raise ConfigError(
            [f"{file}: cannot be written: {reason}; make state_dir writable, or set admin.keys"]
        ) from None
