"""Opens the secret store for a command, beside a daemon or without one."""

import os
import pwd
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alertd.cipher import KEY_FILE, Cipher, load_or_create_key
from alertd.config import Settings
from alertd.config.keys import KEY_BYTES
from alertd.db import open_db, schema_status
from alertd.errors import ConfigError
from alertd.postgres import open_embedded
from alertd.postgres.record import read_record
from alertd.secretstore import SecretStore, ciphertext_exists, open_store
from alertd.webhooks import seals


@asynccontextmanager
async def open_secrets(settings: Settings, *, writing: bool = False) -> AsyncIterator[SecretStore]:
    """The configured store; only `writing` may make an encryption key. Raises ConfigError, as the daemon would."""
    if writing and settings.secrets.backend == "file":
        check_owner(settings.state_dir)
    async with open_store(settings, await _cipher(settings, writing=writing)) as store:
        yield store


async def _cipher(settings: Settings, *, writing: bool) -> Cipher:
    if settings.secrets.backend != "file":
        return _unused()
    if _has_key(settings) or ciphertext_exists(settings.state_dir):
        return load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=True)
    if not writing:
        return _unused()
    sealed = await _sealed_in_database(settings)
    return load_or_create_key(None, settings.state_dir, ciphertext_exists=sealed)


def _has_key(settings: Settings) -> bool:
    """Without an opinion on a folder that we may not enter: opening the store says more."""
    return settings.secrets.encryption_key is not None or os.path.lexists(settings.state_dir / KEY_FILE)


def _unused() -> Cipher:
    """For a store in which there is nothing for us to open or to seal."""
    return Cipher([secrets.token_bytes(KEY_BYTES)])


async def _sealed_in_database(settings: Settings) -> bool:
    """Whether a new key could not open what an earlier one sealed. No database yet: nothing is."""
    if settings.database.dsn is not None:
        return await _any_sealed(settings.database.dsn.get_secret_value())
    if read_record(settings.state_dir) is None:
        return False
    async with open_embedded(settings.state_dir, attach=True) as dsn:
        return await _any_sealed(dsn)


async def _any_sealed(dsn: str) -> bool:
    async with open_db(dsn, pool_size=1) as db:
        status = await schema_status(db)
        return status.have is not None and await seals.any_sealed(db)


def check_owner(state_dir: Path) -> None:
    """A file that we write belongs to us alone: a daemon of another account could not read it."""
    try:
        owner = state_dir.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as exc:
        raise ConfigError(
            [f"state_dir: {state_dir} cannot be used: {(exc.strerror or 'no reason given').lower()}"]
        ) from None
    if owner != os.geteuid():
        raise ConfigError(
            [f"state_dir: {state_dir} belongs to {account_name(owner)}; run this command as that account"]
        )


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
