"""Too many days below the interval that one day in twenty is below, in a row or of thirty."""

from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule, Status, no_data
from alertd.performance.reference import Reference
from alertd.performance.stats.breaches import CRITICAL_OF_WINDOW, WARNING_OF_WINDOW, WINDOW, in_a_row
from alertd.performance.stats.expectation import LOW_QUANTILE
from alertd.performance.track import Track

LEAST_REFERENCE: Final = 90


def interval_breaches(track: Track, reference: Reference, thresholds: PerformanceSettings) -> Finding:
    """Idle days count neither way."""
    if reference.days < LEAST_REFERENCE:
        return no_data(Rule.BREACHES, reference.days, LEAST_REFERENCE, "days of reference")
    if len(track.flags) < WINDOW:
        return no_data(Rule.BREACHES, len(track.flags), WINDOW, "live days that were not idle")
    run, count = in_a_row(track.flags), sum(track.flags)
    levels = (
        (Status.CRITICAL, run, thresholds.breaches_critical),
        (Status.CRITICAL, count, CRITICAL_OF_WINDOW),
        (Status.WARNING, run, thresholds.breaches_warning),
        (Status.WARNING, count, WARNING_OF_WINDOW),
    )
    calm = (Status.OK, run, thresholds.breaches_warning)
    status, statistic, threshold = next((level for level in levels if level[1] >= level[2]), calm)
    return Finding(
        rule=Rule.BREACHES,
        status=status,
        message=f"{count} of the last {WINDOW} days were below the interval that 1 day in 20 is below, "
        f"the latest {run} in a row.",
        value=count,
        expected=WINDOW * LOW_QUANTILE,
        statistic=statistic,
        threshold=threshold,
        clears=run == 0 and count < WARNING_OF_WINDOW - 1,
        details={"in_a_row": run, "of_window": count},
    )
