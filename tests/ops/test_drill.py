"""The operator's drill: each trouble shows in log and metrics, heals by itself, loses nothing, wakes whom it should."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from alertd.cipher import load_or_create_key
from alertd.config import Settings
from alertd.db import Db, apply_schema, open_db
from alertd.demo.exchanges.shape import State
from alertd.demo.receiver import Receiver, listening
from alertd.errors import Transient
from alertd.postgres import open_embedded
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, dsn_of, running_server
from alertd.secretstore import open_store
from tests.bao import Bao, raft_server
from tests.cli.certificates import self_signed
from tests.conftest import CARELESS
from tests.e2e.conftest import home as home
from tests.e2e.conftest import town as town
from tests.e2e.daemon import Home
from tests.e2e.test_vault import by_vault, least_token, open_vault_town
from tests.e2e.town import Town, open_town
from tests.e2e.waiting import until_answered
from tests.ops.rehearsal import Stage, hurry, rehearsing

CHECKED = "Credential health check completed"
DELIVERED = "SELECT count(*) = 1 FROM webhook_deliveries WHERE state = 'delivered'"
LEFT_ALONE = "SELECT circuit_until > $1 AND lease_id IS NULL FROM tenant_webhooks WHERE circuit = 'open'"
FAILED = Counter(["credential.failed expired"])
AWAY_SECONDS = 30.0

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def alarms(db: Db) -> list[str]:
    """What operators were told, oldest first."""
    rows = await db.fetch("SELECT body FROM events WHERE type = 'system.alert' ORDER BY id")
    return [str(row["body"]) for row in rows]


async def ready(stage: Stage) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/-/ready") as response:
        return response.status


async def dashboard(stage: Stage, home: Home) -> dict[str, Any]:
    """What the dashboard opens with."""
    headers = {"X-Alert-API-Key": (home.state / "admin.key").read_text().strip()}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{stage.url}/api/v1/overview") as response,
    ):
        return dict(await response.json())


# Vault is sealed


@pytest.fixture
def raft() -> Iterator[Bao]:
    with raft_server() as server:
        yield server


async def test_vault_is_sealed_and_unsealed(home: Home, raft: Bao, db: Db, dsn: str) -> None:
    async with open_vault_town(home, raft) as town:
        broken = await town.tenant("bybit", State.EXPIRED)
        await town.listen(db, broken)
        given = town.given | by_vault(raft, least_token(raft)) | {"ALERTD_DATABASE__DSN": dsn}
        given |= {"CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 4}
        async with rehearsing(home, given) as stage:
            await stage.says(CHECKED, error="expired")
            await asyncio.to_thread(raft.seal)
            await stage.says("Secret store lost")
            await stage.shows("alertd_secret_store_up", 0)
            await until_answered(lambda: alarms(db))
            sealed = (await ready(stage), len(await alarms(db)), town.told(broken))
            shown = (await dashboard(stage, home))["platform"]["waiting_for"]

            await asyncio.to_thread(raft.unseal)
            await stage.says("Secret store recovered")
            await stage.shows("alertd_secret_store_up", 1)
            await town.until(lambda: town.told(broken))

    assert (sealed, shown) == ((503, 1, Counter()), ["secret_store"])
    assert town.told(broken) == FAILED
    assert stage.said(CHECKED, error="secret_store") == []


# PostgreSQL is away


@pytest.fixture
async def postgresql(home: Home) -> Cluster:
    """A server of this test's own, stopped."""
    data = home.folder / "server"
    log = home.folder / "server.log"
    binaries, account = find_binaries(), server_account(data)
    made = Cluster(data=data, sockets=data, binaries=binaries, log=log, account=account, settings=CARELESS)
    await create_data(made, options=["--no-sync"])
    return made


