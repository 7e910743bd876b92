"""Does live trading keep what the backtest had? Retention of the Sharpe ratio, and the published scores beside it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alertd.performance.stats import sharpe
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import NORMAL, Floats, Real

FOLD_DAYS: Final = 30


def retention_score(
    live_sharpe: Real, live_variance: Real, reference_sharpe: Real, reference_variance: Real, keep: float
) -> Real:
    """Whether live Sharpe is below `keep` times the reference's: standard normal if it is just that.

    (SR_live - f SR_ref) / sqrt(V_live + f^2 V_ref), with the variances of `sharpe.variance`, which hold
    their size on heavy tails and volatility clusters where the normal form does not.
    """
    error = np.sqrt(live_variance + keep**2 * reference_variance)
    return (live_sharpe - keep * reference_sharpe) / error


def retention(live: Moments, reference: Moments, keep: float) -> float:
    """The probability of a live record this poor if it truly keeps `keep` of the reference's Sharpe; in [0, 1]."""
    score = retention_score(
        live.sharpe, sharpe.variance_of(live), reference.sharpe, sharpe.variance_of(reference), keep
    )
    return NORMAL.cdf(float(score))


def out_of_sample_score(live: Moments, reference: Moments) -> float:
    """100 times the probability that live keeps at least half of the reference's Sharpe; [0, 100]."""
    return 100.0 * retention(live, reference, 0.5)


@dataclass(frozen=True, slots=True)
class Folds:
    """Whole months of 30 days, the latest one last; a fold wins when its mean return is above 0."""

    count: int
    winning: int


def walk_forward_efficiency(live: Moments, reference: Moments) -> float:
    """Mean live return in percent of the reference's mean, which must be positive."""
    return 100.0 * live.mean / reference.mean


def folds(returns: Floats) -> Folds:
    count = len(returns) // FOLD_DAYS
    months = returns[len(returns) - count * FOLD_DAYS :].reshape(count, FOLD_DAYS)
    return Folds(count, int((months.mean(axis=1) > 0).sum()))
