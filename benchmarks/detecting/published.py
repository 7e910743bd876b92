"""The published thresholds as they stand, on correct daily returns: what they would say of the same strategies."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alertd.performance.stats import sharpe as ratios
from alertd.performance.stats.numbers import DAYS_A_YEAR, NORMAL
from benchmarks.detecting.ours import SETTINGS, WEEK, Baselines, Levels
from benchmarks.detecting.population import Floats
from benchmarks.detecting.windows import held, of_days, trailing

MONTH: Final = 30
RATES: Final = (0.15, 0.25)  # of the last 30 days outside the interval
CHARITABLE: Final = ("interval", "Sharpe ratio", "drawdown")


def levels(live: Floats, known: Baselines) -> Mapping[str, Levels]:
    return {
        "P&L deviation": _deviation(live, known),
        "interval": _interval(live, known),
        "Sharpe ratio": _at_most(rolling_sharpe(live, MONTH), SETTINGS.sharpe_warning, SETTINGS.sharpe_critical),
        "drawdown": _drawdown(live),
        "stability": held(_stability(live, known), WEEK),
    }


def rolling_sharpe(live: Floats, days: int) -> Floats:
    """Annual; NaN before there are as many days."""
    window = of_days(live, days, least=days)
    return np.sqrt(DAYS_A_YEAR) * window.sharpe


def _at_most(values: Floats, warning: float, critical: float) -> Levels:
    return np.where(values < critical, 2, np.where(values < warning, 1, 0)).astype(np.int8)


def _deviation(live: Floats, known: Baselines) -> Levels:
    """A day's P&L against the day's projection, in percent of it."""
    percent = 100 * np.abs(live - known.mean[:, None]) / known.mean[:, None]
    return _at_most(-percent, -SETTINGS.pnl_deviation_warning_percent, -SETTINGS.pnl_deviation_critical_percent)


def _interval(live: Floats, known: Baselines) -> Levels:
    """Days outside the two-sided 95 % interval of the reference: in a row, or as a share of 30."""
    outside = np.abs(live - known.mean[:, None]) > NORMAL.inv_cdf(0.975) * known.sd[:, None]
    run, runs = np.zeros(len(live), dtype=int), np.empty(live.shape, dtype=int)
    for day in range(live.shape[1]):
        run = np.where(outside[:, day], run + 1, 0)
        runs[:, day] = run
    rate = trailing(outside.astype(np.float64), MONTH, least=MONTH)
    warning = (runs >= SETTINGS.breaches_warning) | (rate >= RATES[0])
    critical = (runs >= SETTINGS.breaches_critical) | (rate >= RATES[1])
    return np.where(critical, 2, np.where(warning, 1, 0)).astype(np.int8)


def _drawdown(live: Floats) -> Levels:
    worth = np.cumsum(live, axis=1)
    percent = 100 * (1 - np.exp(worth - np.maximum(np.maximum.accumulate(worth, axis=1), 0)))
    return _at_most(-percent, -SETTINGS.drawdown_warning_percent, -SETTINGS.drawdown_critical_percent)


def _stability(live: Floats, known: Baselines) -> NDArray[np.int8]:
    window = of_days(live, 180, least=90)
    ratio, own = window.sharpe, (known.mean / known.sd)[:, None]
    efficiency = 100 * window.mean / known.mean[:, None]
    error = np.sqrt(
        ratios.variance(ratio, window.skew, window.kurtosis, window.n)
        + ratios.variance(own, known.skew[:, None], known.kurtosis[:, None], known.n) / 4
    )
    score = 100 * _phi((ratio - own / 2) / error)
    return np.maximum(
        _at_most(efficiency, SETTINGS.walk_forward_warning, SETTINGS.walk_forward_critical),
        _at_most(score, SETTINGS.out_of_sample_warning, SETTINGS.out_of_sample_critical),
    )


def _phi(scores: Floats) -> Floats:
    return np.vectorize(NORMAL.cdf)(scores)
