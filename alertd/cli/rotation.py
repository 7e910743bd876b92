"""`alertd rotate-master-key`: a new key for what alertd seals, and everything sealed anew with it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

import typer

from alertd.admin.idempotency_store import forget_answers
from alertd.admin.kept import reseal_admin_secret
from alertd.cipher import Cipher, add_key, drop_old_keys, load_or_create_key
from alertd.cli.options import ConfigFile
from alertd.cli.outcome import FAILED, say
from alertd.config import Settings, load
from alertd.credentials.resealing_store import follow_versions
from alertd.db import Db, apply_schema, open_db
from alertd.errors import ConfigError, Refused
from alertd.model import CredentialRef
from alertd.postgres import open_embedded
from alertd.secretstore.file import FileStore, open_file
from alertd.webhooks import seals

EXAMPLE: Final = "Example: alertd rotate-master-key -c /etc/alertd/alertd.toml"
BATCH: Final = 500


def rotate_master_key(
    config: ConfigFile = None,
    *,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Make no new key; remove the older ones once nothing needs them.")
    ] = False,
) -> None:
    """Seal everything anew: with a new key of the key file, or with the first of secrets.encryption_key.

    Stop every alertd first: a running one knows the old keys only. The older keys stay beside the new one until
    --drop-old, so that a backup still opens.
    """
    settings = load(config)
    stale = asyncio.run(_rotate(settings, drop_old=drop_old))
    if stale:
        say(f"{stale} things are sealed with a key that is not here; the older keys stay.")
        raise typer.Exit(FAILED)


async def _rotate(settings: Settings, *, drop_old: bool) -> int:
    """How many things could not be sealed anew."""
    check_owner(settings)
    configured = settings.secrets.encryption_key is not None
    async with _database(settings) as db:
        if configured or drop_old:
            cipher = load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=True)
        else:
            cipher = add_key(settings.state_dir)
        stale = await _reseal(settings, db, cipher)
        if drop_old and not stale and not configured:
            cipher = drop_old_keys(settings.state_dir)
    if not stale:
        say(f"Everything is sealed with key {cipher.key_ids[0]}.")
    if drop_old and configured and not stale:
        say("secrets.encryption_key needs its first key only from now on.")
    return stale


async def _reseal(settings: Settings, db: Db, cipher: Cipher) -> int:
    now = datetime.now(UTC)
    stale = await _reseal_files(settings, db, cipher)
    renewed = await seals.renew_all(db, cipher)
    await reseal_admin_secret(db, cipher, now)
    await forget_answers(db, sealed_with_other_than=cipher.key_ids[0])
    say(f"{renewed} endpoints sealed anew.")
    return stale + await seals.count_stale(db, cipher)


async def _reseal_files(settings: Settings, db: Db, cipher: Cipher) -> int:
    """The keys in the file store; how many no key of ours opens."""
    renewed = unopened = 0
    async with open_file(settings, cipher) as store:
        refs = iter((await store.list_refs()).refs)
        while batch := tuple(islice(refs, BATCH)):
            changes = [await _reseal_file(store, ref) for ref in batch]
            versions = dict(change for change in changes if change)
            await follow_versions(db, versions)
            renewed += len(versions)
            unopened += changes.count(())
    say(f"{renewed} stored keys sealed anew.")
    return unopened


async def _reseal_file(store: FileStore, ref: CredentialRef) -> tuple[str, str] | tuple[()] | None:
    """Its version before and after; None if it was current, and nothing in the tuple if no key of ours opens it."""
    try:
        return await store.reseal(ref)
    except Refused as exc:
        say(f"{ref.path}: {exc}")
        return ()


def check_owner(settings: Settings) -> None:
    """What we write belongs to us alone; a daemon of another account could not read it."""
    folder = settings.state_dir
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        text = f"state_dir: {folder} belongs to uid {folder.stat().st_uid}; run this command as that account"
        raise ConfigError([text])


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Db]:
    if settings.database.dsn is not None:
        async with open_db(settings.database.dsn.get_secret_value(), pool_size=2) as db:
            yield db
        return
    # In the daemon's place: while one runs, this is refused.
    async with open_embedded(settings.state_dir, attach=False) as dsn, open_db(dsn, pool_size=2) as db:
        await apply_schema(db)
        yield db
