"""A subject's live record as curves to look at: what it earned, how far it fell, how its drift grew. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from alertd.performance.days import DAY
from alertd.performance.projection import Projection
from alertd.performance.returns import DailyReturn
from alertd.performance.stats.drawdown import depths
from alertd.performance.stats.expectation import expectation
from alertd.performance.stats.numbers import Floats
from alertd.performance.subject import Subject
from alertd.performance.track import accepted, advanced, fresh_track


@dataclass(frozen=True, slots=True)
class Point:
    """One observation, all as fractions and since the first day: `cusum` and `expected` need a reference.

    A day that is not usable moves no curve.
    """

    date: date
    value: float
    span_days: int
    usable: bool
    cumulative: float
    drawdown: float
    expected: float | None
    cusum: float | None


@dataclass(frozen=True, slots=True)
class ConePoint:
    """Where the cumulative return should be after a day, and the lines that few healthy ones ever cross."""

    date: date
    expected: float
    warning: float
    critical: float


def points(subject: Subject, now: datetime) -> list[Point]:
    """Of the days that are over, in their order."""
    until = subject.boundary.last_complete(now)
    days = sorted((day for day in subject.days if day.day <= until), key=lambda day: day.day)
    growth: Floats = np.array([1.0, *(1 + day.value if day.usable else 1.0 for day in days)])
    levels: Floats = np.cumprod(growth, dtype=np.float64)
    falls = depths(levels, subject.limits.mode, np.ones(len(levels), dtype=bool))
    return [
        Point(
            date=day.day,
            value=day.value,
            span_days=day.span_days,
            usable=day.usable,
            cumulative=float(level) - 1,
            drawdown=float(fall),
            expected=None if tracked is None else math.expm1(tracked[0]),
            cusum=None if tracked is None else tracked[1],
        )
        for day, level, fall, tracked in zip(days, levels[1:], falls[1:], _tracked(subject, days), strict=True)
    ]


def _tracked(subject: Subject, days: Sequence[DailyReturn]) -> Iterator[tuple[float, float] | None]:
    """What was expected until each day (log), and the sum of shortfalls; None where nothing can be."""
    reference = subject.reference
    if reference is None or not reference.is_enough:
        yield from (None for _ in days)
        return
    due, track = expectation(reference.baseline), fresh_track(reference.baseline)
    waiting = subject.accepted_on
    for day in days:
        if waiting is not None and day.day > waiting:
            track, waiting = accepted(track), None
        track = advanced(track, (day,), reference.baseline, due)
        yield track.expected, track.drift


def cone_points(projection: Projection) -> list[ConePoint]:
    """From the day on which it was made, in cumulative returns since the reference became active."""
    cone, before = projection.cone, projection.live_before
    bands = zip(cone.expected, cone.warning, cone.critical, strict=True)
    return [
        ConePoint(projection.made_on + at * DAY, *(math.expm1(before + value) for value in band))
        for at, band in enumerate(bands)
    ]
