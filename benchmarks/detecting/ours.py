"""The daemon's rules on many strategies at once: its own formulas, which work element by element.

A test holds that this and the checks themselves say the same of the same days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alertd.config import PerformanceSettings
from alertd.performance.rules import drift as drift_rule
from alertd.performance.rules import forward, retention, sharpe
from alertd.performance.rules.sudden import TAIL_DAYS
from alertd.performance.stats import breaches, cusum, tail
from alertd.performance.stats import sharpe as ratios
from alertd.performance.stats.expectation import Baseline, expectation, measure
from alertd.performance.stats.numbers import NORMAL, daily_sharpe
from alertd.performance.stats.stability import retention_score
from alertd.performance.stats.volatility import next_variance, present_sd
from benchmarks.detecting.population import Floats
from benchmarks.detecting.windows import Window, held, of_days, trailing

Levels = NDArray[np.int8]  # strategies x days: 0 nothing, 1 warning, 2 critical

SETTINGS: Final = PerformanceSettings()
WEEK: Final = 7
MONTH: Final = 30


@dataclass(frozen=True, slots=True)
class Baselines:
    """One element for each strategy."""

    n: int
    mean: Floats
    sd: Floats
    skew: Floats
    kurtosis: Floats
    mean_deviation: Floats
    clip_bias: Floats
    long_run_ratio: Floats
    low_score: Floats
    drift: Floats


def measured(references: Floats) -> Baselines:
    return stacked([measure(returns) for returns in references])


def stacked(baselines: Sequence[Baseline]) -> Baselines:
    def column(values: Sequence[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    shapes = [baseline.moments for baseline in baselines]
    return Baselines(
        n=shapes[0].n,
        mean=column([shape.mean for shape in shapes]),
        sd=column([shape.sd for shape in shapes]),
        skew=column([shape.skew for shape in shapes]),
        kurtosis=column([shape.kurtosis for shape in shapes]),
        mean_deviation=column([baseline.mean_deviation for baseline in baselines]),
        clip_bias=column([baseline.clip_bias for baseline in baselines]),
        long_run_ratio=column([baseline.long_run_ratio for baseline in baselines]),
        low_score=column([baseline.low_score for baseline in baselines]),
        drift=column([expectation(baseline).drift for baseline in baselines]),
    )


def levels(live: Floats, known: Baselines) -> Mapping[str, Levels]:
    """Each rule of each check that weighs evidence, on each day."""
    window = of_days(live, retention.WINDOW_DAYS, least=sharpe.LEAST_DAYS)
    return {
        **daily_levels(live, known),
        "stability (weekly)": held(_stability(window, known), WEEK),
        "forward test (monthly)": held(_forward(window, known), MONTH),
        "Sharpe ratio": _sharpe(window),
    }


def daily_levels(live: Floats, known: Baselines) -> Mapping[str, Levels]:
    """Those of the daily check."""
    sums, shortfalls, flags = _daily(live, known)
    return {
        "drift": _drift(live, known, sums),
        "day tail": _day_tail(shortfalls),
        "volatility": _volatility(live, known),
        "interval breaches": _breaches(live, flags),
    }


def _daily(live: Floats, known: Baselines) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The sum of shortfalls, the day's shortfall in sd, and whether it is below the interval."""
    sums, shortfalls, flags = np.empty_like(live), np.empty_like(live), np.empty(live.shape, dtype=bool)
    variance, total = known.sd**2, np.zeros(len(live))
    for day, value in enumerate(live.T):
        sd = present_sd(variance, known.sd)
        score = cusum.score(value, known.drift, sd, clip_bias=known.clip_bias, long_run_ratio=known.long_run_ratio)
        total = cusum.advance(total, score)
        sums[:, day] = total
        shortfalls[:, day] = tail.day_loss(value, known.mean, sd)
        flags[:, day] = value < breaches.lower_bound(known.drift, sd, known.low_score)
        variance = next_variance(variance, value - known.mean)
    return sums, shortfalls, flags


def _graded(warning: NDArray[np.bool_], critical: NDArray[np.bool_]) -> Levels:
    return np.where(critical, 2, np.where(warning, 1, 0)).astype(np.int8)


