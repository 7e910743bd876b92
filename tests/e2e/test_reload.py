"""SIGHUP to a running daemon: the file is read again, and what it says counts at once."""

import signal
from functools import partial
from typing import Any

import aiohttp
import pytest

from alertd.db import Db
from tests.e2e.daemon import Daemon, Home, running
from tests.e2e.town import Town, standing
from tests.e2e.waiting import until_answered

KEY = "admin-key-of-the-tests"
NOBODY = "http://127.0.0.1:9"


def write(home: Home, text: str) -> dict[str, str]:
    """The settings file, and how the daemon is told of it."""
    file = home.folder / "alertd.toml"
    file.write_text(text)
    return {"ALERTD_CONFIG": str(file), "ALERT_ADMIN_API_KEY": KEY}


def hang_up(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGHUP)


async def status(daemon: Daemon) -> Any:
    path = "/api/performance-alerts/schedule/status"
    async with aiohttp.ClientSession(daemon.url, headers={"X-Alert-API-Key": KEY}) as client, client.get(path) as got:
        return (await got.json())["data"]


async def test_schedules_change(home: Home, dsn: str) -> None:
    given = write(home, '[alerts]\ndaily_pnl_time = "17:00"') | {"ALERTD_DATABASE__DSN": dsn}
    async with running(home, given) as daemon:
        write(home, '[alerts]\ndaily_pnl_time = "18:30"')
        hang_up(daemon)
        line = await daemon.says("Settings reloaded")
        [daily] = [each for each in (await status(daemon))["scheduled_alerts"] if each["name"] == "daily_pnl_check"]

    assert line["changed"] == ["alerts.daily_pnl_time"]
    assert (daily["time_of_day"], daily["next_run"][11:]) == ("18:30 UTC", "18:30:00Z")


async def test_a_key_is_asked_for_at_another_place(home: Home, town: Town, db: Db, dsn: str) -> None:
    tenant = await town.tenant("binance")
    place = '[exchanges.binance]\nconnect_to = "{}"'
    others = {name: value for name, value in town.given.items() if name != "ALERTD_EXCHANGES__BINANCE__CONNECT_TO"}
    given = others | write(home, place.format(NOBODY)) | {"ALERTD_DATABASE__DSN": dsn}
    async with running(home, given) as daemon:
        await daemon.says("Credential health check completed", error="network")
        write(home, place.format(town.simulator.url))
        hang_up(daemon)
        await until_answered(partial(_valid, db, tenant))


async def _valid(db: Db, tenant: Any) -> bool:
    return bool((await standing(db, tenant))["verdict"] == "valid")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[alerts]\ndaily_pnl_tmie = 1",
            "alerts.daily_pnl_tmie: is not a setting; did you mean alerts.daily_pnl_time?",
        ),
        ("[database]\npool_size = 3", "database.pool_size: cannot change while alertd runs; restart it"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(home: Home, dsn: str, text: str, problem: str) -> None:
    given = write(home, "") | {"ALERTD_DATABASE__DSN": dsn}
    async with running(home, given) as daemon:
        write(home, text)
        hang_up(daemon)
        line = await daemon.says("Settings not reloaded; the old ones stay")
        goes_on = await status(daemon)

        assert await daemon.stop() == 0

    assert (line["problems"], line["level"]) == ([problem], "error")
    assert goes_on["scheduler_running"] is True
