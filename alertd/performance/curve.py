"""The account as an index that starts at 1 and knows no deposits: what limits are held against. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from alertd.performance.days import INSTANT, DayBoundary
from alertd.performance.returns import OLDEST_CLOSING, UNEXPLAINED, Confidence, DailyReturn, Step


@dataclass(frozen=True, slots=True)
class Curve:
    """The level at the start and after each look; `closes` says which looks are the last of their day.

    `confirmable`: looks are readings that another one can confirm, not whole days.
    """

    levels: tuple[float, ...]
    closes: tuple[bool, ...]
    confirmable: bool

    @property
    def looks(self) -> int:
        return max(0, len(self.levels) - 1)


@dataclass(frozen=True, slots=True)
class Today:
    """The day of the latest look: levels relative to its start, and the equity it started with, if any is known."""

    day: date
    previous: float
    latest: float
    start_equity: float | None


def growth(step: Step) -> float:
    """By what a step moves the index: what is sure of it.

    A step over a large flow counts as the smallest return that it can have been. A rise that nothing
    explains is none: a deposit that nobody reported must not become a peak to fall from.
    """
    sure = step.value if step.confidence is Confidence.FULL else None
    rate = step.cautious if sure is None else sure
    return 1 + rate if -1 < rate <= UNEXPLAINED else 1.0


def curve_of_steps(chain: Sequence[Step], boundary: DayBoundary) -> Curve:
    """From snapshots; a snapshot at the very end of a day belongs to that day."""
    if not chain:
        return Curve((), (), confirmable=True)
    levels = [1.0]
    for step in chain:
        levels.append(levels[-1] * growth(step))
    ends = boundary.day_ends((chain[0].start.at, *(step.end.at for step in chain)))
    return Curve(tuple(levels), tuple(ends), confirmable=True)


def curve_of_days(days: Sequence[DailyReturn]) -> Curve:
    """From daily returns, where there are no snapshots."""
    usable = sorted((day for day in days if day.usable), key=lambda day: day.day)
    levels = [1.0]
    for day in usable:
        levels.append(levels[-1] * (1 + day.value))
    return Curve(tuple(levels), (True,) * len(levels), confirmable=False)


def today_of_steps(chain: Sequence[Step], boundary: DayBoundary) -> Today | None:
    """Of the day that the latest snapshot is in; None without a snapshot in the 8 hours before it began."""
    if not chain:
        return None
    day = boundary.day_of(chain[-1].end.at - INSTANT)
    opens = boundary.opens(day)
    inside = [step for step in chain if step.end.at > opens]
    start = inside[0].start
    if not _near(start.at, opens):
        return None
    levels = [1.0]
    for step in inside:
        levels.append(levels[-1] * growth(step))
    return Today(day, levels[-2], levels[-1], start.equity)


def _near(at: datetime, opens: datetime) -> bool:
    return at <= opens and opens - at <= OLDEST_CLOSING


def today_of_days(days: Sequence[DailyReturn]) -> Today | None:
    """Of the latest day that has a return."""
    latest = max((day for day in days if day.usable and day.span_days == 1), key=lambda day: day.day, default=None)
    return None if latest is None else Today(latest.day, 1 + latest.value, 1 + latest.value, None)
