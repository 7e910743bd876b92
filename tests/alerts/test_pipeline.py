"""Findings become state and messages in one transaction; platform trouble is told once."""

from datetime import datetime, timedelta

import pytest

from alertd.alerts import pipeline
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step
from alertd.alerts.pipeline import Finding, Speech, platform_recovered, platform_trouble
from alertd.db import Db
from alertd.model import EventType, Severity
from tests import factories

ONE_STRIKE = Policy(strikes=1, remind_every=timedelta(days=1))
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


async def apply(db: Db, finding: Finding, memory: Memory, now: datetime, **options: bool) -> pipeline.Applied:
    async with db.transaction() as tx:
        return await pipeline.apply(tx, finding, memory, policy=ONE_STRIKE, speech=speech(**options), now=now)


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
