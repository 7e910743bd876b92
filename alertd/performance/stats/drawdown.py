"""How far below a mark an equity curve is, in the three ways that limits are written; and how likely that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from alertd.performance.stats.bootstrap import block_length, resampled
from alertd.performance.stats.cone import SHORTEST_BLOCK
from alertd.performance.stats.expectation import Expectation
from alertd.performance.stats.numbers import DAYS_A_YEAR, Floats

PATHS: Final = 2000


class DrawdownMode(StrEnum):
    """What a drawdown is measured from."""

    STATIC = "static"  # the start
    TRAILING = "trailing"  # the highest level so far
    END_OF_DAY = "end_of_day"  # the highest closing level of a day so far


def depths(levels: Floats, mode: DrawdownMode, closings: NDArray[np.bool_]) -> Floats:
    """The drawdown at each level, as a fraction in [0, 1]; 0 above the mark.

    `levels` are of a flow-adjusted index and positive; `closings` marks those that close a day and
    matters to END_OF_DAY only.
    """
    match mode:
        case DrawdownMode.STATIC:
            marks = np.full_like(levels, levels[0])
        case DrawdownMode.TRAILING:
            marks = np.maximum.accumulate(levels)
        case DrawdownMode.END_OF_DAY:
            marks = np.maximum.accumulate(np.where(closings, levels, levels[0]))
        case _:
            assert_never(mode)
    return np.clip(1.0 - levels / marks, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class YearAhead:
    """The deepest drawdown within a year of each of many simulated healthy years, sorted; fractions."""

    drawdowns: Floats

    def quantile(self, share: float) -> float:
        """The drawdown that `share` of healthy years stay within."""
        return float(np.quantile(self.drawdowns, share))

    def chance_of(self, limit: float) -> float:
        """The share of healthy years that reach this limit."""
        return float((self.drawdowns >= limit).mean())


def year_ahead(
    returns: Floats, expected: Expectation, mode: DrawdownMode, chance: np.random.Generator, paths: int = PATHS
) -> YearAhead:
    """From a reference's daily log returns, resampled and recentred to what is expected of them.

    Days close at every level, so TRAILING and END_OF_DAY agree and are a little shallower than a limit
    that is watched within the day.
    """
    block = max(SHORTEST_BLOCK, block_length(returns))
    chosen = resampled(len(returns), paths=paths, days=DAYS_A_YEAR, block=block, chance=chance)
    steps = returns[chosen] - returns.mean() + expected.drift
    levels = np.cumsum(np.concatenate([np.zeros((paths, 1)), steps], axis=1), axis=1)
    marks = np.zeros_like(levels) if mode is DrawdownMode.STATIC else np.maximum.accumulate(levels, axis=1)
    return YearAhead(np.sort(np.maximum(1.0 - np.exp((levels - marks).min(axis=1)), 0.0)))
