"""Slow decay: one cumulative sum of shortfalls, with the same constants for every strategy.

E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954).
"""

from typing import Final

import numpy as np

from alertd.performance.stats.expectation import CLIP
from alertd.performance.stats.numbers import Real

ALLOWANCE: Final = 0.125  # tuned to a loss of a quarter sd a day
# Within a year about 1 healthy strategy in 4 passes the first, and 1 in 18 the second (docs/performance.md).
WARNING: Final = 12.0
CRITICAL: Final = 17.5
CLEAR: Final = WARNING / 2


def score(value: Real, expected: Real, sd: Real, *, clip_bias: Real, long_run_ratio: Real) -> Real:
    """One day's shortfall or surplus: standardised, winsorised at 3, corrected for what that does.

    `sd` is the present one, of as many days as `value` spans. Without the correction for skew a
    trend follower (skew +2) would be accused twice as often; without the long-run ratio a strategy
    with autocorrelation 0.2 would.
    """
    clipped = np.clip((value - expected) / sd, -CLIP, CLIP)
    return (clipped - clip_bias) / np.sqrt(long_run_ratio)


def advance(total: Real, day_score: Real, allowance: float = ALLOWANCE) -> Real:
    """The sum after one more day; it grows with shortfalls and never falls under 0."""
    return np.maximum(0.0, total - day_score - allowance)
