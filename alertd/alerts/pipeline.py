"""One finding becomes new state, perhaps an event, and its deliveries, inside the caller's transaction.

Nothing is announced that was not stored and nothing is stored that is not announced, because both
are the same commit. Every decision on the way is written down too, for whoever asks why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alertd import metrics
from alertd.alerts import log_store, silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, advance
from alertd.alerts.silences import Labels, labels_of
from alertd.alerts.store import Identity, OpenAlert
from alertd.db import Db, Tx
from alertd.model import Event, EventType, Severity
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

PLATFORM_CHECK = "platform"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at one subject said. `details` are stored with the alert, JSON values only.

    `exchange` is no part of the identity; silences match by it.
    """

    identity: Identity
    sign: Sign
    severity: Severity
    details: Mapping[str, Any] = field(default_factory=dict)
    check_id: UUID | None = None
    exchange: str | None = None

    @property
    def labels(self) -> Labels:
        identity = self.identity
        return labels_of(identity.tenant_id, identity.check, identity.subject, self.exchange)


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
    after, step = advance(before, finding.sign, _policy(policy, alert), now)
    match step:
        case Step.NOTHING:
            return Applied(after, step)
        case Step.FIRE | Step.REMIND:
            alert = await _fire(tx, finding, began_at=after.first_bad_at or now, now=now)
            if await _kept_quiet(tx, alert, finding.labels, aloud=speech.aloud, now=now):
                return Applied(replace(after, announced_at=before.announced_at), step)
            await _give_reason(tx, alert, step, now)
        case Step.RESOLVE:
            if alert is None:
                return Applied(after, Step.NOTHING)
            await _resolve(tx, alert, now)
            if alert.announced_at is None or not speech.aloud:
                return Applied(after, step)
    return Applied(after, step, await _say(tx, finding, alert, step, speech, before, after, now))


def _policy(policy: Policy, alert: OpenAlert | None) -> Policy:
    """Whoever acknowledged an alert need not be reminded of it."""
    return replace(policy, remind_every=None) if alert is not None and alert.acked else policy


async def _fire(tx: Tx, finding: Finding, *, began_at: datetime, now: datetime) -> OpenAlert:
    alert = await store.fire(
        tx,
        finding.identity,
        severity=finding.severity,
        details=finding.details,
        exchange=finding.exchange,
        began_at=began_at,
        now=now,
    )
    if alert.opened:
        await log_store.note(tx, alert.id, Decision.FIRED, now=now)
    return alert


async def _resolve(tx: Tx, alert: OpenAlert, now: datetime) -> None:
    await store.resolve(tx, alert.id, now)
    await log_store.note(tx, alert.id, Decision.RESOLVED, now=now)


async def _kept_quiet(tx: Tx, alert: OpenAlert, labels: Labels, *, aloud: bool, now: datetime) -> bool:
    """Whether nobody is to hear of this alert now; then the message that was due is counted."""
    if not aloud:
        await log_store.note(tx, alert.id, Decision.MUTED, now=now)
        return True
    silence = await silence_store.holding(tx, labels, now)
    if silence is None:
        return False
    await store.hold(tx, alert.id)
    await log_store.note(tx, alert.id, Decision.SILENCED, silence_id=silence.id, now=now)
    metrics.SUPPRESSED.labels(kind="silence").inc()
    return True


async def _give_reason(tx: Tx, alert: OpenAlert, step: Step, now: datetime) -> None:
    """Why there is a message about an alert that people were told of before."""
    if step is Step.REMIND:
        await log_store.note(tx, alert.id, Decision.REMINDED, now=now)
    elif alert.announced_at is not None:
        await log_store.note(tx, alert.id, Decision.UNHEARD, now=now)


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
    await _queue(tx, alert, event, window=window, held=speech.held and not resolving, now=now)
    return event.id


async def _queue(
    tx: Tx, alert: OpenAlert, event: Event, *, window: timedelta | None = None, held: bool = False, now: datetime
) -> None:
    if alert.held_count:
        event = replace(event, fields={**event.fields, "held_back": alert.held_count})
    await outbox.enqueue(tx, event, now=now, window=window, held=held)
    await store.announced(tx, alert.id, event.id, now)
    await log_store.note_deliveries(tx, alert.id, event.id, now)


async def platform_trouble(
    db: Db, rule: str, subject: str, message: str, *, now: datetime, again_after: timedelta | None = None
) -> bool:
    """Tell operators of trouble that is ours, once for each episode; True if this call opened it.

    `again_after` is for trouble that nobody sees the end of: it is told anew after that time.
    """
    finding = _trouble(rule, subject, message)
    async with db.transaction() as tx:
        known = await store.find_open(tx, finding.identity)
        if known is not None and known.announced_at is not None:
            if again_after is None or now - known.announced_at < again_after:
                return False
            await _resolve(tx, known, now)
        alert = await _fire(tx, finding, began_at=now, now=now)
        if not await _kept_quiet(tx, alert, finding.labels, aloud=True, now=now):
            await _tell_operators(tx, finding.identity, alert, message, "firing", now)
    return alert.opened


async def platform_recovered(db: Db, rule: str, subject: str, message: str, *, now: datetime) -> bool:
    """Close the episode and say so; False if there was none."""
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    async with db.transaction() as tx:
        alert = await store.find_open(tx, identity)
        if alert is None:
            return False
        await _resolve(tx, alert, now)
        if alert.announced_at is not None:
            await _tell_operators(tx, identity, alert, message, "resolved", now)
    return True


def _trouble(rule: str, subject: str, message: str) -> Finding:
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    return Finding(identity, Sign.BAD, Severity.CRITICAL, {"message": message})


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
    await _queue(tx, alert, event, now=now)
