"""Other histories that a strategy might have had: the stationary bootstrap, reproducible from its generator.

Politis & Romano, "The stationary bootstrap", JASA (1994).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alertd.performance.stats.numbers import Floats

CALM_LAGS: Final = 5  # this many insignificant lags in a row end the search for dependence


def resampled(n: int, *, paths: int, days: int, block: float, chance: np.random.Generator) -> NDArray[np.int64]:
    """Indices into a sample of n, shape (paths, days): blocks of geometric length with mean `block`, wrapped."""
    when = np.arange(days)
    jumps = chance.random((paths, days)) < 1 / block
    jumps[:, 0] = True
    last_jump = np.maximum.accumulate(np.where(jumps, when, 0), axis=1)
    starts = np.take_along_axis(chance.integers(0, n, (paths, days)), last_jump, axis=1)
    return (starts + when - last_jump) % n


def block_length(values: Floats) -> float:
    """The mean block length, in days, that suits this sample's autocorrelation; at least 1.

    Politis & White (2004) with the correction of Patton, Politis & White (2009), for the stationary bootstrap.
    """
    n = len(values)
    deviations = values - values.mean()
    lags = min(math.ceil(math.sqrt(n)) + CALM_LAGS, n - 1)
    covariances = np.array([np.dot(deviations[lag:], deviations[: n - lag]) / n for lag in range(lags + 1)])
    if lags <= CALM_LAGS or covariances[0] <= 0:
        return 1.0
    significant = np.abs(covariances[1:] / covariances[0]) >= 2 * math.sqrt(math.log10(n) / n)
    reach = min(2 * max(_dependent_lags(significant), 1), lags)
    lag = np.arange(1, reach + 1)
    weighted = np.minimum(1.0, 2 * (1 - lag / reach)) * covariances[1 : reach + 1]
    curvature = 2 * float((lag * weighted).sum())
    spectrum = (covariances[0] + 2 * float(weighted.sum())) ** 2
    ceiling = math.ceil(min(3 * math.sqrt(n), n / 3))
    return max(1.0, min(math.cbrt(curvature**2 / spectrum * n), ceiling))


def _dependent_lags(significant: NDArray[np.bool_]) -> int:
    """After how many lags dependence ends; where it never does, the last significant one."""
    calm = (lag for lag in range(len(significant) - CALM_LAGS + 1) if not significant[lag : lag + CALM_LAGS].any())
    found = np.flatnonzero(significant)
    return next(calm, int(found[-1]) + 1 if len(found) else 0)
