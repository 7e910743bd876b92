"""`alertd run` where nothing is configured: it runs, says on what, and leaves nothing behind."""

import signal
import socket

import aiohttp
import pytest

from alertd.db import Db
from alertd.demo.exchanges.shape import State
from tests.e2e.daemon import Home, alertd, running, starting
from tests.e2e.town import Town
from tests.e2e.waiting import lives, until

NOTHING: dict[str, object] = {}
BAD: dict[str, object] = {
    "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": "soon",
    "ALERT_WEEKLY_STABILITY_DAY": "someday",
    "ALERTD_SECRETS__BACKEND": "vault",
    "ALERTD_WEBHOOKS__PROFIL": "fast",
}


async def status(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def page(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def test_it_says_what_it_uses_and_what_to_do_next_and_becomes_ready(home: Home) -> None:
    async with running(home, NOTHING) as daemon:
        line = await daemon.says("alertd is running")
        await daemon.says("Database answers")

        assert await status(f"{daemon.url}/-/ready") == 200
        assert await status(f"{daemon.url}/-/healthy") == 200

    assert (line["database"], line["secret_store"], line["state_dir"]) == ("embedded", "file", str(home.state))
    assert any("alertd credentials put" in line["event"] for line in daemon.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_told_to_and_its_database_with_it(home: Home, number: signal.Signals) -> None:
    async with running(home, NOTHING) as daemon:
        server = home.server_pid()
        daemon.process.send_signal(number)

        assert await daemon.ended() == 0
        assert not lives(server)

    assert daemon.noise == []  # every line of its log is JSON
    assert {line["level"] for line in daemon.lines} <= {"info", "warning"}


async def test_it_stops_while_it_starts(home: Home) -> None:
    async with starting(home, NOTHING) as daemon:
        await until(home.state.exists)

        assert await daemon.stop() == 0


async def test_its_key_survives_a_restart(home: Home) -> None:
    async with running(home, NOTHING):
        key = (home.state / "encryption.key").read_text()

    async with running(home, NOTHING):
        assert (home.state / "encryption.key").read_text() == key


async def test_a_second_daemon_on_the_folder_is_turned_away(home: Home) -> None:
    async with running(home, NOTHING) as first:
        done = await alertd(home, NOTHING, "run")

        assert done.code == 1
        assert str(first.process.pid) in done.err
        assert str(home.state) in done.err
        assert "Traceback" not in done.err
        assert await status(f"{first.url}/-/healthy") == 200


async def test_a_port_that_is_taken(home: Home, dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await alertd(home, {"PORT": port, "ALERTD_DATABASE__DSN": dsn}, "run")

    assert done.code == 1
    assert f"port {port}" in done.err
    assert "Traceback" not in done.err


async def test_the_published_metrics(home: Home, town: Town, db: Db, dsn: str) -> None:
    tenant = await town.tenant("binance", State.REVOKED)
    await town.listen(db, tenant)
    async with running(home, town.given | {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        await daemon.says("Message delivered")
        metrics = await page(f"{daemon.url}/metrics")

    checks = f'credential_health_check_total{{exchange="binance",result="failure",tenant_id="{tenant.id}"}}'
    assert checks in metrics
    assert 'credential_health_check_duration_seconds_count{exchange="binance"}' in metrics
    assert 'webhook_delivery_total{event_type="credential.failed",status="success"} 1.0' in metrics


async def test_every_problem_of_the_settings_is_listed(home: Home) -> None:
    done = await alertd(home, BAD, "run")

    assert done.code == 78
    named = ("INTERVAL_HOURS", "WEEKLY_STABILITY_DAY", "secrets.vault.address", "WEBHOOKS__PROFIL")
    assert [name for name in named if name not in done.err] == []
    assert "Traceback" not in done.err
    assert not home.state.exists()


async def test_a_file_that_does_not_exist(home: Home) -> None:
    done = await alertd(home, NOTHING, "run", "-c", "nowhere.toml")

    assert done.code == 78
    assert "nowhere.toml" in done.err
    assert "Traceback" not in done.err


async def test_a_database_that_does_not_exist(home: Home, dsn: str) -> None:
    wrong = dsn.replace("alertd@", "alertd:sesame-open@").replace("test_", "absent_")

    done = await alertd(home, {"ALERTD_DATABASE__DSN": wrong}, "run")

    assert done.code == 78
    assert "database.dsn" in done.err
    assert "absent_" in done.err
    assert "sesame" not in done.err + done.out
    assert "Traceback" not in done.err