async def test_postgresql_goes_and_comes_back(home: Home, town: Town, postgresql: Cluster) -> None:
    dsn = dsn_of(postgresql.sockets)
    broken = await town.tenant("bybit", State.EXPIRED)
    given = town.given | {"ALERTD_DATABASE__DSN": dsn, "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 4}
    async with AsyncExitStack() as life:
        await life.enter_async_context(running_server(postgresql))
        async with open_db(dsn) as db:
            await apply_schema(db)
            await town.listen(db, broken)
        async with rehearsing(home, given) as stage:
            await stage.says(CHECKED, error="expired")
            await life.aclose()
            await stage.says("Database lost")
            await stage.shows("alertd_database_up", 0)
            away = await ready(stage)
            await asyncio.sleep(AWAY_SECONDS)

            await life.enter_async_context(running_server(postgresql))
            await stage.says("Database answers", times=2)
            await stage.shows("alertd_database_up", 1)
            await town.until(lambda: town.told(broken))
            async with open_db(dsn) as db:
                told = await alarms(db)

    assert away == 503
    assert town.told(broken) == FAILED
    assert told == []


# The disk is full


@pytest.fixture
def small_disk(home: Home) -> Iterator[Path]:
    folder = home.folder / "state"
    folder.mkdir(mode=0o711)
    mount = ["mount", "-t", "tmpfs", "-o", "size=120m,mode=711", "alertd-test", folder]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a disk that is full soon")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Nothing more fits."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    filler.write_bytes(bytes(free - free % 4096))
    return filler


async def test_the_disk_is_full_and_gets_room_again(small_disk: Path, home: Home) -> None:
    cipher = load_or_create_key(None, home.state, ciphertext_exists=False)
    async with open_store(Settings(state_dir=home.state), cipher) as store, open_town(store, cipher) as town:
        broken = await town.tenant("bybit", State.EXPIRED)
        given = town.given | {"CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 1000}
        async with rehearsing(home, given) as stage:
            async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
                await town.listen(db, broken)
            await stage.says(CHECKED, error="expired")
            filler = fill(small_disk)
            async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
                with suppress(Transient):
                    await db.execute("SELECT pg_switch_wal()")  # what there was room for is used up
            await stage.says("Embedded database died, starting it again")
            await stage.says("Database lost")
            await stage.shows("alertd_database_up", 0)
            before = len(stage.said(CHECKED))
            filler.unlink()
            stage.clock.ahead = timedelta(minutes=10)  # what was claimed and could not be written is claimed again
            await stage.says(CHECKED, times=before + 3)
            async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
                failures = await db.fetchval("SELECT consecutive_failures FROM credentials")
                checks = await db.fetchval("SELECT count(*) FROM credential_health_checks")

    assert failures == checks >= before + 3


# Somebody sets the clock


async def test_the_clock_is_set_an_hour_ahead_and_back(home: Home, town: Town, db: Db, dsn: str) -> None:
    good, broken = await town.tenant("okx"), await town.tenant("bybit", State.EXPIRED)
    await town.listen(db, good, broken)
    async with rehearsing(home, town.given | {"ALERTD_DATABASE__DSN": dsn}) as stage:
        await until_answered(lambda: db.fetchval(DELIVERED))  # or a message without its answer goes out again
        stage.clock.ahead = timedelta(hours=1)
        await stage.says("Wall clock was set")
        await stage.says(CHECKED, times=len(stage.said(CHECKED)) + 4)
        stage.clock.ahead = timedelta()
        await stage.says("Wall clock was set", times=2)
        stage.clock.ahead = timedelta(hours=1, minutes=1)
        await stage.says(CHECKED, times=len(stage.said(CHECKED)) + 4)

    assert [round(line["seconds"] / 60) for line in stage.said("Wall clock was set")[:2]] == [60, -60]
    assert (town.told(good), town.told(broken)) == (Counter(), FAILED)
    assert await alarms(db) == []


# The certificate of the admin port is renewed


def served(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


async def test_the_certificate_is_renewed(home: Home, dsn: str, tmp_path: Path) -> None:
    pem = tmp_path / "admin.pem"
    pem.write_bytes(self_signed("127.0.0.1"))
    given = {"ALERTD_DATABASE__DSN": dsn, "ALERTD_ADMIN__TLS_CERT": pem, "ALERTD_ADMIN__TLS_KEY": pem}
    async with rehearsing(home, given) as stage:
        port = int(stage.url.rpartition(":")[2])
        before = await asyncio.to_thread(served, port)
        pem.write_bytes(self_signed("127.0.0.1"))
        stage.reload.set()
        await stage.says("Settings reloaded")
        after = await asyncio.to_thread(served, port)

    assert after != before
    assert after in pem.read_text()


# A tenant's endpoint is dead for a day


async def test_an_endpoint_is_dead_for_a_day(home: Home, town: Town, db: Db, dsn: str) -> None:
    good, broken = await town.tenant("okx"), await town.tenant("bybit", State.EXPIRED)
    await town.listen(db, good)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        town.receiver_port = dead = taken.getsockname()[1]
    await town.listen(db, broken)
    given = town.given | {"ALERTD_DATABASE__DSN": dsn, "ALERTD_WEBHOOKS__BREAKER_FAILURES": 1}
    given |= {"ALERTD_CREDENTIALS__REMIND_HOURS": 1000}
    async with rehearsing(home, given, ahead=timedelta(hours=-60)) as stage:
        await stage.shows("alertd_open_circuits", 1)
        for hours in range(1, 25):
            stage.clock.ahead = timedelta(hours=hours - 60)
            await stage.says("Wall clock was set", times=hours)
        await until_answered(lambda: db.fetchval(LEFT_ALONE, stage.clock()))
        [woken], shown = await alarms(db), (await dashboard(stage, home))["endpoints"]["open_circuits"]
        async with listening(Receiver(lambda path: town.secrets.get(path, ""), town.hear), port=dead):
            stage.clock.ahead = timedelta()
            await town.until(lambda: town.told(broken))
            await stage.shows("alertd_open_circuits", 0)

    assert ("webhook_not_accepted" in woken, shown) == (True, 1)
    assert (town.told(good), town.told(broken)) == (Counter(), FAILED)
