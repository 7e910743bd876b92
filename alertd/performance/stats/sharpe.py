"""How sure one can be of a Sharpe ratio. Ratios are per day unless the name says annual."""

import math

import numpy as np

from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import NORMAL, Real


def variance(ratio: Real, skew: Real, kurtosis: Real, n: Real) -> Real:
    """Of the estimate of a Sharpe ratio from n returns, with the moments of those returns.

    (1 - skew SR + (kurtosis - 1)/4 SR^2) / (n - 1), the estimate itself inside: Mertens (2002), as used
    by Bailey & Lopez de Prado (2012). A strong positive skew can bring the bracket near 0 and so make a
    test sure of anything; it is not let under a tenth.
    """
    bracket = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    return np.maximum(bracket, 0.1) / (n - 1)


def variance_of(shape: Moments) -> float:
    return float(variance(shape.sharpe, shape.skew, shape.kurtosis, shape.n))


def standard_error(ratio: float, n: int) -> float:
    """Of a Sharpe ratio from n independent normal returns: sqrt((1 + SR^2/2) / n). Lo, FAJ (2002)."""
    return math.sqrt((1 + ratio**2 / 2) / n)


def psr_2012(shape: Moments, benchmark: float) -> float:
    """The probability that the true Sharpe ratio is above `benchmark`, in [0, 1].

    Bailey & Lopez de Prado, "The Sharpe ratio efficient frontier", Journal of Risk (2012): the variance
    is taken at the estimate and divides by n - 1. The authors' later form takes it at the benchmark and
    divides by n, which gives 0.987 where this gives 0.913.
    """
    return NORMAL.cdf((shape.sharpe - benchmark) / math.sqrt(variance_of(shape)))


def min_track_record(shape: Moments, benchmark: float, alpha: float = 0.05) -> float:
    """How many returns it takes to be sure at level `alpha` that the Sharpe ratio beats `benchmark`.

    Infinite where the ratio does not beat it at all. Bailey & Lopez de Prado (2012).
    """
    if shape.sharpe <= benchmark:
        return math.inf
    per_return = variance_of(shape) * (shape.n - 1)
    return 1 + per_return * (NORMAL.inv_cdf(1 - alpha) / (shape.sharpe - benchmark)) ** 2


def lo_factor(periods: int, autocorrelation: float) -> float:
    """By what a Sharpe ratio grows over `periods` if returns follow an AR(1); sqrt(periods) at 0.

    Lo, "The statistics of Sharpe ratios", FAJ (2002): q / sqrt(q + 2 sum (q - k) rho^k).
    """
    covariance = sum((periods - lag) * autocorrelation**lag for lag in range(1, periods))
    return periods / math.sqrt(periods + 2 * covariance)
