"""Sudden trouble: one day far out of what the days before it promised, or weeks that move too much."""

from typing import Final

from alertd.performance.stats.numbers import Real

DAY_WARNING: Final = 6.0  # sd
DAY_CRITICAL: Final = 10.0
VOLATILITY_DAYS: Final = 21
VOLATILITY_WARNING: Final = 3.0  # times the reference
VOLATILITY_NOTED: Final = 2.0


def day_loss(value: Real, mean: Real, sd: Real) -> Real:
    """By how many present sd a day fell short of the reference's mean."""
    return (mean - value) / sd


def volatility_ratio(mean_deviation: Real, reference_deviation: Real) -> Real:
    """Mean absolute deviation of the last days over the reference's."""
    return mean_deviation / reference_deviation
