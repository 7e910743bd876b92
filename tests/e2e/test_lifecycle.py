"""`app.run` from its start to its end, in the test's own process and in one of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest

from alertd import app, core
from alertd.config import CHECK_NAMES, Settings
from alertd.db import Db, open_db
from alertd.errors import ConfigError, Transient
from alertd.process import LoopDied, Stopped
from tests.e2e.daemon import Home, running
from tests.e2e.town import Town
from tests.e2e.waiting import PATIENCE_SECONDS, until_answered

CHECKED = "Credential health check completed"
NOBODY_THERE = "postgresql://alertd@127.0.0.1:1/alertd"


def settings(home: Home, dsn: str, **admin: Any) -> Settings:
    given = {"state_dir": home.state, "database": {"dsn": dsn}, "admin": {"port": 0} | admin}
    return Settings.model_validate(given)


@asynccontextmanager
async def up(chosen: Settings) -> AsyncIterator[str]:
    """The daemon, in this process; yields the address of its admin port."""
    stop, addresses = asyncio.Event(), asyncio.Queue[str]()
    daemon = asyncio.create_task(app.run(chosen, stop, started=lambda _core, url: addresses.put_nowait(url)))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield await addresses.get()
    finally:
        stop.set()
        await daemon


@pytest.fixture
async def nothing_left(db: Db) -> AsyncIterator[None]:
    """Afterwards there is no task and no connection that was not there before."""
    tasks = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - tasks - {asyncio.current_task()} == set()
    await until_answered(partial(_alone, db))


async def _alone(db: Db) -> bool:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return not await db.fetchval(others)


async def healthy(url: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/-/healthy") as response:
        return response.status == 200


@pytest.mark.usefixtures("nothing_left")
async def test_one_after_the_other_in_one_process(home: Home, dsn: str) -> None:
    async with up(settings(home, dsn)) as url:
        first = await healthy(url)

    async with up(settings(home, dsn)) as url:
        assert (first, await healthy(url)) == (True, True)


async def test_a_check_that_fails_for_the_first_time_is_an_increase(home: Home, dsn: str) -> None:
    async with (
        running(home, {"ALERTD_DATABASE__DSN": dsn}) as daemon,
        aiohttp.ClientSession() as session,
        session.get(f"{daemon.url}/metrics") as response,
    ):
        lines = (await response.text()).splitlines()

    at_zero = {f'alertd_executions_total{{outcome="failed",schedule="{name}"}} 0.0' for name in CHECK_NAMES}
    assert at_zero <= set(lines)


async def test_two_beside_each_other_on_one_database(home: Home, dsn: str) -> None:
    async with up(settings(home, dsn)) as one, up(settings(home, dsn)) as other:
        assert one != other
        assert (await healthy(one), await healthy(other)) == (True, True)


@pytest.mark.usefixtures("nothing_left")
async def test_a_port_that_is_taken(home: Home, dsn: str) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(Transient, match=f"port {port}"):
            await app.run(settings(home, dsn, port=port), asyncio.Event())


@pytest.mark.usefixtures("nothing_left")
async def test_a_certificate_that_is_none(home: Home, dsn: str) -> None:
    (home.folder / "cert.pem").write_text("no certificate")
    cert = home.folder / "cert.pem"

    with pytest.raises(ConfigError, match=r"admin\.tls_cert"):
        await app.run(settings(home, dsn, tls_cert=cert, tls_key=cert), asyncio.Event())


@pytest.mark.usefixtures("nothing_left")
async def test_a_database_that_does_not_answer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "open_db", partial(open_db, patience=timedelta(seconds=0.2)))

    with pytest.raises(Transient, match=r"127\.0\.0\.1"):
        await app.run(settings(home, NOBODY_THERE), asyncio.Event())


@pytest.mark.usefixtures("nothing_left")
async def test_a_lost_encryption_key(home: Home, town: Town, db: Db, dsn: str) -> None:
    await town.listen(db, await town.tenant("binance"))
    (home.state / "encryption.key").unlink()

    with pytest.raises(ConfigError, match="encryption"):
        await app.run(settings(home, dsn), asyncio.Event())


@pytest.mark.usefixtures("nothing_left")
async def test_told_to_stop_before_it_starts(home: Home, dsn: str) -> None:
    stop = asyncio.Event()
    stop.set()

    with pytest.raises(Stopped):
        await app.run(settings(home, dsn), stop)


@pytest.mark.usefixtures("nothing_left")
async def test_told_to_stop_while_its_database_keeps_it_waiting(home: Home) -> None:
    asked, stop = asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(lambda _r, _w: asked.set(), "127.0.0.1", 0) as silent:
        host, port = silent.sockets[0].getsockname()
        starting = asyncio.create_task(app.run(settings(home, f"postgresql://alertd@{host}:{port}/alertd"), stop))
        await asked.wait()
        stop.set()

        with pytest.raises(Stopped):
            await starting


@pytest.mark.usefixtures("nothing_left")
async def test_cancelled_from_outside(home: Home, dsn: str) -> None:
    started = asyncio.Event()
    daemon = asyncio.create_task(
        app.run(settings(home, dsn), asyncio.Event(), started=lambda _core, _url: started.set())
    )
    await started.wait()
    daemon.cancel()

    with pytest.raises(asyncio.CancelledError):
        await daemon


@pytest.mark.usefixtures("nothing_left")
async def test_a_loop_that_dies_ends_it(home: Home, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app, "keep_discovering", die)

    with pytest.raises(LoopDied, match="discovery"):
        await app.run(settings(home, dsn), asyncio.Event())


async def test_a_loop_that_dies_ends_the_process(home: Home, db: Db, dsn: str) -> None:
    async with running(home, {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        await db.execute("DROP TABLE webhook_deliveries CASCADE")

        assert await daemon.ended() == 1

    assert daemon.said("Background loop died") != []
    assert [line for line in daemon.noise if "Traceback" in line] == []


async def test_it_outlives_its_connections(home: Home, town: Town, db: Db, dsn: str) -> None:
    await town.tenant("binance")
    async with running(home, town.given | {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        await daemon.says(CHECKED)
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        checks = len(daemon.said(CHECKED))
        await daemon.says(CHECKED, times=checks + 2)

        assert await daemon.stop() == 0


async def test_told_twice_it_does_not_wait(home: Home, town: Town, dsn: str) -> None:
    await town.tenant("binance")
    town.simulator.exchange("binance").delay_seconds = 8
    given = town.given | {"ALERTD_DATABASE__DSN": dsn, "ALERTD_CREDENTIALS__TIMEOUT_SECONDS": 10}
    async with running(home, given) as daemon:
        await until_answered(partial(_asked, town))
        daemon.process.terminate()
        await daemon.says("Stopping: what is under way may end")
        daemon.process.terminate()

        assert await daemon.ended() == 1

    assert daemon.noise == []
    assert daemon.said("Uncaught exception") == []


async def _asked(town: Town) -> bool:
    return bool(town.simulator.requests)
