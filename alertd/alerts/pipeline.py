"""One finding becomes new state, perhaps an event, and its deliveries, inside the caller's transaction.

Nothing is announced that was not stored and nothing is stored that is not announced, because both
are the same commit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alertd.alerts import store
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, advance
from alertd.alerts.store import Identity, OpenAlert
from alertd.db import Db, Tx
from alertd.model import Event, EventType, Severity
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

PLATFORM_CHECK = "platform"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at one subject said. `details` are stored with the alert, JSON values only."""

    identity: Identity
    sign: Sign
    severity: Severity
    details: Mapping[str, Any] = field(default_factory=dict)
    check_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """How an alert is worded and how often.

    `fields(step, before, after)` are the event's own fields. `window` allows one message of a type
    for each subject in that time. `aloud` False records everything and tells nobody; `held` makes
    messages wait for a person.
    """

    fires: EventType
    resolves: EventType
    fields: Callable[[Step, Memory, Memory], Mapping[str, Any]]
    window: timedelta | None = None
    aloud: bool = True
    held: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did; `event_id` is None where nothing was said."""

    memory: Memory
    step: Step
    event_id: str | None = None


async def apply(tx: Tx, finding: Finding, memory: Memory, *, policy: Policy, speech: Speech, now: datetime) -> Applied:
    """Advance the subject's memory by one finding and queue what people should hear of it."""
    alert = await store.find_open(tx, finding.identity) if memory.alerting else None
    before = replace(memory, announced_at=await _heard_at(tx, alert))
    after, step = advance(before, finding.sign, policy, now)
    match step:
        case Step.NOTHING:
            return Applied(after, step)
        case Step.FIRE | Step.REMIND:
            alert = await store.fire(
                tx,
                finding.identity,
                severity=finding.severity,
                details=finding.details,
                began_at=after.first_bad_at or now,
                now=now,
            )
        case Step.RESOLVE:
            if alert is None:
                return Applied(after, Step.NOTHING)
            await store.resolve(tx, alert.id, now)
            if alert.announced_at is None:
                return Applied(after, step)
    if not speech.aloud:
        return Applied(after, step)
    return Applied(after, step, await _say(tx, finding, alert, step, speech, before, after, now))


async def _heard_at(tx: Tx, alert: OpenAlert | None) -> datetime | None:
    """When people last heard of it; None when the last message was given up on by every receiver."""
    if alert is None or alert.last_event_id is None:
        return None
    if await outbox.announcement_failed(tx, alert.last_event_id):
        return None
    return alert.announced_at


async def _say(
    tx: Tx,
    finding: Finding,
    alert: OpenAlert,
    step: Step,
    speech: Speech,
    before: Memory,
    after: Memory,
    now: datetime,
) -> str:
    resolving = step is Step.RESOLVE
    event = Event(
        id=new_event_id(now),
        type=speech.resolves if resolving else speech.fires,
        tenant_id=finding.identity.tenant_id,
        at=now,
        subject=finding.identity.subject,
        fields=speech.fields(step, before, after),
        check_id=finding.check_id,
        alert_id=alert.id,
    )
    window = None if resolving else speech.window
    await outbox.enqueue(tx, event, now=now, window=window, held=speech.held and not resolving)
    await store.announced(tx, alert.id, event.id, now)
    return event.id


async def platform_trouble(
    db: Db, rule: str, subject: str, message: str, *, now: datetime, again_after: timedelta | None = None
) -> bool:
    """Tell operators of trouble that is ours, once for each episode; True if this call opened it.

    `again_after` is for trouble that nobody sees the end of: it is told anew after that time.
    """
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    async with db.transaction() as tx:
        open_alert = await store.find_open(tx, identity)
        if open_alert is not None:
            told_at = open_alert.announced_at
            if again_after is None or (told_at is not None and now - told_at < again_after):
                return False
            await store.resolve(tx, open_alert.id, now)
        alert = await store.fire(
            tx,
            identity,
            severity=Severity.CRITICAL,
            details={"message": message},
            began_at=now,
            now=now,
        )
        await _tell_operators(tx, identity, alert, message, "firing", now)
    return True


async def platform_recovered(db: Db, rule: str, subject: str, message: str, *, now: datetime) -> bool:
    """Close the episode and say so; False if there was none."""
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    async with db.transaction() as tx:
        alert = await store.find_open(tx, identity)
        if alert is None:
            return False
        await store.resolve(tx, alert.id, now)
        await _tell_operators(tx, identity, alert, message, "resolved", now)
    return True


async def _tell_operators(
    tx: Tx, identity: Identity, alert: OpenAlert, message: str, state: str, now: datetime
) -> None:
    event = Event(
        id=new_event_id(now),
        type=EventType.SYSTEM_ALERT,
        tenant_id=None,
        at=now,
        subject=f"{identity.rule}:{identity.subject}",
        fields={"rule": identity.rule, "subject": identity.subject, "state": state, "message": message},
        alert_id=alert.id,
    )
    await outbox.enqueue(tx, event, now=now, window=None)
    await store.announced(tx, alert.id, event.id, now)
