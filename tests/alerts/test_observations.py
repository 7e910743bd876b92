"""What a scheduled check found becomes alerts of its tenants, in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alertd.alerts import listing, log_store, observations, pipeline, silence_store
from alertd.alerts.catch_up import send_current_alerts
from alertd.alerts.explanation import Decision
from alertd.alerts.inhibition import MISSING_DATA
from alertd.alerts.lifecycle import Sign, Step
from alertd.alerts.listing import Filter
from alertd.alerts.observations import Observation, Outcome, policy_of
from alertd.alerts.silences import Silence
from alertd.db import Db, new_id
from alertd.model import Severity
from tests import factories

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POLICY = policy_of(HOUR)


@pytest.fixture
async def tenant(db: Db) -> UUID:
    tenant_id = await factories.tenant(db)
    await factories.webhook(db, tenant_id)
    return tenant_id


@pytest.fixture
def deep(tenant: UUID) -> Observation:
    """A drawdown."""
    return Observation(
        tenant_id=tenant,
        check="performance_threshold_check",
        subject="fund-1",
        rule="drawdown",
        sign=Sign.BAD,
        severity=Severity.WARNING,
        message="The drawdown is 9 %.",
        current_value=9.0,
        expected_value=8.0,
        details={"mode": "trailing"},
    )


def well(observation: Observation) -> Observation:
    return replace(observation, sign=Sign.GOOD, message="The drawdown is 2 %.")


def worse(observation: Observation) -> Observation:
    return replace(observation, severity=Severity.CRITICAL)


async def see(db: Db, *seen: Observation, at: datetime, as_of: datetime | None = None) -> Outcome:
    async with db.transaction() as tx:
        return await observations.apply(tx, seen, policy=POLICY, seen_at=as_of or at, now=at)


async def bodies(db: Db) -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT body FROM events ORDER BY created_at, id")
    return [json.loads(row["body"]) for row in rows]


async def said(db: Db) -> list[tuple[str, str]]:
    return [(body["event"], body["severity"]) for body in await bodies(db)]


async def sent(db: Db, webhook_id: UUID) -> list[tuple[str, str]]:
    """What was queued for one endpoint: event and subject."""
    rows = await db.fetch(
        """
        SELECT e.body
        FROM webhook_deliveries d
        JOIN events e ON e.id = d.event_id
        WHERE d.webhook_id = $1
        ORDER BY d.created_at
        """,
        webhook_id,
    )
    found = [json.loads(row["body"]) for row in rows]
    return [(body["event"], body["subject"]) for body in found]


async def alerts(db: Db) -> Sequence[listing.Alert]:
    return await listing.alerts_before(db, None, Filter(), limit=100)


async def decisions(db: Db, subject: str = "fund-1", rule: str = "drawdown") -> list[Decision]:
    [alert] = [each for each in await alerts(db) if (each.subject, each.rule) == (subject, rule)]
    return [entry.decision for entry in await log_store.explain(db, alert.id)]


async def test_tenant_reads_what_was_found(db: Db, tenant: UUID, deep: Observation, now: datetime) -> None:
    outcome = await see(db, deep, at=now)

    [body] = await bodies(db)
    del body["id"]
    assert body == {
        "event": "performance.alert",
        "tenant_id": str(tenant),
        "timestamp": int(now.timestamp()),
        "check": "performance_threshold_check",
        "subject": "fund-1",
        "rule": "drawdown",
        "severity": "warning",
        "message": "The drawdown is 9 %.",
        "current_value": 9.0,
        "expected_value": 8.0,
        "details": {"mode": "trailing"},
    }
    assert outcome == Outcome({Step.FIRE: 1}, told=1)


async def test_end_is_told_once_with_the_severity_that_was_told(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, worse(deep), at=now)
    await see(db, well(deep), at=now + HOUR)
    await see(db, well(deep), at=now + 2 * HOUR)

    assert await said(db) == [("performance.alert", "critical"), ("performance.resolved", "critical")]


async def test_what_cannot_be_judged_leaves_an_alert_as_it_is(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)

    outcome = await see(db, replace(deep, sign=Sign.UNKNOWN), at=now + DAY)

    [alert] = await alerts(db)
    assert (outcome.steps, alert.state) == ({Step.NOTHING: 1}, "firing")


async def test_unchanged_alert_is_repeated_after_its_time_and_says_what_was_held_back(
    db: Db, deep: Observation, now: datetime
) -> None:
    for minutes in (0, 20, 59, 60):
        await see(db, deep, at=now + timedelta(minutes=minutes))

    first, second = await bodies(db)
    assert ("held_back" in first, second["held_back"], second["reminder"]) == (False, 2, True)


async def test_higher_severity_passes(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)
    await see(db, worse(deep), at=now + HOUR / 6)

    assert (await bodies(db))[1]["raised_from"] == "warning"
    assert await decisions(db) == [Decision.FIRED, Decision.SENT, Decision.RAISED, Decision.SENT]


async def test_occurrence_that_is_repeated_changes_nothing(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)
    [before] = await alerts(db)

    again = await see(db, deep, at=now + 2 * HOUR, as_of=now)

    assert (again, await alerts(db), len(await said(db))) == (Outcome({}, told=0), [before], 1)


async def test_occurrence_that_is_made_up_for_reopens_nothing(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)
    await see(db, well(deep), at=now + HOUR)

    late = await see(db, deep, at=now + 2 * HOUR, as_of=now + HOUR / 2)

    assert (late.told, [alert.state for alert in await alerts(db)]) == (0, ["resolved"])


async def test_critical_alert_mutes_warnings_of_its_subject(db: Db, deep: Observation, now: datetime) -> None:
    loss = replace(deep, rule="daily_loss")

    await see(db, loss, worse(deep), at=now)

    assert await said(db) == [("performance.alert", "critical")]
    assert await decisions(db, rule="daily_loss") == [Decision.FIRED, Decision.INHIBITED]


async def test_warning_is_told_once_what_muted_it_is_over(db: Db, deep: Observation, now: datetime) -> None:
    loss = replace(deep, rule="daily_loss")
    await see(db, loss, worse(deep), at=now)

    await see(db, loss, well(deep), at=now + DAY)

    told = {(body["event"], body["rule"]) for body in (await bodies(db))[1:]}
    assert told == {("performance.resolved", "drawdown"), ("performance.alert", "daily_loss")}


async def test_without_data_warnings_are_no_news(db: Db, deep: Observation, now: datetime) -> None:
    await pipeline.platform_trouble(db, MISSING_DATA, "returns", "No new returns.", now=now)

    outcome = await see(db, deep, at=now)

    assert (outcome.told, await decisions(db)) == (0, [Decision.FIRED, Decision.INHIBITED])


async def test_explanation_names_the_alert_behind_it(db: Db, deep: Observation, now: datetime) -> None:
    await pipeline.platform_trouble(db, MISSING_DATA, "returns", "No new returns.", now=now)
    await see(db, deep, at=now)

    [ours] = [each for each in await alerts(db) if each.check != "platform"]
    [cause] = [each for each in await alerts(db) if each.check == "platform"]
    assert (await log_store.explain(db, ours.id))[-1].cause_id == cause.id


async def test_dead_key_explains_what_its_account_shows(db: Db, tenant: UUID, deep: Observation, now: datetime) -> None:
    await factories.alert(db, tenant, subject="key-1", at=now)
    stale = replace(deep, depends_on="key-1")

    await see(db, stale, at=now)

    assert await decisions(db) == [Decision.FIRED, Decision.INHIBITED]


async def test_what_nobody_was_told_of_is_not_taken_back(
    db: Db, tenant: UUID, deep: Observation, now: datetime
) -> None:
    silence = Silence(new_id(), {"subject": ("fund-*",)}, "known", "ops", now, now, now + DAY)
    async with db.transaction() as tx:
        await silence_store.add(tx, silence)
    await see(db, deep, at=now)

    await see(db, well(deep), at=now + HOUR)

    assert (await said(db), (await alerts(db))[0].state) == ([], "resolved")


async def test_end_passes_a_silence(db: Db, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)
    silence = Silence(new_id(), {"subject": ("fund-*",)}, "known", "ops", now, now, now + DAY)
    async with db.transaction() as tx:
        await silence_store.add(tx, silence)

    await see(db, well(deep), at=now + HOUR)

    assert [event for event, _ in await said(db)] == ["performance.alert", "performance.resolved"]


async def test_what_comes_and_goes_is_over_after_a_calm_day(db: Db, deep: Observation, now: datetime) -> None:
    for hours in range(0, 18, 4):
        await see(db, deep, at=now + hours * HOUR)
        await see(db, well(deep), at=now + (hours + 2) * HOUR)
    flapping = (await bodies(db))[-1]
    still = (await alerts(db))[0].state

    await see(db, well(deep), at=now + 18 * HOUR + DAY)

    assert (flapping["event"], flapping["flapping"], still) == ("performance.alert", True, "firing")
    assert ((await bodies(db))[-1]["event"], (await alerts(db))[0].state) == ("performance.resolved", "resolved")


async def test_new_endpoint_hears_of_what_fires_and_of_its_end(
    db: Db, tenant: UUID, deep: Observation, now: datetime
) -> None:
    await see(db, deep, replace(deep, subject="fund-2"), at=now)
    await see(db, replace(well(deep), subject="fund-2"), at=now + HOUR)
    webhook_id = await factories.webhook(db, tenant)

    async with db.transaction() as tx:
        queued = await send_current_alerts(tx, tenant, webhook_id, now=now + HOUR)
    await see(db, well(deep), at=now + DAY)

    assert queued == 1
    assert await sent(db, webhook_id) == [("performance.alert", "fund-1"), ("performance.resolved", "fund-1")]


async def test_new_endpoint_reads_what_the_others_read(db: Db, tenant: UUID, deep: Observation, now: datetime) -> None:
    await see(db, deep, at=now)
    webhook_id = await factories.webhook(db, tenant)

    async with db.transaction() as tx:
        await send_current_alerts(tx, tenant, webhook_id, now=now)

    one, other = ({**body, "id": None} for body in await bodies(db))
    assert one == other


async def test_new_endpoint_hears_nothing_of_what_is_silenced(
    db: Db, tenant: UUID, deep: Observation, now: datetime
) -> None:
    await see(db, deep, at=now)
    silence = Silence(new_id(), {"subject": ("fund-*",)}, "known", "ops", now, now, now + DAY)
    async with db.transaction() as tx:
        await silence_store.add(tx, silence)
        queued = await send_current_alerts(tx, tenant, await factories.webhook(tx, tenant), now=now)

    assert queued == 0


async def test_nothing_is_kept_of_a_transaction_that_fails(db: Db, deep: Observation, now: datetime) -> None:
    async def broken() -> None:
        async with db.transaction() as tx:
            await observations.apply(tx, [deep], policy=POLICY, seen_at=now, now=now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()

    assert (await alerts(db), await said(db)) == ([], [])
