"""How much a strategy moves these days: an exponentially weighted deviation that knows only the past.

RiskMetrics Technical Document (1996), decay 0.94 for daily data.
"""

from typing import Final

import numpy as np

from alertd.performance.stats.numbers import Floats, Real

DECAY: Final = 0.94
FLOOR: Final = 0.5  # of the reference's sd: a quiet month does not turn small losses into large ones


def next_variance(variance: Real, deviation: Real, span_days: int = 1) -> Real:
    """The variance of a day (return squared) after one more deviation, of `span_days` days at once."""
    return DECAY * variance + (1 - DECAY) * deviation**2 / span_days


def present_sd(variance: Real, reference_sd: Real) -> Real:
    """The sd to expect of the next day, never under half of the reference's."""
    return np.maximum(np.sqrt(variance), FLOOR * reference_sd)


def scores(returns: Floats, mean: float, sd: float) -> Floats:
    """Each return's deviation in units of the sd that the days before it made one expect."""
    found = np.empty_like(returns)
    variance, floor = sd * sd, FLOOR * sd
    for day, value in enumerate((returns - mean).tolist()):
        found[day] = value / max(variance**0.5, floor)
        variance = DECAY * variance + (1 - DECAY) * value * value
    return found


def mean_deviation(returns: Floats, mean: float) -> float:
    """Mean absolute deviation; unlike the sd it is not made by a handful of days."""
    return float(np.abs(returns - mean).mean())
