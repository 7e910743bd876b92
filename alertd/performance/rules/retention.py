"""Does live keep what the reference had? The published scores are shown; a test of retention decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.reference import log_returns
from alertd.performance.rules.freshness import held
from alertd.performance.stats import stability as scores
from alertd.performance.stats.moments import Moments, moments
from alertd.performance.stats.numbers import annual_sharpe
from alertd.performance.subject import Subject, ValidationWindow

WINDOW_DAYS: Final = 180
LEAST_DAYS: Final = 90  # three folds
LEAST_REFERENCE: Final = 180
WARNING_CHANCE: Final = 0.05
CRITICAL_CHANCE: Final = 0.01
CLEAR_CHANCE: Final = 2 * WARNING_CHANCE


def comparable(rule: Rule, subject: Subject, now: datetime) -> Finding | tuple[Moments, Moments]:
    """The moments of live (the last 180 days) and reference, or why they cannot be compared."""
    days = subject.testable_days(now)
    reference = None if subject.reference is None else subject.reference.baseline.moments
    have = 0 if reference is None else reference.n
    if reference is None or have < LEAST_REFERENCE:
        return no_data(rule, have, LEAST_REFERENCE, "days of reference")
    if reference.mean <= 0 or reference.sd == 0:
        return cannot_judge(rule, "the reference has no edge that live could keep.")
    if len(days) < LEAST_DAYS:
        return no_data(rule, len(days), LEAST_DAYS, "live days")
    return held(rule, days[-1].day, subject.boundary.last_complete(now)) or (
        moments(log_returns(days)[-WINDOW_DAYS:]),
        reference,
    )


def stability(live: Moments, reference: Moments, thresholds: PerformanceSettings) -> Finding:
    """Whether live surely keeps less of the reference's Sharpe ratio than the walk-forward targets ask for."""
    efficiency = scores.walk_forward_efficiency(live, reference)
    warning = scores.retention(live, reference, thresholds.walk_forward_warning / 100)
    critical = scores.retention(live, reference, thresholds.walk_forward_critical / 100)
    status, chance, target = Status.OK, warning, thresholds.walk_forward_warning
    if critical < CRITICAL_CHANCE and efficiency < thresholds.walk_forward_critical:
        status, chance, target = Status.CRITICAL, critical, thresholds.walk_forward_critical
    elif warning < WARNING_CHANCE and efficiency < thresholds.walk_forward_warning:
        status = Status.WARNING
    return Finding(
        rule=Rule.STABILITY,
        status=status,
        message=f"Annual Sharpe ratio {annual_sharpe(live.sharpe):.2f} over {live.n} days, "
        f"{annual_sharpe(reference.sharpe):.2f} in the reference; a strategy that keeps {target:g} % of it "
        f"looks this poor with a probability of {chance:.1%}.",
        value=annual_sharpe(live.sharpe),
        expected=annual_sharpe(reference.sharpe),
        statistic=chance,
        threshold=CRITICAL_CHANCE if status is Status.CRITICAL else WARNING_CHANCE,
        clears=warning >= CLEAR_CHANCE,
        details={"live_days": live.n, "reference_days": reference.n},
    )


def walk_forward(
    live: Moments,
    reference: Moments,
    months: scores.Folds,
    windows: Sequence[ValidationWindow],
    thresholds: PerformanceSettings,
) -> Finding:
    """The published efficiency, shown: it is under 60 for 3 healthy strategies in 10."""
    efficiency = scores.walk_forward_efficiency(live, reference)
    validated = _validated(windows)
    return Finding(
        rule=Rule.WALK_FORWARD,
        status=_shown(efficiency, thresholds.walk_forward_warning),
        message=f"Live earns {efficiency:.0f} % of the reference's mean; "
        f"{months.winning} of {months.count} months of 30 days won.",
        value=efficiency,
        expected=100.0,
        threshold=thresholds.walk_forward_warning,
        details={
            "winning_folds": months.winning,
            "folds": months.count,
            "target_critical": thresholds.walk_forward_critical,
            "validation_windows": len(windows),
            "validation_efficiency": None if validated is None else round(validated, 1),
        },
    )


def _validated(windows: Sequence[ValidationWindow]) -> float | None:
    """The platform's own walk-forward efficiency in percent; None where in-sample earned nothing."""
    inside = sum(window.in_sample for window in windows)
    return 100 * sum(window.out_of_sample for window in windows) / inside if inside > 0 else None


def out_of_sample(live: Moments, reference: Moments, thresholds: PerformanceSettings) -> Finding:
    """The published score, shown: it is under 70 for 4 healthy strategies in 10."""
    score = scores.out_of_sample_score(live, reference)
    return Finding(
        rule=Rule.OUT_OF_SAMPLE,
        status=_shown(score, thresholds.out_of_sample_warning),
        message=f"Keeps at least half of the reference's Sharpe ratio with a probability of {score:.0f} %.",
        value=score,
        threshold=thresholds.out_of_sample_warning,
        details={"target_critical": thresholds.out_of_sample_critical},
    )


def _shown(value: float, target: float) -> Status:
    return Status.INFO if value < target else Status.OK
