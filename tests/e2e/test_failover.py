"""Several daemons on one database: what one had begun when it was struck another one does, and nothing is done twice.

Scheduled runs that are struck in the middle: `test_performance_killed.py`.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import pytest

from alertd.credentials import inventory_store
from alertd.db import Db
from alertd.demo.exchanges.shape import State
from alertd.model import EventType
from tests import factories
from tests.e2e.daemon import Daemon, Home, running
from tests.e2e.test_performance_killed import CARRY, MOMENTUM, ON, due, evaluations, expected, heard, settled, watched
from tests.e2e.town import Town
from tests.e2e.waiting import until, until_answered
from tests.webhooks.post_office import ids, say
from tests.webhooks.receivers import OK, Receiver, Talk, receiving

CHECKED = "Credential health check completed"
FINISHED = "Scheduled run finished"
PASS = "credential_health_check"
# What is put off until a lease ends; a delivery under way is due again then.
PUT_OFF = (
    ("credentials", "lease_until"),
    ("tenant_webhooks", "lease_until"),
    ("tenant_webhooks", "next_due_at"),
    ("webhook_deliveries", "next_attempt_at"),
    ("sweeps", "lease_until"),
    ("occurrences", "lease_until"),
)
ADMIN = {"X-Alert-API-Key": "an-admin-key-for-two-daemons"}
SLOW_SECONDS = 3.0  # who asks is struck before the answer
GIVEN = {
    "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": 6,
    "ALERTD_CREDENTIALS__DISCOVERY_MINUTES": 5,
    "ALERTD_CREDENTIALS__TIMEOUT_SECONDS": 10,
    "ALERT_ADMIN_API_KEY": ADMIN["X-Alert-API-Key"],
}


pytestmark = pytest.mark.faults


@dataclass
class Struck:
    """The first daemon got a signal with a check and a delivery under way; the second one has come up since."""

    first: Daemon
    second: Daemon
    receiver: Receiver
    event_id: str


async def leases_run_out(db: Db) -> None:
    """What a minute would do; all at once, as it would be."""
    async with db.transaction() as tx:
        for table, moment in PUT_OFF:
            await tx.execute(f"UPDATE {table} SET {moment} = {moment} - interval '1 hour'")


@asynccontextmanager
async def struck(home: Home, town: Town, db: Db, dsn: str, by: signal.Signals) -> AsyncIterator[Struck]:
    given = town.given | GIVEN | {"ALERTD_DATABASE__DSN": dsn}
    tenant = await town.tenant("kraken", State.REVOKED)
    async with db.transaction() as tx:
        await inventory_store.add_tenant(tx, tenant.id, "", datetime.now(UTC))
    town.simulator.exchange("kraken").delay_seconds = SLOW_SECONDS
    asked = asyncio.Event()

    async def slow_at_first(talk: Talk) -> None:
        while True:
            receiver.requests.append(await talk.request())
            if not asked.is_set():
                asked.set()
                await asyncio.sleep(SLOW_SECONDS)
            await talk.say(OK)

    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving(slow_at_first))
        await factories.webhook(db, tenant.id, url=receiver.url())
        event_id = await say(db, EventType.CREDENTIAL_RISK, tenant.id, at=datetime.now(UTC))
        first = await stack.enter_async_context(running(home, given))
        await asked.wait()
        await until(lambda: town.simulator.requests)
        first.process.send_signal(by)
        town.simulator.exchange("kraken").delay_seconds = 0
        second = await stack.enter_async_context(running(home, given))
        yield Struck(first, second, receiver, event_id)


async def all_done(db: Db) -> bool:
    return bool(
        await db.fetchval(
            """
            SELECT EXISTS (SELECT FROM credential_health_checks)
               AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE state <> 'delivered')
            """
        )
    )


async def written_down(db: Db) -> tuple[int, Counter[str]]:
    """How many checks, and how attempts to deliver ended."""
    checks = await db.fetchval("SELECT count(*) FROM credential_health_checks")
    attempts = await db.fetch("SELECT outcome FROM webhook_delivery_log")
    return checks, Counter(row["outcome"] for row in attempts)


async def too_late(daemon: Daemon) -> float:
    """What it could not write down, as somebody else had it by then."""
    async with aiohttp.ClientSession() as session, session.get(f"{daemon.url}/metrics") as response:
        text = await response.text()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("alertd_late_settles_total "))


async def test_what_a_killed_daemon_had_under_way_is_done_by_the_other(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    async with struck(home, town, db, dsn, signal.SIGKILL) as scene:
        before = await all_done(db)
        await leases_run_out(db)
        await until_answered(lambda: all_done(db))

    assert not before
    assert await written_down(db) == (1, Counter(["unknown", "success"]))
    assert ids(scene.receiver) == [scene.event_id] * 2


async def test_a_daemon_that_stood_still_writes_nothing_down_that_it_has_lost(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    async def both_too_late() -> bool:
        return await too_late(scene.first) == 2

    async with struck(home, town, db, dsn, signal.SIGSTOP) as scene:
        await leases_run_out(db)
        await until_answered(lambda: all_done(db))
        scene.first.process.send_signal(signal.SIGCONT)
        await until_answered(both_too_late)

    assert await written_down(db) == (1, Counter(["unknown", "success"]))
    assert (scene.first.said(CHECKED), len(scene.second.said(CHECKED))) == ([], 1)


async def ask_for_a_sweep(daemon: Daemon) -> int:
    async with (
        aiohttp.ClientSession(headers=ADMIN) as session,
        session.post(f"{daemon.url}/api/v1/sweeps", json={}) as response,
    ):
        return response.status


async def sweeps(db: Db) -> list[tuple[str, int, str | None]]:
    rows = await db.fetch("SELECT state, checked, error FROM sweeps WHERE origin = 'api' ORDER BY started_at")
    return [tuple(row) for row in rows]


async def test_a_sweep_whose_daemon_is_killed_gives_way_to_another(home: Home, town: Town, db: Db, dsn: str) -> None:
    given = town.given | GIVEN | {"ALERTD_DATABASE__DSN": dsn}
    keys = [await town.tenant("kraken"), await town.tenant("kraken", State.REVOKED)]

    async def over() -> bool:
        return (await sweeps(db))[-1][0] != "running"

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(home, given))
        await first.says(CHECKED, times=len(keys))
        asked = len(town.simulator.requests)
        town.simulator.exchange("kraken").delay_seconds = SLOW_SECONDS
        accepted = await ask_for_a_sweep(first)
        await until(lambda: len(town.simulator.requests) > asked)
        first.process.kill()
        town.simulator.exchange("kraken").delay_seconds = 0
        second = await stack.enter_async_context(running(home, given))
        refused = await ask_for_a_sweep(second)
        await leases_run_out(db)
        accepted_again = await ask_for_a_sweep(second)
        await until_answered(over)

    assert (accepted, refused, accepted_again) == (202, 409, 202)
    assert await sweeps(db) == [("failed", 0, "interrupted: its process ended"), ("completed", len(keys), None)]


async def test_each_occurrence_is_run_by_one_of_four(home: Home, town: Town, db: Db, dsn: str) -> None:
    watch = await watched(town, db, [CARRY, MOMENTUM])
    passes = {"CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": 0.0005}  # at the same moment for all, every 1.8 s
    given = town.given | passes | {"ALERTD_DATABASE__DSN": dsn} | due(watch.at)

    async with AsyncExitStack() as stack:
        opening = (stack.enter_async_context(running(home, given)) for _ in range(4))
        four = await asyncio.gather(*opening)
        began = datetime.now(UTC)
        await until_answered(lambda: settled(db, occurrences=len(ON)))
        await until_answered(lambda: passed(db, since=began, times=3))
        await asyncio.gather(*(daemon.stop() for daemon in four))

    ran = await db.fetch("SELECT schedule, count(*) AS runs FROM occurrences WHERE state = 'succeeded' GROUP BY 1")
    runs = Counter({row["schedule"]: row["runs"] for row in ran})
    assert Counter(line["schedule"] for daemon in four for line in daemon.said(FINISHED)) == runs
    assert await db.fetchval("SELECT count(*) FROM sweeps WHERE origin = 'schedule'") == runs[PASS]
    assert len(await evaluations(db)) == len(watch.of) * len(ON)
    assert heard(town, watch.tenants([CARRY, MOMENTUM]), "performance.alert") == expected([CARRY, MOMENTUM])


async def passed(db: Db, *, since: datetime, times: int) -> bool:
    """Whether so many passes that were due since then have begun."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM occurrences WHERE schedule = $1 AND scheduled_at > $2 AND state = 'succeeded'",
        PASS,
        since,
    )
    return count >= times
