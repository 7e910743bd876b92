"""Is live surely worse than the reference, and by how much? The monthly look back, and the projection forward."""

from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule, Status
from alertd.performance.projection import Projection
from alertd.performance.reference import Reference
from alertd.performance.rules.wording import percent
from alertd.performance.stats.expectation import expectation
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import annual_sharpe
from alertd.performance.stats.stability import retention

LEAST_LOSS: Final = 30.0  # percent of the reference's Sharpe ratio
WARNING_CHANCE: Final = 0.02
CRITICAL_CHANCE: Final = 0.005
CLEAR_CHANCE: Final = 2 * WARNING_CHANCE
MONTH: Final = 30


def forward_test(live: Moments, reference: Moments, thresholds: PerformanceSettings) -> Finding:
    """The published change of 25 or 50 % alone is noise; the loss must be large and sure."""
    loss = 100 * (1 - live.sharpe / reference.sharpe)
    chance = retention(live, reference, 1.0)
    status = Status.OK
    if loss >= thresholds.pnl_deviation_critical_percent and chance < CRITICAL_CHANCE:
        status = Status.CRITICAL
    elif loss >= max(LEAST_LOSS, thresholds.pnl_deviation_warning_percent) and chance < WARNING_CHANCE:
        status = Status.WARNING
    return Finding(
        rule=Rule.FORWARD_TEST,
        status=status,
        message=f"Annual Sharpe ratio {annual_sharpe(live.sharpe):.2f} over {live.n} days, "
        f"{annual_sharpe(reference.sharpe):.2f} in the reference: a strategy that keeps all of it "
        f"looks this poor with a probability of {chance:.1%}.",
        value=annual_sharpe(live.sharpe),
        expected=annual_sharpe(reference.sharpe),
        statistic=chance,
        threshold=CRITICAL_CHANCE if status is Status.CRITICAL else WARNING_CHANCE,
        clears=chance >= CLEAR_CHANCE,
        details={"loss_percent": round(loss, 1), "live_days": live.n},
    )


def changed_projection(made: Projection, last: Projection | None, reference: Reference) -> Finding:
    """What is expected from now on, against last month's projection and against the reference alone; shown."""
    backtest = expectation(reference.baseline).sharpe
    return Finding(
        rule=Rule.PROJECTION,
        status=Status.OK,
        message=f"Expected from {made.made_on} on: {percent(made.drift * MONTH)} in {MONTH} days, "
        f"annual Sharpe ratio {made.sharpe:.2f}.",
        value=made.sharpe,
        expected=backtest,
        details={
            "change_percent_since_last": None if last is None else _change(made.sharpe, last.sharpe),
            "change_percent_since_backtest": _change(made.sharpe, backtest),
            "daily_drift": made.drift,
        },
    )


def _change(now: float, before: float) -> float | None:
    return round(100 * (now / before - 1), 1) if before > 0 else None
