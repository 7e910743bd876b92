"""How good the best of many worthless strategies looks, and whether a backtest looks better than that."""

from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import EULER_GAMMA, NORMAL
from alertd.performance.stats.sharpe import psr_2012


def expected_maximum(trials: int) -> float:
    """Of `trials` independent standard normals, in sd; 0 for a single one.

    Bailey, Borwein, Lopez de Prado & Zhu, "Pseudo-mathematics and financial charlatanism" (2014).
    """
    if trials < 2:
        return 0.0
    return (1 - EULER_GAMMA) * NORMAL.inv_cdf(1 - 1 / trials) + EULER_GAMMA * NORMAL.inv_cdf(
        1 - 1 / (trials * 2.718281828459045)
    )


def best_by_luck(trials: int, sharpe_variance: float) -> float:
    """The Sharpe ratio to expect of the best of `trials` without any edge.

    In the unit of the variance: that of daily ratios over the trials gives a daily ratio. It is 1/n
    for backtests of n days that are nothing but noise.
    """
    return float(sharpe_variance**0.5 * expected_maximum(trials))


def deflated(shape: Moments, trials: int, sharpe_variance: float) -> float:
    """The probability that the Sharpe ratio is better than luck among `trials`: DSR, in [0, 1].

    Bailey & Lopez de Prado, "The deflated Sharpe ratio", JPM 40(5) (2014).
    """
    return psr_2012(shape, best_by_luck(trials, sharpe_variance))


def min_backtest_years(trials: int, annual_sharpe: float) -> float:
    """How long a backtest must be so that luck among `trials` does not reach this Sharpe ratio; years.

    Bailey et al. (2014), the approximation (E[max] / SR)^2.
    """
    return (expected_maximum(trials) / annual_sharpe) ** 2
