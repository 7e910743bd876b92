"""Performance checks whose process dies or sleeps in the middle of a run: what is found is stored and told once."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alertd.config import PerformanceSettings
from alertd.db import Db
from alertd.demo.receiver import Received
from alertd.demo.strategies import STRATEGIES, Strategy, live_since
from alertd.performance.receiving import receive_references, receive_returns
from alertd.performance.registering import Sending
from alertd.performance.rows import ReferenceRow, ReturnRow, SubjectName
from tests.e2e.daemon import Daemon, Home, running
from tests.e2e.town import Tenant, Town
from tests.e2e.waiting import until_answered

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAILY = "daily_pnl_check"
ON = (DAILY, "performance_threshold_check")
OFF = ("weekly_stability_check", "monthly_forward_test_update", "evening_performance_check")
FINISHED = "Scheduled run finished"
MOMENTUM, CARRY, GRID, BASIS = STRATEGIES
SILENT = replace(MOMENTUM, silent_days=BASIS.silent_days, hears=BASIS.hears)
DECAYING = (CARRY, replace(CARRY, seed=25), SILENT)  # of none is the drift quieter than the drawdown, and kept back
HEALTHY = (MOMENTUM, GRID)


@dataclass(frozen=True)
class Watch:
    """Tenants, each with one strategy, as they are judged at `at`."""

    of: Sequence[tuple[Tenant, Strategy]]
    at: datetime

    def tenants(self, strategies: Sequence[Strategy]) -> list[Tenant]:
        return [tenant for tenant, strategy in self.of if strategy in strategies]

    async def send_returns(self, db: Db, *, recovered: bool = False) -> None:
        """Of all live days; `recovered`: corrected, as they would be had nothing ever gone wrong."""
        for tenant, strategy in self.of:
            earning = replace(strategy, decay=0.0, silent_days=0) if recovered else strategy
            days = earning.live(self.at.date() - DAY)
            rows = [ReturnRow(name_of(tenant), day, value) for day, value in days.items()]
            async with db.transaction() as tx:
                await receive_returns(tx, rows, sending())


def name_of(tenant: Tenant) -> SubjectName:
    return SubjectName(tenant.id, "alpha")


def sending() -> Sending:
    return Sending("platform", datetime.now(UTC), PerformanceSettings())


async def watched(town: Town, db: Db, strategies: Sequence[Strategy]) -> Watch:
    """Everybody has an endpoint, and the checks have been due for two minutes."""
    now = datetime.now(UTC)
    watch = Watch([(await town.tenant("binance"), each) for each in strategies], now.replace(second=0) - 2 * MINUTE)
    await town.listen(db, *(tenant for tenant, _ in watch.of))
    for tenant, strategy in watch.of:
        live = live_since(watch.at.date() - DAY)
        row = ReferenceRow(name_of(tenant), returns=strategy.backtest(), active_from=live)
        async with db.transaction() as tx:
            await receive_references(tx, [row], sending())
    await watch.send_returns(db)
    switches = [(name, name in ON, now - timedelta(hours=1)) for name in ON + OFF]
    await db.executemany("INSERT INTO schedules (name, enabled, changed_at) VALUES ($1, $2, $3)", switches)
    return watch


def due(at: datetime) -> dict[str, object]:
    """The settings by which the checks are due at this time of the day."""
    return {"ALERT_DAILY_PNL_TIME": f"{at:%H:%M}", "ALERT_THRESHOLD_TIME_1": f"{at:%H:%M}"}


async def leases_run_out(db: Db) -> None:
    """What a minute of waiting would do."""
    await db.execute("UPDATE occurrences SET lease_until = lease_until - interval '1 hour'")
    await db.execute("UPDATE tenant_webhooks SET lease_until = lease_until - interval '1 hour'")


async def killed(home: Home, given: Mapping[str, object], db: Db, *, after: Sequence[float]) -> None:
    """Run, be killed so many seconds later, and again."""
    for seconds in after:
        async with running(home, given) as daemon:
            await asyncio.sleep(seconds)
            await daemon.kill()
        await leases_run_out(db)


def heard(town: Town, tenants: Sequence[Tenant], event: str) -> list[Counter[str]]:
    """The rules of which each tenant got such a message, each distinct message (by its `webhook-id`) once."""
    return [
        Counter({one.event_id: one.body["rule"] for one in town.heard if _is(one, tenant, event)}.values())
        for tenant in tenants
    ]


def _is(one: Received, tenant: Tenant, event: str) -> bool:
    return one.path == f"/{tenant.id}" and one.verified and one.body["event"] == event


def expected(strategies: Sequence[Strategy]) -> list[Counter[str]]:
    return [Counter(rule for _, rule in strategy.hears) for strategy in strategies]


async def settled(db: Db, *, occurrences: int) -> bool:
    """So many runs have succeeded, and nothing is left to be sent."""
    ended = await db.fetchval(
        "SELECT count(*) FROM occurrences WHERE schedule = ANY ($1) AND state = 'succeeded'", list(ON)
    )
    unsent = await db.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'")
    return (ended, unsent) == (occurrences, 0)


async def evaluations(db: Db) -> list[tuple[object, ...]]:
    rows = await db.fetch("SELECT subject_id, check_name, evaluated_at FROM performance_evaluations ORDER BY 1, 2, 3")
    return [tuple(row) for row in rows]


async def test_what_begins_and_what_ends_is_told_once_whenever_it_is_killed(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    chance = random.Random(1)
    watch = await watched(town, db, DECAYING + HEALTHY)
    given = town.given | {"ALERTD_DATABASE__DSN": dsn}
    decaying, healthy = watch.tenants(DECAYING), watch.tenants(HEALTHY)

    await killed(home, given | due(watch.at), db, after=[chance.uniform(0, 0.2), chance.uniform(0, 0.4)])
    async with running(home, given | due(watch.at)):
        await until_answered(lambda: settled(db, occurrences=2))
        await watch.send_returns(db, recovered=True)
    begun = heard(town, decaying, "performance.alert")
    await killed(home, given | due(watch.at + MINUTE), db, after=[chance.uniform(0, 0.2)])
    async with running(home, given | due(watch.at + MINUTE)):
        await until_answered(lambda: settled(db, occurrences=4))

    assert begun == heard(town, decaying, "performance.alert") == expected(DECAYING)
    assert heard(town, decaying, "performance.resolved") == expected(DECAYING)
    assert [received.path for received in town.heard if received.path in {f"/{each.id}" for each in healthy}] == []
    assert [received.problem for received in town.heard if not received.verified] == []
    assert len(await evaluations(db)) == len(watch.of) * 4


@asynccontextmanager
async def struck(
    home: Home, given: Mapping[str, object], db: Db, *, by: signal.Signals
) -> AsyncIterator[tuple[Daemon, Daemon]]:
    """Two daemons on one database; the first one gets this signal while its daily check writes what it remembers."""
    async with AsyncExitStack() as both:
        async with db.transaction() as tx:
            await tx.execute("LOCK TABLE performance_tracks IN EXCLUSIVE MODE")
            first = await both.enter_async_context(running(home, given))
            await until_answered(lambda: held_up(db))
            second = await both.enter_async_context(running(home, given))
            first.process.send_signal(by)
        yield first, second


async def held_up(db: Db) -> bool:
    """Whether somebody waits for the tracks."""
    waits: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'performance_tracks'::regclass AND NOT granted)"
    )
    return waits


async def taken_over(second: Daemon, db: Db) -> None:
    """When the lease is over, the one that is left looks again; here it is over at once, and it is told to look."""
    await leases_run_out(db)
    second.process.send_signal(signal.SIGHUP)
    await second.says(FINISHED, schedule=DAILY)
    await until_answered(lambda: settled(db, occurrences=2))


async def test_a_run_whose_daemon_is_killed_is_ended_by_the_other_one(home: Home, town: Town, db: Db, dsn: str) -> None:
    watch = await watched(town, db, [CARRY, MOMENTUM])
    given = town.given | {"ALERTD_DATABASE__DSN": dsn} | due(watch.at)

    async with struck(home, given, db, by=signal.SIGKILL) as (first, second):
        await first.ended()
        await taken_over(second, db)

    assert heard(town, watch.tenants([CARRY, MOMENTUM]), "performance.alert") == expected([CARRY, MOMENTUM])
    assert len(await evaluations(db)) == len(watch.of) * len(ON)


async def test_a_daemon_that_wakes_up_in_a_run_that_the_other_one_has_ended_adds_nothing(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    watch = await watched(town, db, [CARRY, MOMENTUM])
    given = town.given | {"ALERTD_DATABASE__DSN": dsn} | due(watch.at)

    async with struck(home, given, db, by=signal.SIGSTOP) as (first, second):
        await taken_over(second, db)
        before = await evaluations(db)
        first.process.send_signal(signal.SIGCONT)
        await first.says(FINISHED, schedule=DAILY)
        await until_answered(lambda: settled(db, occurrences=2))

    assert heard(town, watch.tenants([CARRY, MOMENTUM]), "performance.alert") == expected([CARRY, MOMENTUM])
    assert await evaluations(db) == before
    assert len(before) == len(watch.of) * len(ON)
