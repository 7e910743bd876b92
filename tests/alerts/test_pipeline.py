"""Findings become state and messages in one transaction; platform trouble is told once."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alertd.alerts import pipeline
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, restarted
from alertd.alerts.pipeline import Finding, Speech, platform_recovered, platform_trouble
from alertd.config import Notifier
from alertd.db import Db
from alertd.model import EventType, Severity
from alertd.webhooks import notifiers
from tests import factories

ONE_STRIKE = Policy(strikes=1, remind_every=timedelta(days=1))
THREE_STRIKES = replace(ONE_STRIKE, strikes=3)
HOUR = timedelta(hours=1)
FIRING = Memory(streak=1, alerting=True)


def speech(**options: bool) -> Speech:
    return Speech(
        fires=EventType.CREDENTIAL_FAILED,
        resolves=EventType.CREDENTIAL_RECOVERED,
        fields=lambda step, before, after: {"step": str(step), "streak": after.streak},
        window=HOUR,
        **options,
    )


@pytest.fixture
async def finding(db: Db) -> Finding:
    tenant_id = await factories.tenant(db)
    return Finding(Identity(tenant_id, "check", "subject", "rule"), Sign.BAD, Severity.CRITICAL)


async def apply(
    db: Db, finding: Finding, memory: Memory, now: datetime, *, policy: Policy = ONE_STRIKE, **options: bool
) -> pipeline.Applied:
    async with db.transaction() as tx:
        return await pipeline.apply(tx, finding, memory, policy=policy, speech=speech(**options), now=now)


async def decisions(db: Db) -> list[str]:
    return [row["decision"] for row in await db.fetch("SELECT decision FROM alert_log ORDER BY id")]


async def count(db: Db, table: str) -> int:
    return int(await db.fetchval(f"SELECT count(*) FROM {table}"))


async def test_nothing_is_kept_of_a_transaction_that_fails(db: Db, finding: Finding, now: datetime) -> None:
    async def broken() -> None:
        async with db.transaction() as tx:
            await pipeline.apply(tx, finding, Memory(), policy=ONE_STRIKE, speech=speech(), now=now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()

    assert (await count(db, "alerts"), await count(db, "events")) == (0, 0)


async def test_an_announcement_that_every_receiver_gave_up_is_repeated(db: Db, finding: Finding, now: datetime) -> None:
    tenant_id = finding.identity.tenant_id
    assert tenant_id is not None
    await factories.webhook(db, tenant_id)
    first = await apply(db, finding, Memory(), now)
    await db.execute("UPDATE webhook_deliveries SET state = 'failed', finished_at = $1", now)

    again = await apply(db, finding, first.memory, now + HOUR)

    assert (first.step, again.step, await count(db, "events")) == (Step.FIRE, Step.FIRE, 2)


async def test_an_announcement_without_a_receiver_is_not_repeated(db: Db, finding: Finding, now: datetime) -> None:
    first = await apply(db, finding, Memory(), now)

    again = await apply(db, finding, first.memory, now + HOUR)

    assert (again.step, await count(db, "events")) == (Step.NOTHING, 1)


async def test_what_was_never_said_is_not_taken_back(db: Db, finding: Finding, now: datetime) -> None:
    quiet = await apply(db, finding, Memory(), now, aloud=False)
    good = Finding(finding.identity, Sign.GOOD, Severity.CRITICAL)

    ended = await apply(db, good, quiet.memory, now + HOUR)

    assert (ended.step, ended.event_id, await count(db, "events")) == (Step.RESOLVE, None, 0)


async def test_two_episodes_are_two_alerts(db: Db, finding: Finding, now: datetime) -> None:
    good = Finding(finding.identity, Sign.GOOD, Severity.CRITICAL)

    for hours, seen in enumerate((finding, good, finding)):
        memory = FIRING if seen is good else Memory()
        await apply(db, seen, memory, now + hours * HOUR)

    states = [row["state"] for row in await db.fetch("SELECT state FROM alerts ORDER BY started_at")]
    assert states == ["resolved", "firing"]


async def test_identity_is_not_severity(db: Db, finding: Finding, now: datetime) -> None:
    await apply(db, finding, Memory(), now)
    louder = Finding(finding.identity, Sign.BAD, Severity.EMERGENCY)
    await apply(db, louder, Memory(), now + HOUR)

    assert [row["severity"] for row in await db.fetch("SELECT severity FROM alerts")] == ["emergency"]


async def test_alert_is_pending_until_it_was_seen_often_enough(db: Db, finding: Finding, now: datetime) -> None:
    memory, states = Memory(), []
    for hours in range(3):
        memory = (await apply(db, finding, memory, now + hours * HOUR, policy=THREE_STRIKES)).memory
        states.append(await db.fetchrow("SELECT state, streak, started_at, fired_at FROM alerts"))

    assert [tuple(state) for state in states] == [
        ("pending", 1, now, None),
        ("pending", 2, now, None),
        ("firing", 3, now, now + 2 * HOUR),
    ]
    assert await decisions(db) == ["pending", "fired", "unwanted"]


async def test_what_was_over_before_it_fired_was_never_told(db: Db, finding: Finding, now: datetime) -> None:
    seen = await apply(db, finding, Memory(), now, policy=THREE_STRIKES)

    ended = await apply(db, replace(finding, sign=Sign.GOOD), seen.memory, now + HOUR, policy=THREE_STRIKES)

    row = await db.fetchrow("SELECT state, fired_at, resolved_at FROM alerts")
    assert (ended.step, tuple(row)) == (Step.SUBSIDE, ("resolved", None, now + HOUR))
    assert (await decisions(db), await count(db, "events")) == (["pending", "subsided"], 0)


async def test_pending_alert_ends_with_the_secret_that_it_was_about(db: Db, finding: Finding, now: datetime) -> None:
    seen = await apply(db, finding, Memory(), now, policy=THREE_STRIKES)
    unclear = replace(finding, sign=Sign.UNKNOWN)

    await apply(db, unclear, restarted(seen.memory), now + HOUR, policy=THREE_STRIKES)

    assert await decisions(db) == ["pending", "subsided"]


async def test_alert_that_fires_is_kept_up_to_date_in_silence(db: Db, finding: Finding, now: datetime) -> None:
    first = await apply(db, finding, Memory(), now)

    await apply(db, replace(finding, details={"reason": "expired"}), first.memory, now + HOUR)

    row = await db.fetchrow("SELECT details, last_seen_at, streak FROM alerts")
    assert tuple(row) == ({"reason": "expired"}, now + HOUR, 2)


async def test_platform_trouble_goes_to_those_who_hear_of_its_severity(db: Db, now: datetime) -> None:
    wanted = [
        Notifier(name=str(severity), url="json://127.0.0.1", min_severity=severity)
        for severity in (Severity.WARNING, Severity.CRITICAL)
    ]
    async with db.transaction() as tx:
        await notifiers.sync(tx, wanted, channel="apprise", now=now)

    await platform_trouble(db, "unknown_answer", "okx", "?", now=now, severity=Severity.WARNING)
    await platform_trouble(db, "secret_store", "vault", "sealed", now=now)

    rows = await db.fetch(
        """
        SELECT w.webhook_url, d.subject
        FROM webhook_deliveries d
        JOIN tenant_webhooks w ON w.id = d.webhook_id
        ORDER BY w.webhook_url, d.subject
        """
    )
    assert [tuple(row) for row in rows] == [
        ("critical", "secret_store:vault"),
        ("warning", "secret_store:vault"),
        ("warning", "unknown_answer:okx"),
    ]


async def test_platform_trouble_that_two_notice_at_once_is_told_once(db: Db, now: datetime) -> None:
    opened = await asyncio.gather(*(platform_trouble(db, "secret_store", "vault", "sealed", now=now) for _ in range(4)))

    assert (sum(opened), await count(db, "events")) == (1, 1)


async def test_platform_trouble_is_told_once_for_each_episode(db: Db, now: datetime) -> None:
    told = [
        await platform_trouble(db, "secret_store", "vault", "sealed", now=now),
        await platform_trouble(db, "secret_store", "vault", "sealed", now=now + HOUR),
        await platform_recovered(db, "secret_store", "vault", "back", now=now + HOUR),
        await platform_recovered(db, "secret_store", "vault", "back", now=now + HOUR),
        await platform_trouble(db, "secret_store", "vault", "sealed", now=now + 2 * HOUR),
    ]

    assert (told, await count(db, "events")) == ([True, False, True, False, True], 3)


async def test_trouble_without_an_end_is_told_again_after_its_time(db: Db, now: datetime) -> None:
    day = timedelta(days=1)
    told = [
        await platform_trouble(db, "unknown_answer", "okx", "?", now=now + hours * HOUR, again_after=day)
        for hours in (0, 23, 24)
    ]

    assert told == [True, False, True]


def test_a_fingerprint_separates_its_parts() -> None:
    one = Identity(None, "ab", "c", "d")
    other = Identity(None, "a", "bc", "d")

    assert one.fingerprint != other.fingerprint
    assert Identity(None, "ab", "c", "d").fingerprint == one.fingerprint
