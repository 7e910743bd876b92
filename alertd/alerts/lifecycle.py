"""When a run of findings about one subject is worth a message. Pure: memory in, memory and step out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from alertd.model import Severity


class Sign(StrEnum):
    """What one finding says about its subject."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """What became of the alert, and what people should hear now."""

    NOTHING = "nothing"
    WAIT = "wait"  # bad, and not often enough yet: the alert is pending
    FIRE = "fire"  # first message of an episode, or again because the last one reached nobody
    RAISE = "raise"  # worse than what people were told
    REMIND = "remind"
    HOLD = "hold"  # a reminder is due, and people heard of it a short time before
    CALM = "calm"  # good, but it came and went so often that this is not believed yet
    SUBSIDE = "subside"  # over before it fired
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered about a subject between two findings.

    `announced_at` is None while an open alert has reached nobody, else `told` is the severity that
    people know of. `alerting` outlives a restarted streak: whoever was told of trouble is told of its
    end. `good_since` is only kept of an alert that is `flapping`.
    """

    streak: int = 0
    first_bad_at: datetime | None = None
    last_good_at: datetime | None = None
    alerting: bool = False
    announced_at: datetime | None = None
    told: Severity | None = None
    acked: bool = False
    flapping: bool = False
    good_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """`strikes` bad findings in a row open an alert; None never reminds.

    A reminder that is due within `quiet` of the last message is held back. An alert that fired `flaps`
    times within `flap_window` is over only after it was good for `calm`; None believes every good finding.
    """

    strikes: int
    remind_every: timedelta | None
    quiet: timedelta = timedelta()
    calm: timedelta | None = None
    flaps: int = 5
    flap_window: timedelta = timedelta(days=7)


def advance(memory: Memory, sign: Sign, severity: Severity, *, policy: Policy, now: datetime) -> tuple[Memory, Step]:
    """The memory after one more finding, and the step. An unknown sign changes nothing."""
    match sign:
        case Sign.UNKNOWN:
            return memory, Step.NOTHING
        case Sign.GOOD:
            return _bettered(memory, policy, now)
        case Sign.BAD:
            return _worsened(memory, severity, policy, now)
        case _:
            assert_never(sign)


def _bettered(memory: Memory, policy: Policy, now: datetime) -> tuple[Memory, Step]:
    well = Memory(last_good_at=now)
    if not memory.alerting:
        return well, Step.SUBSIDE if memory.streak else Step.NOTHING
    good_since = memory.good_since or now
    if memory.flapping and policy.calm is not None and now - good_since < policy.calm:
        return replace(memory, streak=0, last_good_at=now, good_since=good_since), Step.CALM
    return well, Step.RESOLVE


def _worsened(memory: Memory, severity: Severity, policy: Policy, now: datetime) -> tuple[Memory, Step]:
    after = replace(memory, streak=memory.streak + 1, first_bad_at=memory.first_bad_at or now, good_since=None)
    if not memory.alerting and after.streak < policy.strikes:
        return after, Step.WAIT
    step = _message(memory, severity, policy, now)
    if step in TELLING:
        return replace(after, alerting=True, announced_at=now, told=severity), step
    return after, step


def _message(memory: Memory, severity: Severity, policy: Policy, now: datetime) -> Step:
    """What to say of an alert that is open, or opens now. Acknowledging stops reminders, not worse news."""
    if not memory.alerting or memory.announced_at is None:
        return Step.FIRE
    if memory.told is not None and severity.rank > memory.told.rank:
        return Step.RAISE
    since = now - memory.announced_at
    if memory.acked or policy.remind_every is None or since < policy.remind_every:
        return Step.NOTHING
    return Step.HOLD if since < policy.quiet else Step.REMIND


TELLING = frozenset({Step.FIRE, Step.RAISE, Step.REMIND})


def about_to_fire(memory: Memory, policy: Policy) -> bool:
    """Whether one more bad finding opens an alert."""
    return not memory.alerting and memory.streak + 1 >= policy.strikes


def restarted(memory: Memory) -> Memory:
    """The memory after the subject itself was replaced (a new secret): a new streak, the same alert."""
    return replace(memory, streak=0, first_bad_at=None)
