"""Trailing windows over many strategies at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.detecting.population import Floats


def trailing(values: Floats, days: int, *, least: int) -> Floats:
    """The mean of the last `days`, of fewer at the start, NaN before there are `least`."""
    sums = np.cumsum(values, axis=1)
    sums[:, days:] -= sums[:, :-days].copy()
    counts = np.minimum(np.arange(1, values.shape[1] + 1), days)
    return np.where(counts >= least, sums / counts, np.nan)


@dataclass(frozen=True, slots=True)
class Window:
    """Moments of the window that ends on each day, as `stats.moments` has them; NaN before there are enough days."""

    n: Floats
    mean: Floats
    sd: Floats
    skew: Floats
    kurtosis: Floats

    @property
    def sharpe(self) -> Floats:
        """Per day."""
        return self.mean / self.sd


def of_days(values: Floats, days: int, *, least: int) -> Window:
    squares = values * values
    powers = (values, squares, squares * values, squares * squares)
    mean, square, cube, fourth = (trailing(power, days, least=least) for power in powers)
    variance = square - mean**2
    third = cube - 3 * mean * square + 2 * mean**3
    quartic = fourth - 4 * mean * cube + 6 * mean**2 * square - 3 * mean**4
    n = np.broadcast_to(np.minimum(np.arange(1.0, values.shape[1] + 1), days), values.shape)
    return Window(n, mean, np.sqrt(variance * n / (n - 1)), third / variance**1.5, quartic / variance**2)


def held(levels: NDArray[np.int8], every: int) -> NDArray[np.int8]:
    """What a rule that is asked once in `every` days says in between."""
    asked = np.arange(levels.shape[1]) // every * every
    return np.where(np.arange(levels.shape[1]) < every, 0, levels[:, asked]).astype(np.int8)
