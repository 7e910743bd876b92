"""When a run of findings about one subject is worth a message. Pure: memory in, memory and step out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never


class Sign(StrEnum):
    """What one finding says about its subject."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """What people should hear now."""

    NOTHING = "nothing"
    FIRE = "fire"  # first message of an episode, or again because the last one reached nobody
    REMIND = "remind"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered about a subject between two findings.

    `announced_at` is None while an open alert has reached nobody. `alerting` outlives a restarted
    streak: whoever was told of trouble is told of its end.
    """

    streak: int = 0
    first_bad_at: datetime | None = None
    last_good_at: datetime | None = None
    alerting: bool = False
    announced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """`strikes` bad findings in a row open an alert; None never reminds."""

    strikes: int
    remind_every: timedelta | None


def advance(memory: Memory, sign: Sign, policy: Policy, now: datetime) -> tuple[Memory, Step]:
    """The memory after one more finding, and what to say. An unknown sign changes nothing."""
    match sign:
        case Sign.UNKNOWN:
            return memory, Step.NOTHING
        case Sign.GOOD:
            return Memory(last_good_at=now), Step.RESOLVE if memory.alerting else Step.NOTHING
        case Sign.BAD:
            return _worsened(memory, policy, now)
        case _:
            assert_never(sign)


def _worsened(memory: Memory, policy: Policy, now: datetime) -> tuple[Memory, Step]:
    after = replace(memory, streak=memory.streak + 1, first_bad_at=memory.first_bad_at or now)
    if not memory.alerting:
        if after.streak < policy.strikes:
            return after, Step.NOTHING
        return replace(after, alerting=True, announced_at=now), Step.FIRE
    if memory.announced_at is None:
        return replace(after, announced_at=now), Step.FIRE
    if policy.remind_every is not None and now - memory.announced_at >= policy.remind_every:
        return replace(after, announced_at=now), Step.REMIND
    return after, Step.NOTHING


def about_to_fire(memory: Memory, policy: Policy) -> bool:
    """Whether one more bad finding opens an alert."""
    return not memory.alerting and memory.streak + 1 >= policy.strikes


def restarted(memory: Memory) -> Memory:
    """The memory after the subject itself was replaced (a new secret): a new streak, the same alert."""
    return replace(memory, streak=0, first_bad_at=None)
