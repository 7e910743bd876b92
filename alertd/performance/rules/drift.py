"""Slow decay, and the published deviation from the projection beside it."""

import math
from dataclasses import dataclass
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.rules.wording import percent
from alertd.performance.stats import cusum
from alertd.performance.stats.expectation import Expectation
from alertd.performance.track import Track

LEAST_DAYS: Final = 5


def drift(track: Track, expected: Expectation, thresholds: PerformanceSettings) -> Finding:
    """The sum of shortfalls since it was last zero, which is also when a change probably began."""
    if track.observed < LEAST_DAYS:
        return no_data(Rule.DRIFT, track.observed, LEAST_DAYS, "live days")
    status = _status(track, thresholds)
    return Finding(
        rule=Rule.DRIFT,
        status=status,
        message="Earns what is expected of it, within noise." if status is Status.OK else _sentence(track, status),
        value=math.expm1(track.live_since),
        expected=math.expm1(track.expected_since),
        statistic=track.drift,
        threshold=cusum.CRITICAL if status is Status.CRITICAL else cusum.WARNING,
        clears=track.drift < cusum.CLEAR,
        details={
            "since": None if track.climbs_from is None else track.climbs_from.isoformat(),
            "expected_annual_sharpe": round(expected.sharpe, 2),
            "live_days": track.observed,
            "left_out_days": track.left_out,
            "clears_when": f"the sum of shortfalls, now {track.drift:.1f}, is under {cusum.CLEAR:g}",
        },
    )


def _status(track: Track, thresholds: PerformanceSettings) -> Status:
    """Significance decides, and the published deviations are floors: what is small wakes nobody however sure."""
    if track.drift <= cusum.WARNING:
        return Status.OK
    missing = worst_shortfall(track)
    # Where nothing was projected there is no percentage to be small; the test alone decides.
    missing = math.inf if missing is None else missing
    if track.drift > cusum.CRITICAL and missing >= thresholds.pnl_deviation_critical_percent:
        return Status.CRITICAL
    return Status.WARNING if missing >= thresholds.pnl_deviation_warning_percent else Status.INFO


def _sentence(track: Track, status: Status) -> str:
    share = "20" if status is Status.CRITICAL else "4"
    return (
        f"Earned {percent(track.live_since)} since {track.climbs_from}, expected were "
        f"{percent(track.expected_since)}: about 1 healthy strategy in {share} does this within a year."
    )


def worst_shortfall(track: Track) -> float | None:
    """Percent missing of the projected cumulative log return: over 30 observations or since the start, the larger."""
    return max((found for part in _parts(track) if (found := part.shortfall) is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a live record: sums of log returns."""

    named: str
    live: float
    expected: float

    @property
    def shortfall(self) -> float | None:
        """Percent; None where nothing was projected that could be missed."""
        return 100 * (self.expected - self.live) / self.expected if self.expected > 0 else None


def _parts(track: Track) -> tuple[_Part, _Part]:
    live = sum(seen.value for seen in track.recent)
    expected = sum(seen.expected for seen in track.recent)
    return (
        _Part("since the start", track.live, track.expected),
        _Part(f"in the last {len(track.recent)} days", live, expected),
    )


def pnl_deviation(track: Track, thresholds: PerformanceSettings) -> Finding:
    """The published measure: shown, and never alone a reason to wake anybody."""
    if track.observed == 0:
        return no_data(Rule.PNL_DEVIATION, 0, 1, "live days")
    whole, month = _parts(track)
    known = [part for part in (whole, month) if part.shortfall is not None]
    if not known:
        return cannot_judge(Rule.PNL_DEVIATION, "nothing is projected that could be missed.")
    worst = max(known, key=lambda part: part.shortfall or 0.0)
    missing = worst.shortfall or 0.0
    return Finding(
        rule=Rule.PNL_DEVIATION,
        status=Status.INFO if missing >= thresholds.pnl_deviation_warning_percent else Status.OK,
        message=f"Earned {percent(worst.live)} {worst.named}, projected were {percent(worst.expected)}.",
        value=math.expm1(worst.live),
        expected=math.expm1(worst.expected),
        statistic=missing,
        threshold=thresholds.pnl_deviation_warning_percent,
        details={"shortfall_percent_30_days": _round(month), "shortfall_percent_since_start": _round(whole)},
    )


def _round(part: _Part) -> float | None:
    return None if part.shortfall is None else round(part.shortfall, 1)
