"""Printed values of the papers that the formulas come from."""

import numpy as np
import pytest

from alertd.performance.stats import cusum, overfitting, sharpe
from alertd.performance.stats.moments import Moments, moments
from alertd.performance.stats.numbers import NORMAL
from tests.performance import making

# Hedge fund index, monthly: Bailey & Lopez de Prado (2012).
NORMAL_FUND = Moments(24, 0.458, 1.0)
REAL_FUND = Moments(24, 0.458, 1.0, -2.448, 10.164)


@pytest.mark.parametrize(("fund", "printed"), [(NORMAL_FUND, 0.982), (REAL_FUND, 0.913)])
def test_the_probability_that_a_sharpe_ratio_is_above_zero(fund, printed):
    assert sharpe.psr_2012(fund, 0.0) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(("a_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_shortest_record_that_shows_sharpe_2_to_be_above_1(a_year, years):
    shape = Moments(999, 2 / a_year**0.5, 1.0)

    assert sharpe.min_track_record(shape, 1 / a_year**0.5) / a_year == pytest.approx(years, abs=5e-3)


def test_no_record_shows_a_ratio_to_be_above_what_it_is_not():
    assert sharpe.min_track_record(Moments(100, 0.05, 1.0), 0.05) == float("inf")


def test_the_deflated_sharpe_ratio():
    shape = Moments(1250, 2.5 / 250**0.5, 1.0, -3.0, 10.0)

    assert overfitting.best_by_luck(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    assert overfitting.deflated(shape, 100, 0.5 / 250) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(("trials", "printed"), [(1, 0.0), (10, 1.5746), (45, 2.2356)])
def test_the_best_of_many_standard_normals(trials, printed):
    assert overfitting.expected_maximum(trials) == pytest.approx(printed, abs=5e-5)


@pytest.mark.parametrize(("trials", "years"), [(45, 5.0), (7, 1.92)])
def test_the_backtest_that_luck_does_not_fill(trials, years):
    assert overfitting.min_backtest_years(trials, 1.0) == pytest.approx(years, abs=5e-3)


@pytest.mark.parametrize(("skew", "kurtosis", "printed"), [(-2.448, 10.164, 0.329), (0.0, 3.0, 0.214)])
def test_the_sd_of_a_sharpe_ratio(skew, kurtosis, printed):
    """The source divides by n = 24, ours by n - 1."""
    assert sharpe.variance(0.036 / 0.079, skew, kurtosis, 25) ** 0.5 == pytest.approx(printed, abs=1e-3)


@pytest.mark.parametrize(("rho", "printed"), [(0.2, 2.88), (0.0, 3.46), (-0.2, 4.17)])
def test_a_yearly_ratio_from_months_that_depend_on_each_other(rho, printed):
    assert sharpe.lo_factor(12, rho) == pytest.approx(printed, abs=5e-3)


@pytest.mark.parametrize(("ratio", "printed"), [(0.5, 0.137), (1.0, 0.158), (2.0, 0.224)])
def test_the_standard_error_of_sixty_months(ratio, printed):
    assert sharpe.standard_error(ratio, 60) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(("threshold", "shift", "printed"), [(4, 0, 335.4), (5, 0, 930.9), (4, 1, 8.38), (5, 2, 4.01)])
def test_the_run_length_of_a_one_sided_cusum(threshold, shift, printed):
    """Montgomery's table, allowance 0.5; his two-sided 168 and 465 are half of the first two."""
    chance = np.random.default_rng(5)
    total, length = np.zeros(6000), np.zeros(6000)
    running = np.ones(6000, dtype=bool)
    while running.any():
        total = cusum.advance(total, chance.normal(-shift, 1, 6000), 0.5)
        length += running
        running &= total <= threshold

    assert length.mean() == pytest.approx(printed, rel=0.05)


def test_a_record_with_a_gap_as_a_known_library_measures_it():
    """The sample of its own tests, 252 days a year; the missing day left out."""
    returns = np.array([0.01, 0.1, -0.04, 0.02, 0.03, 0.02, 0.01, -0.1])
    shape = moments(returns)

    assert shape.sharpe * 252**0.5 == pytest.approx(1.7238613961706866)
    assert shape.sd * 252**0.5 == pytest.approx(0.9136465399704637)
    assert making.deepest_fall(returns) == pytest.approx(0.1)


def test_the_expected_drawdown_of_a_driftless_walk():
    """1.2533 sigma sqrt(T), Magdon-Ismail et al. (2004); looking only once a day sees a little less."""
    walks = np.random.default_rng(3).normal(0, 0.0005, (1500, 2500))

    deepest = np.apply_along_axis(making.deepest_fall, 1, walks)

    assert deepest.mean() == pytest.approx(1.2533 * 0.0005 * 2500**0.5, rel=0.04)


def test_the_physical_limit():
    """Days until a loss of 0.25 sd a day is 80 % sure to be noticed at 5 %."""
    reach = NORMAL.inv_cdf(0.95) + NORMAL.inv_cdf(0.80)

    assert (reach / 0.25) ** 2 == pytest.approx(98.9, abs=0.1)
