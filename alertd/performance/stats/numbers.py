"""The kinds of numbers that formulas take, and the constants that all of them share."""

from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# One number, or one for each of many strategies: the formulas that take a `Real` work element by element.
Real = float | Floats

DAYS_A_YEAR: Final = 365
NORMAL: Final = NormalDist()
EULER_GAMMA: Final = 0.5772156649015329


def annual_sharpe(daily: float) -> float:
    """The annual Sharpe ratio of independent days whose ratio is `daily`."""
    return float(daily * DAYS_A_YEAR**0.5)


def daily_sharpe(annual: float) -> float:
    return float(annual / DAYS_A_YEAR**0.5)
