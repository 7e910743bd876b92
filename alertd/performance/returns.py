"""Equity and cash flows become returns: what was earned, whatever was paid in or out meanwhile. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from alertd.performance.days import DAY, DayBoundary

OLDEST_CLOSING: Final = timedelta(hours=8)
LARGE_FLOW: Final = 0.10  # of equity: the usual policy under GIPS
AT_ONCE: Final = timedelta(minutes=10)  # a snapshot this near revalues the account at the flow
THINNEST_BASE: Final = 0.10  # of the larger side: below it a return would be a ratio of leftovers
UNEXPLAINED: Final = 0.25
LONGEST_GAP: Final = 3  # days that one observation may span and still be judged


class Quality(StrEnum):
    """How far an equity snapshot can be believed. Only OK ones are used."""

    OK = "ok"
    PARTIAL = "partial"  # something in the account could not be valued
    SUSPECT = "suspect"  # it moved more than the account does, and nothing explains it yet


class Confidence(StrEnum):
    """Whether a return may decide anything."""

    FULL = "full"
    LOW = "low"  # shown, and used by no test and no curve


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole account in its quote currency, unrealised profit included."""

    at: datetime
    equity: float
    quality: Quality = Quality.OK


@dataclass(frozen=True, slots=True)
class Flow:
    """Money from outside (positive) or to it (negative), in the quote currency; fees and funding are none."""

    at: datetime
    amount: float


@dataclass(frozen=True, slots=True)
class Step:
    """From one usable snapshot to the next; `value` is a fraction, None where none can be computed.

    `gain` is in the quote currency, flows taken out.
    """

    start: Snapshot
    end: Snapshot
    gain: float
    value: float | None
    confidence: Confidence

    @property
    def cautious(self) -> float:
        """The gain as a fraction of the larger side: the smallest return that this can have been."""
        larger = max(self.start.equity, self.end.equity)
        return self.gain / larger if larger > 0 else 0.0


@dataclass(frozen=True, slots=True)
class DailyReturn:
    """What one observation earned, as a fraction: a day, or all `span_days` since the last day that had a value."""

    day: date
    value: float
    span_days: int = 1
    confidence: Confidence = Confidence.FULL

    @property
    def usable(self) -> bool:
        """Whether a curve may follow it: a finite number above -1, of full confidence."""
        return self.confidence is Confidence.FULL and math.isfinite(self.value) and self.value > -1

    @property
    def testable(self) -> bool:
        """Whether a test may use it too: what a week earned is no day."""
        return self.usable and self.span_days <= LONGEST_GAP


def modified_dietz(start: Snapshot, end: Snapshot, flows: Sequence[Flow]) -> float | None:
    """The return between two snapshots, flows weighted by the time they were there; None without a base.

    GIPS accepts it for sub-periods where the account is revalued at large flows. `flows` lie after
    `start` and not after `end`.
    """
    return _over_base(gain(start, end, flows), start, end, flows)


def _over_base(earned: float, start: Snapshot, end: Snapshot, flows: Sequence[Flow]) -> float | None:
    base = start.equity
    if flows:
        whole = end.at - start.at
        base += sum(flow.amount * ((end.at - flow.at) / whole) for flow in flows)
    if base <= 0 or base < THINNEST_BASE * max(start.equity, end.equity):
        return None
    return earned / base


def gain(start: Snapshot, end: Snapshot, flows: Sequence[Flow]) -> float:
    """What was earned between two snapshots, in the quote currency."""
    earned = end.equity - start.equity
    return earned - sum(flow.amount for flow in flows) if flows else earned


def steps(snapshots: Sequence[Snapshot], flows: Sequence[Flow]) -> tuple[Step, ...]:
    """The returns between usable snapshots, in the order of time whatever the order given.

    A step over a large flow, or one of more than a quarter that nothing explains, has low confidence.
    """
    usable = sorted((s for s in snapshots if is_usable(s)), key=lambda snapshot: snapshot.at)
    waiting = iter(sorted(flows, key=lambda flow: flow.at))
    return tuple(_steps(usable, waiting))


def is_usable(snapshot: Snapshot) -> bool:
    return snapshot.quality is Quality.OK and math.isfinite(snapshot.equity)


def _steps(usable: Sequence[Snapshot], waiting: Iterator[Flow]) -> Iterator[Step]:
    flow = next(waiting, None)
    for start, end in pairwise(usable):
        if start.at == end.at:
            continue
        meanwhile: list[Flow] = []
        while flow is not None and flow.at <= end.at:
            if flow.at > start.at:
                meanwhile.append(flow)
            flow = next(waiting, None)
        earned = gain(start, end, meanwhile)
        value = _over_base(earned, start, end, meanwhile)
        yield Step(start, end, earned, value, _confidence(start, end, meanwhile, value))


def _confidence(start: Snapshot, end: Snapshot, flows: Sequence[Flow], value: float | None) -> Confidence:
    if value is not None and abs(value) > UNEXPLAINED:
        return Confidence.LOW
    if not flows:
        return Confidence.FULL
    spanned = sum(abs(f.amount) for f in flows if f.at - start.at > AT_ONCE and end.at - f.at > AT_ONCE)
    return Confidence.LOW if spanned > LARGE_FLOW * start.equity else Confidence.FULL


def daily_returns(
    snapshots: Sequence[Snapshot], flows: Sequence[Flow], boundary: DayBoundary, *, until: datetime
) -> tuple[DailyReturn, ...]:
    """One observation for each complete day that has a value: the last usable snapshot of its last 8 hours.

    A day without one is missing, never zero; the next that has one spans both. A step that has no
    value voids its observation and the chain starts again behind it.
    """
    chain = steps(snapshots, flows)
    closings = list(_closings(chain, boundary, until))
    return tuple(
        found
        for (earlier, first), (day, last) in pairwise(closings)
        # A day that a zone skipped has no instant and so no return.
        if first < last and (found := _linked(chain[first:last], day, (day - earlier).days)) is not None
    )


def _closings(chain: Sequence[Step], boundary: DayBoundary, until: datetime) -> Iterator[tuple[date, int]]:
    """Days that have a value, each with the index of the first step behind its closing snapshot."""
    if not chain:
        return
    times = [chain[0].start.at, *(step.end.at for step in chain)]
    day = boundary.day_of(times[0]) - DAY
    behind = 0
    while (closes := boundary.closes(day)) <= until and day <= boundary.day_of(times[-1]):
        while behind < len(times) and times[behind] <= closes:
            behind += 1
        if behind and closes - times[behind - 1] <= OLDEST_CLOSING:
            yield day, behind - 1
        day += DAY


def _linked(chain: Sequence[Step], day: date, span_days: int) -> DailyReturn | None:
    growth = 1.0
    for step in chain:
        if step.value is None:
            return None
        growth *= 1.0 + step.value
    low = any(step.confidence is Confidence.LOW for step in chain)
    return DailyReturn(day, growth - 1.0, span_days, Confidence.LOW if low else Confidence.FULL)
