"""Days below an honest one-day interval, and how many of them are too many."""

from collections.abc import Sequence
from typing import Final

from alertd.performance.stats.numbers import Real

WINDOW: Final = 30  # days that were not idle
# The published 15 % of 30 days is met by healthy strategies at 0.44 a year; 7 of 30 is not.
WARNING_OF_WINDOW: Final = 7
CRITICAL_OF_WINDOW: Final = 8


def lower_bound(drift: Real, sd: Real, low_score: Real) -> Real:
    """The return that a day with this drift and present sd is below once in twenty."""
    return drift + sd * low_score


def in_a_row(flags: Sequence[bool]) -> int:
    """How many of the latest days are breaches without a gap; the latest flag is the last."""
    return next((back for back, flag in enumerate(reversed(flags)) if not flag), len(flags))
