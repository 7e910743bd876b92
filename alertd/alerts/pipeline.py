"""One finding becomes new state, perhaps an event, and its deliveries, inside the caller's transaction.

Nothing is announced that was not stored and nothing is stored that is not announced, because both
are the same commit. Every decision on the way is written down too, for whoever asks why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from alertd.alerts import log_store, store, telling
from alertd.alerts.explanation import Decision
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, advance
from alertd.alerts.platform import platform_recovered, platform_trouble
from alertd.alerts.quiet import Quiet, Surroundings, kept_quiet
from alertd.alerts.silences import Labels, labels_of
from alertd.alerts.store import OpenAlert
from alertd.db import Tx
from alertd.model import Event, EventType, Severity
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

__all__ = ["Applied", "Finding", "Speech", "apply", "platform_recovered", "platform_trouble"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at one subject said. `details` are stored with the alert, JSON values only.

    `exchange` is no part of the identity; silences match by it. `topic` orders messages, by itself the
    identity's subject. `depends_on` is the subject of another alert that would explain this one.
    `seen_at` is as of when it was found, by itself now.
    """

    identity: Identity
    sign: Sign
    severity: Severity
    details: Mapping[str, Any] = field(default_factory=dict)
    check_id: UUID | None = None
    exchange: str | None = None
    topic: str | None = None
    depends_on: str | None = None
    seen_at: datetime | None = None

    @property
    def labels(self) -> Labels:
        identity = self.identity
        return labels_of(identity.tenant_id, identity.check, identity.subject, self.exchange)


@dataclass(frozen=True, slots=True)
class Speech:
    """How an alert is worded and how often.

    `fields(step, before, after)` are the event's own fields. `window` allows one message of a type
    for each subject in that time. `aloud` False records everything and tells nobody; `held` makes
    messages wait for a person; `operators` tells them too, soon after.
    """

    fires: EventType
    resolves: EventType
    fields: Callable[[Step, Memory, Memory], Mapping[str, Any]]
    window: timedelta | None = None
    aloud: bool = True
    held: bool = False
    operators: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did; `event_id` is None where nothing was said."""

    memory: Memory
    step: Step
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One finding with all that decides about it; `known` is its open alert, locked."""

    tx: Tx
    finding: Finding
    policy: Policy
    speech: Speech
    now: datetime
    known: OpenAlert | None
    around: Surroundings


def _remembered(alert: OpenAlert | None) -> Memory:
    """The memory of a subject that has none but its alert."""
    if alert is None:
        return Memory()
    return Memory(streak=alert.streak, first_bad_at=alert.started_at, alerting=not alert.pending)


async def apply(
    tx: Tx,
    finding: Finding,
    memory: Memory | None,
    *,
    policy: Policy,
    speech: Speech,
    now: datetime,
    around: Surroundings | None = None,
) -> Applied:
    """Advance the subject's memory by one finding and queue what people should hear of it.

    `memory` None: the alert is all that remembers. `around` spares who applies many findings the same
    look at silences for each.
    """
    known = await store.find_open(tx, finding.identity)
    case = _Case(tx, finding, policy, speech, now, known, around or Surroundings(tx, now))
    before = await _before(case, _remembered(known) if memory is None else memory)
    after, step = advance(before, finding.sign, finding.severity, policy=policy, now=now)
    match step:
        case Step.NOTHING:
            await _keep(case, after)
        case Step.WAIT:
            await _wait(case, after)
        case Step.FIRE | Step.RAISE | Step.REMIND:
            return await _fire(case, step, before, after)
        case Step.HOLD:
            await _hold(case, after)
        case Step.CALM:
            await _calm(case, after)
        case Step.SUBSIDE:
            await _subside(case)
        case Step.RESOLVE:
            return await _resolve(case, before, after)
        case _:
            assert_never(step)
    return Applied(after, step)


async def _before(case: _Case, memory: Memory) -> Memory:
    """The memory with what the alert knows of its messages; unheard if every receiver gave the last one up."""
    alert = case.known
    if alert is None or not memory.alerting:
        return replace(memory, announced_at=None)
    return replace(
        memory,
        announced_at=await telling.heard_at(case.tx, alert),
        told=alert.told,
        acked=alert.acked,
        flapping=alert.flapping,
        good_since=alert.good_since,
    )


async def _put(case: _Case, after: Memory, *, firing: bool) -> OpenAlert:
    finding = case.finding
    return await store.put(
        case.tx,
        finding.identity,
        firing=firing,
        severity=finding.severity,
        details=finding.details,
        exchange=finding.exchange,
        streak=after.streak,
        began_at=after.first_bad_at or case.now,
        seen_at=finding.seen_at,
        now=case.now,
    )


async def _keep(case: _Case, after: Memory) -> None:
    """Nothing to say. What fires is brought up to date, and what is pending ends with its streak."""
    if case.known is None:
        return
    if case.known.pending and after.streak == 0:
        await _subside(case)
    elif case.finding.sign is Sign.BAD:
        await _put(case, after, firing=True)


