"""Two daemons that are killed, hang, and lose their database: everything is told, and run, once."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alertd.alerts import observations, store
from alertd.alerts.lifecycle import Sign
from alertd.alerts.observations import Observation, policy_of
from alertd.config import Notifier
from alertd.db import Db, open_db
from alertd.model import Severity
from alertd.webhooks import notifiers
from tests import factories
from tests.alerts.chaos import Crew, crew, cut_off, freeze, thaw, until
from tests.alerts.checker import LENGTH, story
from tests.alerts.runner import EVERY
from tests.alerts.stories import fingerprints, played, staged

HOUR = timedelta(hours=1)
NOTIFIERS = (
    Notifier(name="ops", url="json://127.0.0.1"),
    Notifier(name="pager", url="json://127.0.0.1", min_severity=Severity.EMERGENCY, escalation=True),
)
KINDS = {"left": Severity.CRITICAL, "looked_after": Severity.CRITICAL, "slight": Severity.WARNING}
OF_EACH = 8
CUT_SHORT = 3  # runs that havoc may end before they are written down: those are run again


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Db]:
    """One session, which survives when all others are ended."""
    async with open_db(dsn, pool_size=1) as opened:
        yield opened


@pytest.fixture
async def tenant(db: Db) -> UUID:
    async with db.transaction() as tx:
        await notifiers.sync(tx, NOTIFIERS, channel="apprise", now=datetime.now(UTC))
    return await factories.tenant(db)


async def found(db: Db, tenant: UUID, number: int, sign: Sign) -> None:
    """A check finds one more of each kind, or that these are well; whoever looks after one says so at once."""
    now = datetime.now(UTC)
    seen = [
        Observation(
            tenant_id=tenant,
            check="daily_pnl_check",
            subject=f"{kind}-{number}",
            rule="drift",
            sign=sign,
            severity=severity,
            message=".",
        )
        for kind, severity in KINDS.items()
    ]
    async with db.transaction() as tx:
        await observations.apply(tx, seen, policy=policy_of(HOUR), seen_at=now, now=now)
        alert_id = await tx.fetchval(
            "SELECT id FROM alerts WHERE state = 'firing' AND subject = $1", f"looked_after-{number}"
        )
        if alert_id is not None:
            await store.acknowledge(tx, alert_id, by="ops", comment="", now=now)


async def delivered(db: Db) -> None:
    await db.execute("UPDATE webhook_deliveries SET state = 'delivered' WHERE state = 'pending'")


async def all_escalated(db: Db) -> bool:
    return bool(await db.fetchval("SELECT count(*) = $1 FROM alerts WHERE escalated_at IS NOT NULL", OF_EACH))


async def nothing_due(db: Db) -> bool:
    await delivered(db)
    return not await db.fetchval("SELECT count(*) FROM alerts WHERE operators_due IS NOT NULL")


async def havoc(hired: Crew, db: Db, chance: random.Random) -> None:
    """One process dies and another takes its place, one hangs for a moment, and all lose their sessions."""
    first, second = hired.members
    await asyncio.sleep(chance.uniform(0, 0.3))
    await hired.kill(first)
    freeze(second)
    third = await hired.hire()
    await asyncio.sleep(chance.uniform(0, 0.3))
    thaw(second)
    freeze(third)
    await cut_off(db)
    await asyncio.sleep(chance.uniform(0, 0.3))
    thaw(third)


async def told(db: Db) -> dict[str, Counter[tuple[str, str, str]]]:
    """For each kind, what its alerts were told: to whom, the rule and the state."""
    rows = await db.fetch(
        """
        SELECT split_part(a.subject, '-', 1) AS kind, w.webhook_url AS name,
               convert_from(e.body, 'utf8')::json ->> 'rule' AS rule,
               convert_from(e.body, 'utf8')::json ->> 'state' AS state
        FROM alert_log l
        JOIN alerts a ON a.id = l.alert_id
        JOIN events e ON e.id = l.event_id
        JOIN tenant_webhooks w ON w.id = l.webhook_id
        """
    )
    heard: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    for row in rows:
        heard[row["kind"]][row["name"], row["rule"], row["state"]] += 1
    return heard


@pytest.mark.parametrize("seed", [1, 2])
async def test_alerts_are_told_escalated_and_ended_once(db: Db, dsn: str, tenant: UUID, seed: int) -> None:
    chance = random.Random(seed)
    async with crew("tests.alerts.teller", dsn) as hired:
        await asyncio.gather(hired.hire(), hired.hire())
        havocs = asyncio.create_task(havoc(hired, db, chance))
        for number in range(OF_EACH):
            await found(db, tenant, number, Sign.BAD)
            await delivered(db)
            await asyncio.sleep(0.05)
        await havocs
        await until(lambda: all_escalated(db))
        await until(lambda: nothing_due(db))
        for number in range(OF_EACH):
            await found(db, tenant, number, Sign.GOOD)
        await havoc(hired, db, chance)
        await until(lambda: nothing_due(db))

    both = {("ops", "alerts", "firing"): OF_EACH, ("ops", "alerts", "resolved"): OF_EACH}
    paged = {("pager", "escalation", "firing"): OF_EACH, ("pager", "alerts", "resolved"): OF_EACH}
    assert await told(db) == {"left": both | paged, "looked_after": both, "slight": both}


@pytest.mark.parametrize("seed", [1, 2])
async def test_story_is_the_same_however_often_its_teller_is_killed(db: Db, dsn: str, seed: int) -> None:
    told_once = await fingerprints(await played(db, story(seed), to_the_end=False))
    scene = await staged(db)
    await db.execute("CREATE TABLE progress AS SELECT 0 AS done")
    chance = random.Random(seed)
    async with crew("tests.alerts.checker", dsn, str(scene.tenant), str(seed)) as hired:
        for _ in range(4):
            member = await hired.hire()
            await asyncio.sleep(chance.uniform(0, 0.3))
            await hired.kill(member)
        last = await hired.hire()
        finished = await last.wait()

    assert (finished, await db.fetchval("SELECT done FROM progress")) == (0, LENGTH)
    assert await fingerprints(scene) == told_once


async def settled(db: Db, before: datetime) -> bool:
    """Whether all that was due before this time has been run, what was left behind too, and later ones began."""
    return bool(
        await db.fetchval(
            """
            SELECT max(scheduled_at) >= $1 AND NOT bool_or(state = 'running' AND scheduled_at < $1)
            FROM occurrences
            """,
            before,
        )
    )


async def test_each_occurrence_is_run_once_or_is_missed(db: Db, dsn: str) -> None:
    await db.execute("CREATE TABLE ran (scheduled_at timestamptz NOT NULL, pid integer NOT NULL)")
    async with crew("tests.alerts.runner", dsn) as hired:
        await asyncio.gather(hired.hire(), hired.hire())
        await asyncio.sleep(1)
        await havoc(hired, db, random.Random(3))
        await asyncio.sleep(0.5)
        end = datetime.now(UTC)
        await db.execute("UPDATE occurrences SET lease_until = lease_until - interval '1 hour' WHERE state = 'running'")
        await until(lambda: settled(db, end))

    rows = await db.fetch("SELECT scheduled_at, state, missed_count FROM occurrences ORDER BY scheduled_at")
    ran = await db.fetch("SELECT scheduled_at, count(DISTINCT pid) AS times FROM ran GROUP BY scheduled_at")
    times = {row["scheduled_at"]: row["times"] for row in ran}
    owed = (rows[-1]["scheduled_at"] - rows[0]["scheduled_at"]) / EVERY + 1
    assert sum(row["missed_count"] or 1 for row in rows) == owed
    assert {row["state"] for row in rows if row["scheduled_at"] < end} <= {"succeeded", "missed"}
    assert {row["scheduled_at"] for row in rows if row["state"] == "succeeded"} <= times.keys()
    assert len([each for each in times.values() if each > 1]) <= CUT_SHORT
    assert len(times) > CUT_SHORT
