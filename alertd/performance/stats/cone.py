"""Where the cumulative return should be after so many days, with a band that holds for all days at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alertd.performance.stats.bootstrap import block_length, resampled
from alertd.performance.stats.expectation import Expectation
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import Floats, annual_sharpe
from alertd.performance.stats.sharpe import standard_error

PATHS: Final = 2000
FIRST_DAY: Final = 5  # before it a single bad day would be the whole story
SHORTEST_BLOCK: Final = 5.0
WARNING_SHARE: Final = 0.05  # of healthy strategies that are ever below
CRITICAL_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Cone:
    """Cumulative log returns; element 0 is the end of the first day.

    A healthy strategy is below `warning` on any day from the fifth on with probability 5 %, below
    `critical` with 1 %.
    """

    expected: tuple[float, ...]
    warning: tuple[float, ...]
    critical: tuple[float, ...]


def cone(
    returns: Floats | None,
    shape: Moments,
    expected: Expectation,
    *,
    days: int,
    chance: np.random.Generator,
    paths: int = PATHS,
) -> Cone:
    """From reference returns (daily log), or without them from normal ones of the same `shape`.

    Paths are stationary-bootstrap resamples, recentred to the expectation; each has an error of its own
    in the drift, because the reference is only a sample: the deviation of a resampled reference's mean,
    made as large as the error that is left in the expectation. The band is mean - q sd, with q the
    quantile over paths of the largest standardised shortfall.
    """
    sample = chance.normal(shape.mean, shape.sd, shape.n) if returns is None else returns
    deviations = sample - sample.mean()
    block = max(SHORTEST_BLOCK, block_length(sample))
    n = len(sample)
    steps = deviations[resampled(n, paths=paths, days=days, block=block, chance=chance)]
    drift_error = deviations[resampled(n, paths=paths, days=n, block=block, chance=chance)].mean(axis=1)
    when = np.arange(1, days + 1)
    left = expected.error / annual_sharpe(standard_error(shape.sharpe, shape.n))
    routes = np.cumsum(steps, axis=1) + np.outer(drift_error * left, when)
    spread = routes.std(axis=0)
    centre = routes.mean(axis=0)
    shortfalls = ((centre - routes) / np.maximum(spread, 1e-300))[:, min(FIRST_DAY, days) - 1 :].max(axis=1)
    warning, critical = np.quantile(shortfalls, (1 - WARNING_SHARE, 1 - CRITICAL_SHARE))
    middle = expected.drift * when
    return Cone(
        expected=tuple(middle.tolist()),
        warning=tuple((middle - warning * spread).tolist()),
        critical=tuple((middle - critical * spread).tolist()),
    )
