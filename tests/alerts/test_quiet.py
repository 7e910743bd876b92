"""Silenced and acknowledged alerts: recorded, not told, and every decision about them written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from alertd.alerts import listing, log_store, pipeline, silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step
from alertd.alerts.listing import Filter
from alertd.alerts.pipeline import Finding, Speech, platform_recovered, platform_trouble
from alertd.alerts.silences import MAX_SILENCES, Matchers, Silence
from alertd.db import Db, new_id
from alertd.errors import Refused
from alertd.model import EventType, Severity
from tests import factories

HOUR = timedelta(hours=1)
POLICY = Policy(strikes=1, remind_every=2 * HOUR)
OKX: Matchers = {"exchange": ("okx",)}


@pytest.fixture
async def finding(db: Db) -> Finding:
    tenant_id = await factories.tenant(db)
    await factories.webhook(db, tenant_id)
    return Finding(Identity(tenant_id, "check", "subject", "rule"), Sign.BAD, Severity.CRITICAL, exchange="okx")


def good(finding: Finding) -> Finding:
    return Finding(finding.identity, Sign.GOOD, Severity.CRITICAL, exchange="okx")


def speech(*, window: timedelta | None = None, aloud: bool = True, held: bool = False) -> Speech:
    return Speech(
        fires=EventType.CREDENTIAL_FAILED,
        resolves=EventType.CREDENTIAL_RECOVERED,
        fields=lambda step, before, after: {"step": str(step)},
        window=window,
        aloud=aloud,
        held=held,
    )


async def see(db: Db, finding: Finding, memory: Memory, at: datetime, spoken: Speech | None = None) -> pipeline.Applied:
    async with db.transaction() as tx:
        return await pipeline.apply(tx, finding, memory, policy=POLICY, speech=spoken or speech(), now=at)


async def silenced(db: Db, now: datetime, *, matchers: Matchers = OKX, lasts: timedelta = HOUR) -> UUID:
    silence = Silence(new_id(), matchers, "maintenance", "ops", now, now, now + lasts)
    async with db.transaction() as tx:
        await silence_store.add(tx, silence)
    return silence.id


async def said(db: Db) -> list[str]:
    rows = await db.fetch("SELECT convert_from(body, 'utf8')::json ->> 'step' AS step FROM events ORDER BY id")
    return [row["step"] for row in rows]


async def alert(db: Db) -> listing.Alert:
    [found] = await listing.alerts_before(db, None, Filter(), limit=2)
    return found


async def decisions(db: Db) -> Sequence[Decision]:
    return [entry.decision for entry in await log_store.explain(db, (await alert(db)).id)]


async def acknowledge(db: Db, now: datetime) -> bool:
    return await store.acknowledge(db, (await alert(db)).id, by="ops", comment="on it", now=now)


async def test_silenced_alert_fires_and_nobody_hears(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now)

    applied = await see(db, finding, Memory(), now)

    found = await alert(db)
    assert (applied.step, applied.event_id, applied.memory.alerting) == (Step.FIRE, None, True)
    assert (found.state, found.announced_at, found.held_count, await said(db)) == ("firing", None, 1, [])


async def test_alert_of_another_exchange_is_heard(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now, matchers={"exchange": ("kraken",)})

    await see(db, finding, Memory(), now)

    assert await said(db) == ["fire"]


async def test_after_the_silence_the_next_finding_is_announced(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now)
    first = await see(db, finding, Memory(), now)

    again = await see(db, finding, first.memory, now + HOUR)

    assert (again.step, (await alert(db)).held_count, await said(db)) == (Step.FIRE, 0, ["fire"])


async def test_message_after_a_silence_says_how_many_were_held_back(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now)
    first = await see(db, finding, Memory(), now)
    second = await see(db, finding, first.memory, now + HOUR / 2)

    await see(db, finding, second.memory, now + HOUR)

    held = await db.fetchval("SELECT convert_from(body, 'utf8')::json ->> 'held_back' FROM events")
    assert held == "2"


async def test_reminder_waits_for_the_end_of_the_silence(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await silenced(db, now + HOUR, lasts=2 * HOUR)
    second = await see(db, finding, first.memory, now + 2 * HOUR)
    heard_in_silence = await said(db)

    await see(db, finding, second.memory, now + 3 * HOUR)

    assert (heard_in_silence, await said(db)) == (["fire"], ["fire", "remind"])


async def test_resolved_passes_a_silence_if_firing_was_heard(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await silenced(db, now)

    await see(db, good(finding), first.memory, now + HOUR / 2)

    assert await said(db) == ["fire", "resolve"]


async def test_what_began_and_ended_in_silence_is_never_heard_of(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now)
    first = await see(db, finding, Memory(), now)

    ended = await see(db, good(finding), first.memory, now + HOUR)

    assert (ended.step, await said(db)) == (Step.RESOLVE, [])


async def test_silence_that_a_person_ended_holds_no_longer(db: Db, finding: Finding, now: datetime) -> None:
    silence_id = await silenced(db, now)
    await silence_store.expire(db, silence_id, by="ops", now=now)

    await see(db, finding, Memory(), now)

    assert await said(db) == ["fire"]


async def test_platform_trouble_can_be_silenced_and_is_told_afterwards(db: Db, now: datetime) -> None:
    await silenced(db, now, matchers={"check": ("platform",)})

    opened = [
        await platform_trouble(db, "secret_store", "vault", "sealed", now=now + minutes * HOUR / 60)
        for minutes in (0, 30, 60, 90)
    ]

    assert (opened, len(await said(db))) == ([True, False, False, False], 1)
    assert await decisions(db) == [Decision.FIRED, Decision.SILENCED, Decision.UNWANTED]


async def test_platform_trouble_that_ended_in_silence_is_not_told(db: Db, now: datetime) -> None:
    await silenced(db, now, matchers={"check": ("platform",)})
    await platform_trouble(db, "secret_store", "vault", "sealed", now=now)

    closed = await platform_recovered(db, "secret_store", "vault", "back", now=now)

    assert (closed, await said(db)) == (True, [])


async def test_acknowledged_alert_is_not_reminded_of(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await acknowledge(db, now)

    again = await see(db, finding, first.memory, now + 3 * HOUR)

    assert (again.step, await said(db)) == (Step.NOTHING, ["fire"])


async def test_end_of_an_acknowledged_alert_is_told(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await acknowledge(db, now)

    await see(db, good(finding), first.memory, now + HOUR)

    assert await said(db) == ["fire", "resolve"]


async def test_next_episode_is_not_acknowledged(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await acknowledge(db, now)
    ended = await see(db, good(finding), first.memory, now + HOUR)
    second = await see(db, finding, ended.memory, now + 2 * HOUR)

    again = await see(db, finding, second.memory, now + 4 * HOUR)

    assert again.step is Step.REMIND


async def test_only_the_first_acknowledgement_counts(db: Db, finding: Finding, now: datetime) -> None:
    await see(db, finding, Memory(), now)

    assert [await acknowledge(db, now), await acknowledge(db, now)] == [True, False]


async def test_log_has_every_decision_in_order(db: Db, finding: Finding, now: datetime) -> None:
    await silenced(db, now)
    first = await see(db, finding, Memory(), now)
    second = await see(db, finding, first.memory, now + HOUR)
    third = await see(db, finding, second.memory, now + 3 * HOUR)

    await see(db, good(finding), third.memory, now + 4 * HOUR)

    assert await decisions(db) == [
        Decision.FIRED,
        Decision.SILENCED,
        Decision.SENT,
        Decision.REMINDED,
        Decision.SENT,
        Decision.RESOLVED,
        Decision.SENT,
    ]


async def test_repeated_silencing_is_counted_in_one_row(db: Db, finding: Finding, now: datetime) -> None:
    silence_id = await silenced(db, now)
    first = await see(db, finding, Memory(), now)
    await see(db, finding, first.memory, now + HOUR / 2)

    entry = (await log_store.explain(db, (await alert(db)).id))[-1]

    assert (entry.silence_id, entry.repeats, entry.at, entry.last_at) == (silence_id, 2, now, now + HOUR / 2)
    assert (entry.actor, entry.comment, entry.silenced_until) == ("ops", "maintenance", now + HOUR)


@pytest.mark.parametrize(
    ("spoken", "decision"),
    [
        (speech(held=True), Decision.HELD),
        (speech(aloud=False), Decision.MUTED),
        (speech(window=HOUR), Decision.SENT),
    ],
)
async def test_log_says_how_the_message_waits(
    db: Db, finding: Finding, now: datetime, spoken: Speech, decision: Decision
) -> None:
    await see(db, finding, Memory(), now, spoken)

    assert await decisions(db) == [Decision.FIRED, decision]


async def test_log_says_that_the_window_put_it_off(db: Db, finding: Finding, now: datetime) -> None:
    spoken = speech(window=6 * HOUR)
    first = await see(db, finding, Memory(), now, spoken)

    await see(db, finding, first.memory, now + 2 * HOUR, spoken)

    assert (await decisions(db))[-2:] == [Decision.REMINDED, Decision.PUT_OFF]


async def test_log_says_that_an_endpoint_is_switched_off(db: Db, finding: Finding, now: datetime) -> None:
    await db.execute("UPDATE tenant_webhooks SET is_active = false")

    await see(db, finding, Memory(), now)

    assert await decisions(db) == [Decision.FIRED, Decision.PARKED]


async def test_log_says_that_the_first_message_reached_nobody(db: Db, finding: Finding, now: datetime) -> None:
    first = await see(db, finding, Memory(), now)
    await db.execute("UPDATE webhook_deliveries SET state = 'failed', finished_at = $1", now)

    await see(db, finding, first.memory, now + HOUR)

    assert (await decisions(db))[-2:] == [Decision.UNHEARD, Decision.SENT]


async def test_explanation_says_how_the_endpoint_answered(db: Db, finding: Finding, now: datetime) -> None:
    await see(db, finding, Memory(), now)
    await db.execute("UPDATE webhook_deliveries SET state = 'delivered', attempts = 1, finished_at = $1", now)
    await db.execute(
        """
        INSERT INTO webhook_delivery_log (id, delivery_id, webhook_id, event_type, attempt, lease_id, started_at,
                                          finished_at, outcome, status_code, duration_ms)
        SELECT gen_random_uuid(), id, webhook_id, event_type, 1, gen_random_uuid(), $1, $1, 'success', 200, 41
        FROM webhook_deliveries
        """,
        now,
    )

    entry = (await log_store.explain(db, (await alert(db)).id))[-1]

    assert entry.text.endswith("; it was accepted, attempt 1: status 200 in 41 ms.")


async def test_silences_that_are_not_over_have_a_number(db: Db, now: datetime) -> None:
    await db.execute(
        """
        INSERT INTO silences (id, matchers, comment, created_by, created_at, starts_at, ends_at)
        SELECT gen_random_uuid(), '{}', 'x', 'x', $1, $1, $2
        FROM generate_series(1, $3)
        """,
        now,
        now + HOUR,
        MAX_SILENCES,
    )

    with pytest.raises(Refused, match="expire some"):
        await silenced(db, now)


async def test_alerts_are_covered_beyond_those_that_are_shown(
    db: Db, finding: Finding, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PORTION", 2)
    tenant_id = finding.identity.tenant_id
    for number in range(5):
        one = Finding(Identity(tenant_id, "check", f"{number}", "rule"), Sign.BAD, Severity.CRITICAL, exchange="okx")
        await see(db, one, Memory(), now + number * HOUR)

    covered = await listing.covered(db, {"exchange": ("o*",)}, shown=3)

    assert (covered.count, [found.subject for found in covered.newest]) == (5, ["4", "3", "2"])