def _drift(live: Floats, known: Baselines, sums: Floats) -> Levels:
    days = np.arange(1, live.shape[1] + 1)
    whole = 100 * (1 - np.cumsum(live, axis=1) / (known.drift[:, None] * days))
    recent = 100 * (1 - trailing(live, 30, least=1) / known.drift[:, None])
    missing = np.where(known.drift[:, None] > 0, np.maximum(whole, recent), np.inf)
    missing[:, : drift_rule.LEAST_DAYS - 1] = -np.inf
    return _graded(
        (sums > cusum.WARNING) & (missing >= SETTINGS.pnl_deviation_warning_percent),
        (sums > cusum.CRITICAL) & (missing >= SETTINGS.pnl_deviation_critical_percent),
    )


def _day_tail(shortfalls: Floats) -> Levels:
    worst = shortfalls.copy()
    for back in range(1, TAIL_DAYS.days):
        worst[:, back:] = np.maximum(worst[:, back:], shortfalls[:, :-back])
    return _graded(worst > tail.DAY_WARNING, worst > tail.DAY_CRITICAL)


def _volatility(live: Floats, known: Baselines) -> Levels:
    deviation = trailing(np.abs(live - known.mean[:, None]), tail.VOLATILITY_DAYS, least=tail.VOLATILITY_DAYS)
    ratio = tail.volatility_ratio(deviation, known.mean_deviation[:, None])
    return _graded(ratio > tail.VOLATILITY_WARNING, np.zeros(live.shape, dtype=bool))


def _breaches(live: Floats, flags: NDArray[np.bool_]) -> Levels:
    """Over days that were not idle: an idle day repeats what the day before it said."""
    found = np.zeros(live.shape, dtype=np.int8)
    run, traded = np.zeros(len(live), dtype=int), np.zeros(len(live), dtype=int)
    latest = np.zeros((len(live), breaches.WINDOW), dtype=bool)
    everybody = np.arange(len(live))
    for day in range(live.shape[1]):
        active = live[:, day] != 0
        run = np.where(active, np.where(flags[:, day], run + 1, 0), run)
        place = traded % breaches.WINDOW
        latest[everybody, place] = np.where(active, flags[:, day], latest[everybody, place])
        traded += active
        count, enough = latest.sum(axis=1), traded >= breaches.WINDOW
        found[:, day] = _graded(
            enough & ((run >= SETTINGS.breaches_warning) | (count >= breaches.WARNING_OF_WINDOW)),
            enough & ((run >= SETTINGS.breaches_critical) | (count >= breaches.CRITICAL_OF_WINDOW)),
        )
    return found


def _retention(window: Window, known: Baselines, keep: float) -> Floats:
    """The score of every day's trailing window; NaN while it is too short."""
    own = known.mean / known.sd
    score = retention_score(
        window.sharpe,
        ratios.variance(window.sharpe, window.skew, window.kurtosis, window.n),
        own[:, None],
        ratios.variance(own, known.skew, known.kurtosis, known.n)[:, None],
        keep,
    )
    return np.where(window.n >= retention.LEAST_DAYS, score, np.nan)


def _stability(window: Window, known: Baselines) -> Levels:
    efficiency = 100 * window.mean / known.mean[:, None]
    found = [
        (_retention(window, known, percent / 100) < NORMAL.inv_cdf(chance)) & (efficiency < percent)
        for percent, chance in (
            (SETTINGS.walk_forward_warning, retention.WARNING_CHANCE),
            (SETTINGS.walk_forward_critical, retention.CRITICAL_CHANCE),
        )
    ]
    return _graded(found[0], found[1])


def _forward(window: Window, known: Baselines) -> Levels:
    score = _retention(window, known, 1.0)
    loss = 100 * (1 - window.sharpe / (known.mean / known.sd)[:, None])
    warning = max(forward.LEAST_LOSS, SETTINGS.pnl_deviation_warning_percent)
    return _graded(
        (loss >= warning) & (score < NORMAL.inv_cdf(forward.WARNING_CHANCE)),
        (loss >= SETTINGS.pnl_deviation_critical_percent) & (score < NORMAL.inv_cdf(forward.CRITICAL_CHANCE)),
    )


def _sharpe(window: Window) -> Levels:
    error = np.sqrt(ratios.variance(window.sharpe, window.skew, window.kurtosis, window.n))
    found = [
        (window.sharpe - daily_sharpe(target)) / error < NORMAL.inv_cdf(chance)
        for target, chance in (
            (SETTINGS.sharpe_warning, sharpe.WARNING_CHANCE),
            (SETTINGS.sharpe_critical, sharpe.CRITICAL_CHANCE),
        )
    ]
    return _graded(found[0], found[1])