async def _wait(case: _Case, after: Memory) -> None:
    alert = await _put(case, after, firing=False)
    if alert.opened:
        await log_store.note(case.tx, alert.id, Decision.PENDING, now=case.now)


async def _subside(case: _Case) -> None:
    if case.known is not None and case.known.pending:
        await store.resolve(case.tx, case.known.id, case.now, seen_at=case.finding.seen_at)
        await log_store.note(case.tx, case.known.id, Decision.SUBSIDED, now=case.now)


async def _hold(case: _Case, after: Memory) -> None:
    alert = await _put(case, after, firing=True)
    await telling.keep_quiet(case.tx, alert.id, Quiet(Decision.REPEATED), now=case.now)


async def _calm(case: _Case, after: Memory) -> None:
    if case.known is not None:
        await store.calm(
            case.tx, case.known.id, since=after.good_since or case.now, seen_at=case.finding.seen_at or case.now
        )


async def _fire(case: _Case, step: Step, before: Memory, after: Memory) -> Applied:
    tx, finding, now = case.tx, case.finding, case.now
    alert = await _put(case, after, firing=True)
    if alert.opened or (case.known is not None and case.known.pending):
        alert = await _opened(case, alert)
    quiet = await kept_quiet(
        case.around,
        finding.identity,
        finding.labels,
        finding.severity,
        depends_on=finding.depends_on,
        aloud=case.speech.aloud,
    )
    if quiet is not None:
        await telling.keep_quiet(tx, alert.id, quiet, now=now)
        return Applied(replace(after, announced_at=before.announced_at, told=before.told), step)
    await _give_reason(case, alert, step)
    after = replace(after, flapping=alert.flapping)
    event_id = await _say(case, alert, step, before, after)
    case.around.note_told(alert.id, finding.identity, finding.severity)
    return Applied(after, step, event_id)


async def _opened(case: _Case, alert: OpenAlert) -> OpenAlert:
    """It fires from now on; one that fired too often lately is called over only after a calm time."""
    await log_store.note(case.tx, alert.id, Decision.FIRED, now=case.now)
    policy, identity = case.policy, case.finding.identity
    if policy.calm is None:
        return alert
    if await store.fired_since(case.tx, identity, case.now - policy.flap_window) < policy.flaps:
        return alert
    await store.mark_flapping(case.tx, alert.id)
    await log_store.note(case.tx, alert.id, Decision.FLAPPING, now=case.now)
    return replace(alert, flapping=True)


async def _give_reason(case: _Case, alert: OpenAlert, step: Step) -> None:
    """Why there is a message about an alert that people were told of before."""
    reasons = {Step.REMIND: Decision.REMINDED, Step.RAISE: Decision.RAISED}
    if step is Step.FIRE and alert.announced_at is not None:
        await log_store.note(case.tx, alert.id, Decision.UNHEARD, now=case.now)
    elif step in reasons:
        await log_store.note(case.tx, alert.id, reasons[step], now=case.now)


async def _resolve(case: _Case, before: Memory, after: Memory) -> Applied:
    """Whoever was told of the alert is told of its end, silence or not."""
    alert = case.known
    if alert is None:
        return Applied(after, Step.NOTHING)
    await store.resolve(case.tx, alert.id, case.now, seen_at=case.finding.seen_at)
    await log_store.note(case.tx, alert.id, Decision.RESOLVED, now=case.now)
    case.around.note_over(alert.id, case.finding.identity)
    if alert.announced_at is None or not case.speech.aloud:
        return Applied(after, Step.RESOLVE)
    return Applied(after, Step.RESOLVE, await _say(case, alert, Step.RESOLVE, before, after))


async def _say(case: _Case, alert: OpenAlert, step: Step, before: Memory, after: Memory) -> str:
    finding, speech, now = case.finding, case.speech, case.now
    resolving = step is Step.RESOLVE
    fields = speech.fields(step, before, after)
    event = Event(
        id=new_event_id(now),
        type=speech.resolves if resolving else speech.fires,
        tenant_id=finding.identity.tenant_id,
        at=now,
        subject=finding.topic or finding.identity.subject,
        fields={**fields, "held_back": alert.held_count} if alert.held_count else fields,
        check_id=finding.check_id,
        alert_id=alert.id,
    )
    held = speech.held and not resolving
    await outbox.enqueue(case.tx, event, now=now, window=None if resolving else speech.window, held=held)
    await log_store.note_deliveries(case.tx, alert.id, event.id, now)
    if not resolving:
        await store.announced(
            case.tx,
            alert.id,
            event.id,
            severity=finding.severity,
            awaits=not held and finding.severity.rank >= Severity.CRITICAL.rank,
            operators=speech.operators,
            now=now,
        )
    return event.id
