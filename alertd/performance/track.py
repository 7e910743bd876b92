"""What a live record has come to, day by day: the daily check's memory, constant in size. Pure.

Replaying all days and going on from a stored memory give the same, so a restart loses nothing and a
revised day is answered by a replay.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pydantic import TypeAdapter

from alertd.performance.returns import DailyReturn
from alertd.performance.stats import breaches, cusum, tail
from alertd.performance.stats.expectation import Baseline, Expectation
from alertd.performance.stats.volatility import next_variance, present_sd

RECENT: Final = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged observation: log return, what was expected of it, and by how many sd it fell short."""

    day: date
    value: float
    expected: float
    shortfall: float
    deviation: float  # from the reference's mean, per day


@dataclass(frozen=True, slots=True)
class Track:
    """`observed` days were judged and `left_out` were not: low confidence, no number, or a gap too long.

    `live` and `expected` are sums of log returns since the start, over `elapsed` calendar days, and the
    `_since` ones since the first day of the present climb of the sum, the estimated day of a change.
    `flags` are the latest days that were not idle: below the interval or not.
    """

    variance: float
    as_of: date | None = None
    observed: int = 0
    left_out: int = 0
    elapsed: int = 0
    live: float = 0.0
    expected: float = 0.0
    drift: float = 0.0
    climbs_from: date | None = None
    live_since: float = 0.0
    expected_since: float = 0.0
    flags: tuple[bool, ...] = ()
    recent: tuple[Seen, ...] = ()

    @property
    def judged_until(self) -> date | None:
        return self.recent[-1].day if self.recent else None


# To and from JSON: `dump_python(track, mode="json")` and `validate_python(stored)`.
TRACKS: Final = TypeAdapter(Track)


def fresh_track(baseline: Baseline) -> Track:
    return Track(variance=baseline.moments.sd**2)


def advanced(track: Track, days: Iterable[DailyReturn], baseline: Baseline, expected: Expectation) -> Track:
    """The track after these days, in the order of days; those it has seen already are passed over.

    `baseline` must have moved (sd above 0) and be the one that the track was begun with.
    """
    for day in sorted(days, key=lambda day: day.day):
        if track.as_of is None or day.day > track.as_of:
            track = _after(track, day, baseline, expected)
    return track


def accepted(track: Track) -> Track:
    """After a person accepted the drift so far: only what comes now counts."""
    return replace(track, drift=0.0, climbs_from=None, live_since=0.0, expected_since=0.0)


def _after(track: Track, day: DailyReturn, baseline: Baseline, expected: Expectation) -> Track:
    if not day.testable:
        return replace(track, as_of=day.day, left_out=track.left_out + 1)
    value, span = math.log1p(day.value), day.span_days
    shape, sd = baseline.moments, float(present_sd(track.variance, baseline.moments.sd)) * span**0.5
    due = expected.drift * span
    score = cusum.score(value, due, sd, clip_bias=baseline.clip_bias, long_run_ratio=baseline.long_run_ratio)
    deviation = value - shape.mean * span
    seen = Seen(
        day=day.day,
        value=value,
        expected=due,
        shortfall=float(tail.day_loss(value, shape.mean * span, sd)),
        deviation=abs(deviation) / span**0.5,
    )
    flag = value < breaches.lower_bound(due, sd, baseline.low_score)
    moved = replace(
        track,
        variance=float(next_variance(track.variance, deviation, span)),
        as_of=day.day,
        observed=track.observed + 1,
        elapsed=track.elapsed + span,
        live=track.live + value,
        expected=track.expected + due,
        flags=track.flags if value == 0 else (*track.flags, bool(flag))[-breaches.WINDOW :],
        recent=(*track.recent, seen)[-RECENT:],
    )
    return _climbed(moved, float(cusum.advance(track.drift, score)), seen)


def _climbed(track: Track, drift: float, seen: Seen) -> Track:
    if drift == 0:
        return accepted(track)
    return replace(
        track,
        drift=drift,
        climbs_from=track.climbs_from or seen.day,
        live_since=track.live_since + seen.value,
        expected_since=track.expected_since + seen.expected,
    )
