"""Operators hear of tenants' alerts gathered, of what nobody acknowledged once, and of the end of both."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alertd import metrics
from alertd.alerts import catch_up, desk, listing, log_store, observations, pipeline, silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.lifecycle import Sign
from alertd.alerts.listing import Filter
from alertd.alerts.observations import Observation, policy_of
from alertd.alerts.silences import Silence
from alertd.config import Notifier
from alertd.db import Db, new_id, open_db
from alertd.model import Severity
from alertd.webhooks import notifiers
from tests import factories
from tests.webhooks.relay import a_door

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DELAY = 15 * MINUTE
FIRED = "performance.alert"
OPS = Notifier(name="ops", url="json://127.0.0.1")
PAGER = Notifier(name="pager", url="json://127.0.0.1", escalation=True, min_severity=Severity.EMERGENCY)


@pytest.fixture
async def tenant(db: Db, now: datetime) -> UUID:
    await listen(db, now, OPS, PAGER)
    tenant_id = await factories.tenant(db)
    await factories.webhook(db, tenant_id)
    return tenant_id


@pytest.fixture
def loss(tenant: UUID) -> Observation:
    return Observation(
        tenant_id=tenant,
        check="performance_threshold_check",
        subject="fund-1",
        rule="daily_loss",
        sign=Sign.BAD,
        severity=Severity.CRITICAL,
        message="The day lost 6 %.",
    )


async def listen(db: Db, now: datetime, *wanted: Notifier) -> None:
    async with db.transaction() as tx:
        await notifiers.sync(tx, wanted, channel="apprise", now=now)


async def see(db: Db, *seen: Observation, at: datetime) -> None:
    async with db.transaction() as tx:
        await observations.apply(tx, seen, policy=policy_of(HOUR), seen_at=at, now=at)


async def look(db: Db, at: datetime) -> int:
    told = await desk.tell(db, delay=DELAY, now=at)
    await db.execute("UPDATE webhook_deliveries SET state = 'delivered', finished_at = $1 WHERE tenant_id IS NULL", at)
    return told


async def heard(db: Db, name: str) -> list[tuple[str, str]]:
    """What a notifier was sent: rule and state."""
    return [(body["rule"], body["state"]) for body in await bodies(db, name)]


async def bodies(db: Db, name: str) -> list[dict[str, Any]]:
    rows = await db.fetch(
        """
        SELECT e.body
        FROM webhook_deliveries d
        JOIN events e ON e.id = d.event_id
        JOIN tenant_webhooks w ON w.id = d.webhook_id
        WHERE w.webhook_url = $1
        ORDER BY d.created_at
        """,
        name,
    )
    return [json.loads(row["body"]) for row in rows]


async def alert(db: Db) -> listing.Alert:
    [found] = await listing.alerts_before(db, None, Filter(), limit=2)
    return found


async def decisions(db: Db) -> Sequence[Decision]:
    return [entry.decision for entry in await log_store.explain(db, (await alert(db)).id)]


def well(observation: Observation) -> Observation:
    return replace(observation, sign=Sign.GOOD)


async def silenced(db: Db, now: datetime, *, lasts: timedelta, subject: str = "*") -> None:
    silence = Silence(new_id(), {"subject": (subject,)}, "known", "ops", now, now, now + lasts)
    async with db.transaction() as tx:
        await silence_store.add(tx, silence)


async def test_operators_hear_of_alerts_and_of_their_end(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await look(db, now)
    await see(db, well(loss), at=now + MINUTE)
    await look(db, now + MINUTE)
    await look(db, now + 2 * MINUTE)

    assert await heard(db, "ops") == [("alerts", "firing"), ("alerts", "resolved")]


async def test_alerts_that_come_together_are_one_message(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, *(replace(loss, subject=f"fund-{number}") for number in range(7)), at=now)

    told = await look(db, now)

    [body] = await bodies(db, "ops")
    assert (told, body["count"], body["severity"], len(body["message"].splitlines())) == (1, 7, "critical", 7)


async def test_alert_that_nobody_acknowledges_is_escalated_once(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    before = [await look(db, now + minutes * MINUTE) for minutes in (1, 14)]
    too_early = await heard(db, "pager")

    for minutes in (15, 16, 60, 600):
        await look(db, now + minutes * MINUTE)

    assert (before, too_early, await heard(db, "pager")) == ([1, 0], [], [("escalation", "firing")])
    assert await decisions(db) == [
        Decision.FIRED,
        Decision.SENT,
        Decision.SENT,
        Decision.ESCALATED,
        Decision.SENT,
    ]


async def test_whoever_was_escalated_to_hears_of_the_end(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await look(db, now + DELAY)

    await see(db, well(loss), at=now + HOUR)
    await look(db, now + HOUR)

    assert await heard(db, "pager") == [("escalation", "firing"), ("alerts", "resolved")]


async def test_acknowledged_alert_is_not_escalated(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await store.acknowledge(db, (await alert(db)).id, by="ops", comment="", now=now + MINUTE)

    await look(db, now + DELAY)

    assert await heard(db, "pager") == []


async def test_alert_that_is_over_is_not_escalated(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await see(db, well(loss), at=now + MINUTE)

    await look(db, now + DELAY)

    assert await heard(db, "pager") == []


async def test_warning_is_not_escalated(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, replace(loss, severity=Severity.WARNING), at=now)

    await look(db, now + DELAY)

    assert await heard(db, "pager") == []


async def test_wait_begins_when_it_becomes_critical(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, replace(loss, severity=Severity.WARNING), at=now)
    await see(db, loss, at=now + 10 * MINUTE)

    early, due = [await look(db, now + minutes * MINUTE) for minutes in (24, 25)]

    assert (early, due) == (1, 1)
    assert await heard(db, "pager") == [("escalation", "firing")]


async def test_what_is_critical_no_more_is_not_escalated(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await see(db, replace(loss, severity=Severity.WARNING), at=now + MINUTE)

    await look(db, now + DELAY)

    assert await heard(db, "pager") == []


async def test_escalation_waits_while_a_silence_holds(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await silenced(db, now, lasts=20 * MINUTE)
    for minutes in (15, 29):
        await look(db, now + minutes * MINUTE)
    in_silence = await heard(db, "pager")

    await look(db, now + 30 * MINUTE)

    assert (in_silence, await heard(db, "pager")) == ([], [("escalation", "firing")])


async def test_what_a_silence_kept_quiet_is_told_when_it_ends(db: Db, loss: Observation, now: datetime) -> None:
    await silenced(db, now, lasts=20 * MINUTE)
    await see(db, loss, at=now)
    await look(db, now + 19 * MINUTE)
    during = await heard(db, "ops")

    await look(db, now + 20 * MINUTE)
    await look(db, now + 21 * MINUTE)

    bodies = await db.fetch("SELECT convert_from(body, 'utf8')::json AS body FROM events WHERE type = $1", FIRED)
    assert (during, await heard(db, "ops")) == ([], [("alerts", "firing")])
    assert [(row["body"]["severity"], row["body"]["held_back"]) for row in bodies] == [("critical", 1)]
    assert (await alert(db)).ack_awaited_since == now + 20 * MINUTE


async def test_platform_trouble_that_was_noticed_once_is_told_after_the_silence(
    db: Db, tenant: UUID, now: datetime
) -> None:
    await silenced(db, now, lasts=20 * MINUTE)
    await pipeline.platform_trouble(db, "schedule", "monthly_forward_test_update", "It was given up.", now=now)
    await look(db, now + 19 * MINUTE)
    during = await heard(db, "ops")

    await look(db, now + 20 * MINUTE)
    await look(db, now + 21 * MINUTE)

    assert (during, await heard(db, "ops")) == ([], [("schedule", "firing")])


async def test_what_a_silence_kept_quiet_waits_for_the_end_of_a_pause(
    db: Db, tenant: UUID, loss: Observation, now: datetime
) -> None:
    await silenced(db, now, lasts=MINUTE)
    await see(db, loss, at=now)
    await db.execute("UPDATE tenants SET paused = true")
    await look(db, now + HOUR)
    await db.execute("UPDATE tenants SET paused = false")

    await look(db, now + 2 * HOUR)

    assert await db.fetchval("SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1", tenant) == 1


async def test_alerts_under_a_long_silence_do_not_keep_others_from_being_told(
    db: Db, loss: Observation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "MOST", 1)
    await silenced(db, now, lasts=HOUR, subject="fund-1")
    await see(db, loss, at=now)
    await silenced(db, now, lasts=MINUTE, subject="fund-2")
    await see(db, replace(loss, subject="fund-2"), at=now)

    await look(db, now + 2 * MINUTE)

    assert await heard(db, "ops") == [("alerts", "firing")]


async def test_a_second_silence_takes_over_from_the_first(db: Db, loss: Observation, now: datetime) -> None:
    await silenced(db, now, lasts=20 * MINUTE)
    await see(db, loss, at=now)
    await silenced(db, now + MINUTE, lasts=HOUR)

    await look(db, now + 30 * MINUTE)

    entries = await log_store.explain(db, (await alert(db)).id)
    assert (entries[-1].decision, entries[-1].silenced_until) == (Decision.SILENCED, now + HOUR + MINUTE)
    assert await heard(db, "ops") == []


async def test_what_another_alert_explains_is_not_told_with_it(
    db: Db, tenant: UUID, loss: Observation, now: datetime
) -> None:
    await factories.alert(db, tenant, subject="key-1", at=now)
    await see(db, replace(loss, depends_on="key-1"), at=now)

    told = await look(db, now + HOUR)

    assert (told, await heard(db, "ops")) == (0, [])


async def test_paused_tenant_is_not_escalated(db: Db, tenant: UUID, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await db.execute("UPDATE tenants SET paused = true WHERE id = $1", tenant)

    await look(db, now + DELAY)

    assert await heard(db, "pager") == []


async def test_escalation_without_anybody_to_hear_it_is_on_record(db: Db, loss: Observation, now: datetime) -> None:
    await listen(db, now, OPS)
    await see(db, loss, at=now)

    await look(db, now + DELAY)

    assert Decision.ESCALATED in await decisions(db)


async def test_platform_trouble_is_escalated_and_its_end_told_once(db: Db, tenant: UUID, now: datetime) -> None:
    await pipeline.platform_trouble(db, "secret_store", "vault", "It is sealed.", now=now)
    await look(db, now + DELAY)
    await pipeline.platform_recovered(db, "secret_store", "vault", "It is open.", now=now + HOUR)
    await look(db, now + HOUR)

    assert await heard(db, "ops") == [("secret_store", "firing"), ("secret_store", "resolved")]
    assert await heard(db, "pager") == [("escalation", "firing"), ("secret_store", "resolved")]


async def test_end_waits_until_its_beginning_was_sent(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    await desk.tell(db, delay=DELAY, now=now)
    await see(db, well(loss), at=now + MINUTE)

    first = await look(db, now + MINUTE)
    second = await look(db, now + 2 * MINUTE)

    assert (first, second) == (0, 1)


async def test_two_daemons_tell_it_once(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, *(replace(loss, subject=f"fund-{number}") for number in range(5)), at=now)

    await asyncio.gather(*(desk.tell(db, delay=DELAY, now=now + DELAY) for _ in range(5)))
    await desk.tell(db, delay=DELAY, now=now + DELAY)

    assert await heard(db, "pager") == [("escalation", "firing")]
    assert await heard(db, "ops") == [("alerts", "firing")]


async def test_database_that_is_away_is_asked_again(dsn: str, db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, at=now)
    stop, beats = asyncio.Event(), asyncio.Semaphore(0)
    async with a_door(dsn) as door, open_db(door.dsn, pool_size=1) as own:
        await door.shut()
        loop = asyncio.create_task(
            desk.keep_telling(
                own, stop, lambda: now, delay=lambda: DELAY, told=stop.set, beat=beats.release, every=MINUTE / 6000
            )
        )
        async with asyncio.timeout(30):
            await beats.acquire()
            await beats.acquire()
            unheard = await heard(db, "ops")
            await door.open()
            await loop

    assert (unheard, await heard(db, "ops")) == ([], [("alerts", "firing")])


async def test_what_fires_is_counted_by_severity(db: Db, loss: Observation, now: datetime) -> None:
    await see(db, loss, replace(loss, subject="fund-2", severity=Severity.EMERGENCY), at=now)
    stop = asyncio.Event()

    await desk.keep_telling(db, stop, lambda: now, delay=lambda: DELAY, told=stop.set)

    shown = [metrics.REGISTRY.get_sample_value("alertd_alerts_firing", {"severity": name}) for name in Severity]
    assert shown == [0, 0, 1, 1]
