"""What runs at set times, wired as in the daemon: checks judge what is stored, and failing ones are told of."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.config import CHECK_NAMES
from alertd.performance.checks import CHECKS
from tests import factories
from tests.admin.port import KEYS, Port, open_port
from tests.performance import making, stored

HOUR = timedelta(hours=1)
TRIGGER = "/api/performance-alerts/schedule/trigger/{}"
AT_ONCE = {
    "ALERTD_CHECKS__DAILY_PNL_CHECK__RETRY__MAX_ATTEMPTS": "2",
    "ALERTD_CHECKS__DAILY_PNL_CHECK__RETRY__INITIAL_DELAY": "0",
}
EVERY_CHECK = pytest.mark.parametrize("name", list(CHECKS))


@pytest.fixture
async def port(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Port]:
    async with open_port(dsn, tmp_path, now, environ={**KEYS, **AT_ONCE}) as opened:
        yield opened


@pytest.fixture
async def decayed(port: Port) -> None:
    """A strategy of a tenant who listens, which lost its edge."""
    db = port.daemon.db
    tenant = await factories.tenant(db)
    await factories.webhook(db, tenant)
    watched = await stored.subject(db, tenant)
    await stored.reference(db, watched, making.reference())
    await stored.days(db, watched, making.daily(making.noise(120, seed=2) - 0.01))


async def due(port: Port, at: datetime) -> None:
    """The clock rings for the daily check, which is expected at 17:00."""
    executions = port.daemon.executions
    await executions.due(executions.jobs["daily_pnl_check"].schedule)
    port.clock.time = at
    await executions.due(executions.jobs["daily_pnl_check"].schedule)
    await executions.drain(HOUR)


async def events(port: Port) -> list[str]:
    rows = await port.daemon.db.fetch("SELECT type FROM events ORDER BY created_at, id")
    return [row["type"] for row in rows]


async def run_of(port: Port) -> Any:
    [row] = await port.daemon.db.fetch("SELECT * FROM occurrences WHERE schedule = 'daily_pnl_check'")
    return row


def test_every_published_check_has_something_to_do(port: Port) -> None:
    assert list(port.daemon.executions.jobs) == list(CHECK_NAMES)


@EVERY_CHECK
@pytest.mark.usefixtures("decayed")
async def test_a_person_may_run_it(port: Port, name: str) -> None:
    answer = await port.ask("POST", TRIGGER.format(name))

    assert (answer.status, answer.json["success"]) == (200, True)
    assert answer.json["data"]["result"]["outcome"] == "judged"


@pytest.mark.usefixtures("decayed")
async def test_a_rehearsal_shows_what_would_be_sent(port: Port) -> None:
    answer = await port.ask("POST", TRIGGER.format("daily_pnl_check"), params={"dry": "true"})

    [shown] = answer.json["data"]["result"]["would_send"]
    assert (shown["event"], shown["rule"], shown["endpoints"]) == ("performance.alert", "drift", 1)
    assert await events(port) == []


@pytest.mark.usefixtures("decayed")
async def test_a_missed_run_is_made_up_for_as_of_its_time(port: Port, now: datetime) -> None:
    five = now + 5 * HOUR

    await due(port, five + timedelta(minutes=20))

    assert [await port.daemon.db.fetchval("SELECT as_of FROM performance_evaluations")] == [five]
    assert ((await run_of(port))["state"], (await run_of(port))["source"]) == ("succeeded", "catch_up")
    assert await events(port) == ["performance.alert"]


@pytest.mark.usefixtures("decayed")
async def test_acknowledging_a_drift_accepts_it(port: Port, now: datetime) -> None:
    await port.ask("POST", TRIGGER.format("daily_pnl_check"))
    [alert] = (await port.ask("GET", "/api/v1/alerts")).json["items"]
    await port.ask("POST", f"/api/v1/alerts/{alert['id']}/ack", json={"comment": "known"})
    port.clock.time = now + HOUR

    await port.ask("POST", TRIGGER.format("daily_pnl_check"))

    track: Any = await port.daemon.db.fetchrow("SELECT accepted_on, (track ->> 'drift')::float FROM performance_tracks")
    assert tuple(track) == (making.YESTERDAY, 0.0)
    assert await events(port) == ["performance.alert", "performance.resolved"]


async def test_a_check_that_fails_for_good_is_an_alert_to_operators(port: Port, now: datetime) -> None:
    await port.daemon.db.execute("ALTER TABLE performance_subjects RENAME TO elsewhere")

    await due(port, now + 5 * HOUR)

    assert ((await run_of(port))["state"], (await run_of(port))["attempt_count"]) == ("failed", 2)
    assert await events(port) == ["system.alert"]


async def test_its_next_success_is_told_too(port: Port, now: datetime) -> None:
    await port.daemon.db.execute("ALTER TABLE performance_subjects RENAME TO elsewhere")
    await due(port, now + 5 * HOUR)
    await port.daemon.db.execute("ALTER TABLE elsewhere RENAME TO performance_subjects")

    await port.ask("POST", TRIGGER.format("daily_pnl_check"))

    assert await events(port) == ["system.alert", "system.alert"]
    assert await port.daemon.db.fetchval("SELECT state FROM alerts") == "resolved"


async def test_who_asked_for_a_run_that_fails_sees_it_and_wakes_nobody(port: Port) -> None:
    await port.daemon.db.execute("ALTER TABLE performance_subjects RENAME TO elsewhere")

    answer = await port.ask("POST", TRIGGER.format("daily_pnl_check"))

    assert (answer.status, answer.json["success"]) == (200, False)
    assert await events(port) == []
