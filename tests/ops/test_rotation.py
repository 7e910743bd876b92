"""A new master key: everything opens with it alone, and nobody's streak starts again."""

from uuid import uuid4

import pytest

from alertd.admin.kept import AdminSecret, admin_secret
from alertd.cipher import KEY_FILE, Cipher, load_or_create_key
from alertd.config import Settings
from alertd.config.keys import decoded_keys
from alertd.db import Db, new_id
from alertd.model import CredentialRef, CredentialType
from alertd.postgres import open_embedded
from alertd.secretstore import open_store
from alertd.webhooks import endpoints, seals
from tests.e2e.conftest import home as home
from tests.e2e.daemon import Done, Home, alertd

REF = CredentialRef(uuid4(), "okx", CredentialType.TRADING)
FIELDS = {"api_key": "k", "api_secret": "s"}


def keys(home: Home) -> tuple[bytes, ...]:
    return decoded_keys((home.state / KEY_FILE).read_text().strip())


async def version_of(home: Home, cipher: Cipher) -> str:
    """Of the stored key; raises Refused if this cipher does not open it."""
    async with open_store(Settings(state_dir=home.state), cipher) as store:
        return (await store.read(REF)).version


@pytest.fixture
async def before(home: Home, db: Db, now) -> AdminSecret:
    """A stored key that was checked, an endpoint and the admin port's secret, all sealed with the first master key."""
    cipher = load_or_create_key(None, home.state, ciphertext_exists=False)
    async with open_store(Settings(state_dir=home.state), cipher) as store:
        version = await store.write(REF, FIELDS)
    await db.execute("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", REF.tenant_id, now)
    await db.execute(
        "INSERT INTO credentials (id, tenant_id, exchange, credential_type, phase, next_check_at, secret_version, "
        "consecutive_failures, created_at) VALUES ($1, $2, 'okx', 'trading', 0, $3, $4, 2, $3)",
        *(new_id(), REF.tenant_id, now, version),
    )
    async with db.transaction() as tx:
        await endpoints.add(tx, endpoints.Draft(REF.tenant_id, "https://example.com/hook"), cipher=cipher, now=now)
    return await admin_secret(db, cipher, now)


async def rotate(home: Home, dsn: str, *options: str, **given: object) -> Done:
    return await alertd(home, {"ALERTD_DATABASE__DSN": dsn} | given, "rotate-master-key", *options)


async def test_everything_opens_with_the_new_key_alone(home: Home, db: Db, dsn: str, before: AdminSecret, now) -> None:
    first = await rotate(home, dsn)
    second = await rotate(home, dsn, "--drop-old")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    [key] = keys(home)
    cipher = Cipher([key])
    version = await version_of(home, cipher)
    assert await seals.count_stale(db, cipher) == 0
    assert await admin_secret(db, cipher, now) == before
    assert [*await db.fetchrow("SELECT secret_version, consecutive_failures FROM credentials")] == [version, 2]


@pytest.mark.usefixtures("before")
async def test_the_old_key_stays_until_it_is_dropped(home: Home, dsn: str) -> None:
    [old] = keys(home)

    done = await rotate(home, dsn)

    new, kept = keys(home)
    assert (kept, new == old) == (old, False)
    assert (home.state / KEY_FILE).read_text()[:20] not in done.out + done.err
    assert (home.state / KEY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("before")
async def test_the_old_key_is_not_dropped_while_something_needs_it(home: Home, db: Db, dsn: str) -> None:
    foreign = Cipher([b"x" * 32]).seal(b"whsec_", "webhook:other")
    await db.execute("UPDATE tenant_webhooks SET webhook_secret = $1", foreign)
    await rotate(home, dsn)

    refused = await rotate(home, dsn, "--drop-old")

    assert (refused.code, len(keys(home))) == (1, 2)


async def test_without_a_key_there_is_nothing_to_rotate(home: Home, dsn: str) -> None:
    home.state.mkdir()

    refused = await rotate(home, dsn)

    assert refused.code == 78
    assert "nothing was sealed" in refused.err


async def test_beside_a_running_daemon_nothing_is_rotated(home: Home) -> None:
    async with open_embedded(home.state, attach=False):
        load_or_create_key(None, home.state, ciphertext_exists=False)
        before = keys(home)

        refused = await alertd(home, {}, "rotate-master-key")

    assert (refused.code, keys(home)) == (1, before)
    assert "stop it" in refused.err
