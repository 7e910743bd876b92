"""What a sample of returns looks like: its moments, and how its days depend on each other."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alertd.performance.stats.numbers import Floats

BARTLETT_LAGS: Final = 5
RATIO_CEILING: Final = 3.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Per day. `sd` divides by n - 1, `skew` and `kurtosis` (3 for a normal) by n, as scipy's biased forms do.

    A sample that never moves has sd 0 and the shape of a normal.
    """

    n: int
    mean: float
    sd: float
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def sharpe(self) -> float:
        """Mean over sd, per day; 0 where nothing moved."""
        return self.mean / self.sd if self.sd > 0 else 0.0


def moments(values: Floats) -> Moments:
    """Of at least two values."""
    n = len(values)
    mean = float(values.mean())
    deviations = values - mean
    variance = float(np.mean(deviations**2))
    if variance <= (1e-12 * max(1.0, abs(mean))) ** 2:
        return Moments(n, mean, 0.0)
    skew = float(np.mean(deviations**3)) / variance**1.5
    kurtosis = float(np.mean(deviations**4)) / variance**2
    return Moments(n, mean, (variance * n / (n - 1)) ** 0.5, skew, kurtosis)


def autocorrelation(values: Floats, lag: int) -> float:
    """Between days `lag` apart; the sums divide by the variance of all days, so it stays within [-1, 1]."""
    deviations = values - values.mean()
    variance = float(np.dot(deviations, deviations))
    return float(np.dot(deviations[lag:], deviations[:-lag])) / variance if variance > 0 else 0.0


def long_run_ratio(values: Floats) -> float:
    """By how much dependence between days inflates the variance of their sum, within [1, 3].

    Newey & West (1987) with Bartlett weights over 5 lags, relative to the variance. A ratio under 1
    would make a test bolder on the word of a short sample, so it is not used.
    """
    weighted = sum(
        (1 - lag / (BARTLETT_LAGS + 1)) * autocorrelation(values, lag) for lag in range(1, BARTLETT_LAGS + 1)
    )
    return min(max(1.0 + 2.0 * weighted, 1.0), RATIO_CEILING)
