"""What can be said of a reference before anything is live: is it luck, is it long enough, are its limits feasible?"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from alertd.performance.reference import LEAST_DAYS, Reference
from alertd.performance.stats import overfitting, sharpe
from alertd.performance.stats.drawdown import DrawdownMode, YearAhead, year_ahead
from alertd.performance.stats.expectation import Trials, expectation
from alertd.performance.stats.limits import Limit
from alertd.performance.stats.moments import Moments, autocorrelation
from alertd.performance.stats.numbers import DAYS_A_YEAR, Floats, annual_sharpe

CONFIDENCE: Final = 0.95


class Outlook(StrEnum):
    """What to make of a reference."""

    PLAUSIBLE = "plausible"
    LIKELY_OVERFIT = "likely_overfit"  # no better than the best of so many worthless trials
    TRIALS_UNKNOWN = "trials_unknown"
    TOO_SHORT = "too_short"  # supports limits only
    NO_EDGE = "no_edge"  # earned nothing, or never moved


ADVICE: Final = {
    Outlook.PLAUSIBLE: "Better than luck among the configurations that were tried.",
    Outlook.LIKELY_OVERFIT: "Not better than the best of as many worthless configurations would look. "
    "Expect nothing of it, or test it on data that chose nothing.",
    Outlook.TRIALS_UNKNOWN: "Tell how many configurations were tried: the best of fifty worthless ones looks good too.",
    Outlook.TOO_SHORT: f"Needs at least {LEAST_DAYS} days before evidence can be weighed; limits work at once.",
    Outlook.NO_EDGE: "There is no edge that live could keep; limits work.",
}


@dataclass(frozen=True, slots=True)
class Registration:
    """Sharpe ratios are annual, probabilities in [0, 1], drawdowns percent; None where it cannot be known.

    `autocorrelated_sharpe` is what the ratio would be if days are an AR(1). `above_zero` is PSR(0) of
    2012, `days_needed` the length that makes it sure at 5 %. `deflated` is the DSR, `years_needed` the
    backtest whose Sharpe luck does not reach. `drawdown_95` is what 95 % of healthy years stay within,
    the two shares are of healthy years that reach a limit.
    """

    outlook: Outlook
    advice: str
    days: int
    sharpe: float
    autocorrelated_sharpe: float | None
    expected_sharpe: float
    above_zero: float
    days_needed: float | None
    deflated: float | None
    years_needed: float | None
    drawdown_95: float | None
    reaches_warning: float | None
    reaches_critical: float | None


def registered(reference: Reference, limit: Limit, mode: DrawdownMode, *, seed: int) -> Registration:
    """The report on one reference, and on a drawdown `limit` (percent) that is to go with it."""
    baseline = reference.baseline
    shape, trials = baseline.moments, baseline.trials
    deflated, years = _against_luck(shape, trials)
    ahead = _year_ahead(reference, mode, seed)
    needed = sharpe.min_track_record(shape, 0.0)
    outlook = _outlook(shape, trials, deflated)
    return Registration(
        outlook=outlook,
        advice=ADVICE[outlook],
        days=shape.n,
        sharpe=annual_sharpe(shape.sharpe),
        autocorrelated_sharpe=None if reference.returns is None else _autocorrelated(shape, reference.returns),
        expected_sharpe=expectation(baseline).sharpe,
        above_zero=sharpe.psr_2012(shape, 0.0),
        days_needed=needed if math.isfinite(needed) else None,
        deflated=deflated,
        years_needed=years,
        drawdown_95=None if ahead is None else 100 * ahead.quantile(CONFIDENCE),
        reaches_warning=None if ahead is None else ahead.chance_of(limit.warning / 100),
        reaches_critical=None if ahead is None else ahead.chance_of(limit.critical / 100),
    )


def _outlook(shape: Moments, trials: Trials | None, deflated: float | None) -> Outlook:
    if shape.n < LEAST_DAYS:
        return Outlook.TOO_SHORT
    if shape.sharpe <= 0:
        return Outlook.NO_EDGE
    if trials is None or deflated is None:
        return Outlook.TRIALS_UNKNOWN
    return Outlook.PLAUSIBLE if deflated >= CONFIDENCE else Outlook.LIKELY_OVERFIT


def _against_luck(shape: Moments, trials: Trials | None) -> tuple[float | None, float | None]:
    if trials is None or shape.sharpe <= 0:
        return None, None
    variance = 1 / shape.n if trials.sharpe_variance is None else trials.sharpe_variance
    deflated = overfitting.deflated(shape, trials.count, variance)
    return deflated, overfitting.min_backtest_years(trials.count, annual_sharpe(shape.sharpe))


def _autocorrelated(shape: Moments, returns: Floats) -> float:
    return shape.sharpe * sharpe.lo_factor(DAYS_A_YEAR, autocorrelation(returns, 1))


def _year_ahead(reference: Reference, mode: DrawdownMode, seed: int) -> YearAhead | None:
    if reference.returns is None or not reference.is_enough:
        return None
    chance = np.random.Generator(np.random.PCG64(seed))
    return year_ahead(reference.returns, expectation(reference.baseline), mode, chance)
