"""What a strategy may honestly be expected to earn: its backtest, believed as far as its length allows."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alertd.performance.stats import overfitting, sharpe
from alertd.performance.stats.moments import Moments, long_run_ratio, moments
from alertd.performance.stats.numbers import NORMAL, Floats, annual_sharpe, daily_sharpe
from alertd.performance.stats.volatility import mean_deviation, scores

CLIP: Final = 3.0
LOW_QUANTILE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Trials:
    """How many configurations were tried before this one was chosen, and how their daily Sharpe ratios vary."""

    count: int
    sharpe_variance: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A reference, measured once. Daily log returns.

    `clip_bias` is what winsorising adds to the mean score, `long_run_ratio` by how much dependence
    inflates the variance of a sum of scores, `low_score` the score that one trading day in twenty is below.
    """

    moments: Moments
    mean_deviation: float
    clip_bias: float
    long_run_ratio: float
    low_score: float
    trials: Trials | None = None


@dataclass(frozen=True, slots=True)
class Prior:
    """What strategies earn before one knows anything of them: annual Sharpe ratio and its sd."""

    sharpe: float = 1.0
    sd: float = 1.0


PRIOR: Final = Prior()


@dataclass(frozen=True, slots=True)
class Expectation:
    """`sharpe` is annual and already shrunk, `error` the sd of what is not known of it, `drift` per day."""

    sharpe: float
    error: float
    drift: float
    daily_sd: float


def measure(returns: Floats, trials: Trials | None = None) -> Baseline:
    """The baseline of a reference whose daily log returns are known; at least two of them."""
    shape = moments(returns)
    if shape.sd == 0:
        return summarised(shape, trials)
    standard = scores(returns, shape.mean, shape.sd)
    clipped = np.clip(standard, -CLIP, CLIP)
    return Baseline(
        moments=shape,
        mean_deviation=mean_deviation(returns, shape.mean),
        clip_bias=float((clipped - standard).mean()),
        long_run_ratio=long_run_ratio(clipped),
        low_score=float(np.quantile(standard[returns != 0], LOW_QUANTILE)),  # idle days are never below it
        trials=trials,
    )


def summarised(shape: Moments, trials: Trials | None = None) -> Baseline:
    """The baseline of a reference of which only the moments are known: otherwise as a normal's."""
    return Baseline(
        moments=shape,
        mean_deviation=shape.sd * (2 / np.pi) ** 0.5,
        clip_bias=0.0,
        long_run_ratio=1.0,
        low_score=NORMAL.inv_cdf(LOW_QUANTILE),
        trials=trials,
    )


def expectation(baseline: Baseline, prior: Prior = PRIOR) -> Expectation:
    """The reference's Sharpe ratio, less what trying made of it, shrunk towards the prior.

    The weight is the precision's share, w = V / (V + se^2) with V the prior's variance: about one half
    for a year of backtest, 0.8 for four. Backtests deserve it: see Harvey & Liu, "Backtesting" (2015),
    and Wiecki et al., "All that glitters is not gold" (2016).
    """
    shape = baseline.moments
    observed = annual_sharpe(shape.sharpe - luck(baseline))
    error = annual_sharpe(sharpe.standard_error(shape.sharpe, shape.n))
    weight = prior.sd**2 / (prior.sd**2 + error**2)
    expected = weight * observed + (1 - weight) * prior.sharpe
    return Expectation(expected, prior.sd * (1 - weight) ** 0.5, daily_sharpe(expected) * shape.sd, shape.sd)


def luck(baseline: Baseline) -> float:
    """The daily Sharpe ratio that the best of as many worthless trials would have shown; 0 if none are known."""
    if baseline.trials is None or baseline.trials.count < 2:
        return 0.0
    variance = baseline.trials.sharpe_variance
    return overfitting.best_by_luck(baseline.trials.count, 1 / baseline.moments.n if variance is None else variance)
