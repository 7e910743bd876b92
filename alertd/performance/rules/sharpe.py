"""Is the Sharpe ratio surely under the published targets? The ratio itself is noise for months."""

from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.stats.moments import moments
from alertd.performance.stats.numbers import Floats, annual_sharpe, daily_sharpe
from alertd.performance.stats.sharpe import psr_2012

LEAST_DAYS: Final = 60
WINDOW_DAYS: Final = 180
WARNING_CHANCE: Final = 0.05
CRITICAL_CHANCE: Final = 0.01
CLEAR_CHANCE: Final = 2 * WARNING_CHANCE


def sharpe_ratio(live: Floats, thresholds: PerformanceSettings) -> Finding:
    """From daily log returns, the latest last; only the last 180 count."""
    window = live[-WINDOW_DAYS:]
    if len(window) < LEAST_DAYS:
        return no_data(Rule.SHARPE, len(window), LEAST_DAYS, "live days")
    shape = moments(window)
    if shape.sd == 0:
        return cannot_judge(Rule.SHARPE, "it never moved.")
    above_warning = psr_2012(shape, daily_sharpe(thresholds.sharpe_warning))
    above_critical = psr_2012(shape, daily_sharpe(thresholds.sharpe_critical))
    status, target, chance = Status.OK, thresholds.sharpe_warning, above_warning
    if above_critical < CRITICAL_CHANCE:
        status, target, chance = Status.CRITICAL, thresholds.sharpe_critical, above_critical
    elif above_warning < WARNING_CHANCE:
        status = Status.WARNING
    return Finding(
        rule=Rule.SHARPE,
        status=status,
        message=f"Annual Sharpe ratio {annual_sharpe(shape.sharpe):.2f} over {shape.n} days; "
        f"with a probability of {chance:.1%} the true one is above {target:g}.",
        value=annual_sharpe(shape.sharpe),
        expected=target,
        statistic=chance,
        threshold=CRITICAL_CHANCE if status is Status.CRITICAL else WARNING_CHANCE,
        clears=above_warning >= CLEAR_CHANCE,
        details={"days": shape.n},
    )
