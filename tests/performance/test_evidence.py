"""Each rule that weighs evidence, at both sides of each of its thresholds."""

from datetime import date, timedelta

import numpy as np
import pytest

from alertd.alerts.lifecycle import Sign
from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Status
from alertd.performance.rules.breaches import interval_breaches
from alertd.performance.rules.drift import drift, pnl_deviation
from alertd.performance.rules.forward import forward_test
from alertd.performance.rules.retention import out_of_sample, stability, walk_forward
from alertd.performance.rules.sharpe import sharpe_ratio
from alertd.performance.rules.sudden import day_tail, volatility
from alertd.performance.stats.expectation import Expectation
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.stability import Folds
from alertd.performance.subject import ValidationWindow
from alertd.performance.track import Seen, Track
from tests.performance.making import THRESHOLDS, YESTERDAY, reference

EXPECTED = Expectation(sharpe=1.5, error=0.7, drift=0.001, daily_sd=0.02)
REFERENCE = reference()
CERTAIN = 10**9  # days of a reference without any error


def seen(*, shortfall: float = 0.0, deviation: float = 0.0, back: int = 0) -> Seen:
    return Seen(YESTERDAY - timedelta(days=back), 0.0, 0.001, shortfall, deviation)


def track(**more) -> Track:
    usual = {"observed": 100, "expected": 1.0, "live": -1.0, "climbs_from": date(2025, 12, 1), "recent": (seen(),)}
    return Track(variance=0.0004, **(usual | more))


def said(finding: Finding) -> tuple[Status, Sign]:
    return finding.status, finding.sign


@pytest.mark.parametrize(
    ("total", "status", "sign"),
    [
        (5.99, Status.OK, Sign.GOOD),
        (6.0, Status.OK, Sign.UNKNOWN),  # an open alert stays open
        (12.0, Status.OK, Sign.UNKNOWN),
        (12.01, Status.WARNING, Sign.BAD),
        (17.5, Status.WARNING, Sign.BAD),
        (17.51, Status.CRITICAL, Sign.BAD),
    ],
)
def test_drift(total, status, sign):
    assert said(drift(track(drift=total), EXPECTED, THRESHOLDS)) == (status, sign)


@pytest.mark.parametrize(
    ("missing", "status"),
    [(24.9, Status.INFO), (25.0, Status.WARNING), (49.9, Status.WARNING), (50.0, Status.CRITICAL)],
)
def test_the_published_deviations_are_floors_of_drift(missing, status):
    recent = (Seen(YESTERDAY, 1.0, 1.0, 0.0, 0.0),)
    found = drift(track(drift=20.0, live=1 - missing / 100, expected=1.0, recent=recent), EXPECTED, THRESHOLDS)

    assert found.status is status


def test_a_floor_that_somebody_raised_counts():
    settings = PerformanceSettings(pnl_deviation_warning_percent=300.0, pnl_deviation_critical_percent=400.0)

    assert said(drift(track(drift=20.0), EXPECTED, settings)) == (Status.INFO, Sign.UNKNOWN)


def test_where_nothing_was_expected_the_test_decides_alone():
    recent = (Seen(YESTERDAY, -0.1, -0.01, 0.0, 0.0),)

    assert drift(track(drift=20.0, expected=-1.0, recent=recent), EXPECTED, THRESHOLDS).status is Status.CRITICAL


@pytest.mark.parametrize(("days", "status"), [(4, Status.NO_DATA), (5, Status.CRITICAL)])
def test_drift_speaks_from_the_fifth_day(days, status):
    found = drift(track(drift=20.0, observed=days), EXPECTED, THRESHOLDS)

    assert found.status is status


def test_an_alert_says_since_when_how_much_and_how_rare():
    found = drift(track(drift=20.0, live_since=-0.1, expected_since=0.02), EXPECTED, THRESHOLDS)

    assert found.message == (
        "Earned -9.5% since 2025-12-01, expected were +2.0%: about 1 healthy strategy in 20 does this within a year."
    )


@pytest.mark.parametrize(
    ("shortfall", "status"),
    [(6.0, Status.OK), (6.01, Status.WARNING), (10.0, Status.WARNING), (10.01, Status.CRITICAL)],
)
def test_one_terrible_day(shortfall, status):
    assert day_tail(track(recent=(seen(shortfall=shortfall),)), YESTERDAY).status is status


@pytest.mark.parametrize(("back", "status"), [(2, Status.CRITICAL), (3, Status.OK)])
def test_a_terrible_day_is_spoken_of_for_three_days(back, status):
    recent = (seen(shortfall=11.0, back=back), seen())

    assert day_tail(track(recent=recent), YESTERDAY).status is status


@pytest.mark.parametrize(
    ("ratio", "status", "sign"),
    [
        (2.0, Status.OK, Sign.GOOD),
        (2.01, Status.INFO, Sign.UNKNOWN),
        (3.0, Status.INFO, Sign.UNKNOWN),
        (3.01, Status.WARNING, Sign.BAD),
        (50.0, Status.WARNING, Sign.BAD),  # moving a lot is never critical
    ],
)
def test_volatility(ratio, status, sign):
    usual = REFERENCE.baseline.mean_deviation
    recent = tuple(seen(deviation=ratio * usual - 1e-12) for _ in range(21))

    assert said(volatility(track(recent=recent), REFERENCE)) == (status, sign)


@pytest.mark.parametrize(
    ("in_a_row", "elsewhere", "status", "sign"),
    [
        (0, 0, Status.OK, Sign.GOOD),
        (0, 5, Status.OK, Sign.GOOD),
        (0, 6, Status.OK, Sign.UNKNOWN),
        (1, 0, Status.OK, Sign.UNKNOWN),
        (2, 4, Status.OK, Sign.UNKNOWN),
        (3, 0, Status.WARNING, Sign.BAD),
        (4, 0, Status.WARNING, Sign.BAD),
        (5, 0, Status.CRITICAL, Sign.BAD),
        (0, 7, Status.WARNING, Sign.BAD),
        (0, 8, Status.CRITICAL, Sign.BAD),
    ],
)
def test_interval_breaches(in_a_row, elsewhere, status, sign):
    spread = [True, False] * elsewhere
    flags = (*spread, *[False] * (30 - len(spread) - in_a_row), *[True] * in_a_row)

    assert said(interval_breaches(track(flags=flags), REFERENCE, THRESHOLDS)) == (status, sign)


@pytest.mark.parametrize(
    ("in_a_row", "elsewhere", "statistic", "threshold"), [(5, 0, 5, 5), (3, 0, 3, 3), (1, 6, 7, 7), (0, 8, 8, 8)]
)
def test_breaches_say_what_decided(in_a_row, elsewhere, statistic, threshold):
    flags = (*[True, False] * elsewhere, *[False] * (30 - 2 * elsewhere - in_a_row), *[True] * in_a_row)

    found = interval_breaches(track(flags=flags), REFERENCE, THRESHOLDS)

    assert (found.statistic, found.threshold) == (statistic, threshold)


@pytest.mark.parametrize(("reference_days", "live_days", "have", "need"), [(89, 30, 89, 90), (365, 29, 29, 30)])
def test_breaches_need_enough_of_both(reference_days, live_days, have, need):
    found = interval_breaches(track(flags=(True,) * live_days), reference(reference_days), THRESHOLDS)

    assert (found.status, found.have, found.need) == (Status.NO_DATA, have, need)


@pytest.mark.parametrize(("missing", "status"), [(24.9, Status.OK), (25.0, Status.INFO), (500.0, Status.INFO)])
def test_the_published_deviation_is_shown_and_wakes_nobody(missing, status):
    recent = (Seen(YESTERDAY, 1.0, 1.0, 0.0, 0.0),)
    found = pnl_deviation(track(live=1 - missing / 100, expected=1.0, recent=recent), THRESHOLDS)

    assert found.status is status


def two_points(daily_sharpe: float) -> np.ndarray:
    """A hundred days of which a Sharpe ratio's variance is exactly 1/99, for skew is 0 and kurtosis 1."""
    return np.tile([1.0, -1.0], 50) + daily_sharpe * (100 / 99) ** 0.5


@pytest.mark.parametrize(
    ("daily_sharpe", "status", "sign"),
    [
        # 0.8 / sqrt(365) - Phi^-1(p) / sqrt(99) for p of 10, 5 and 1 % (the last from 0.5)
        (-0.0869, Status.OK, Sign.GOOD),
        (-0.0870, Status.OK, Sign.UNKNOWN),
        (-0.1234, Status.OK, Sign.UNKNOWN),
        (-0.1235, Status.WARNING, Sign.BAD),
        (-0.2076, Status.WARNING, Sign.BAD),
        (-0.2077, Status.CRITICAL, Sign.BAD),
    ],
)
def test_the_published_sharpe_ratios(daily_sharpe, status, sign):
    assert said(sharpe_ratio(two_points(daily_sharpe), THRESHOLDS)) == (status, sign)


@pytest.mark.parametrize(("days", "status"), [(59, Status.NO_DATA), (60, Status.CRITICAL)])
def test_the_sharpe_ratio_speaks_from_sixty_days(days, status):
    assert sharpe_ratio(two_points(-1.0)[:days], THRESHOLDS).status is status


@pytest.mark.parametrize(
    ("of_reference", "status", "sign"),
    [
        # a live ratio of 0 over 181 days against f times this, with a variance of 1/180
        (0.1592, Status.OK, Sign.GOOD),
        (0.1593, Status.OK, Sign.UNKNOWN),
        (0.2043, Status.OK, Sign.UNKNOWN),
        (0.2044, Status.WARNING, Sign.BAD),
        (0.3467, Status.WARNING, Sign.BAD),
        (0.3469, Status.CRITICAL, Sign.BAD),
    ],
)
def test_stability(of_reference, status, sign):
    live, backtest = Moments(181, 0.0, 1.0), Moments(CERTAIN, of_reference, 1.0)

    assert said(stability(live, backtest, THRESHOLDS)) == (status, sign)


@pytest.mark.parametrize(
    ("efficiency", "status"),
    [(60.0, Status.OK), (59.9, Status.WARNING), (50.0, Status.WARNING), (49.9, Status.CRITICAL)],
)
def test_the_published_walk_forward_targets_are_floors_of_stability(efficiency, status):
    live, backtest = Moments(CERTAIN, efficiency / 100, 4.0), Moments(CERTAIN, 1.0, 1.0)

    assert stability(live, backtest, THRESHOLDS).status is status


@pytest.mark.parametrize(("efficiency", "status"), [(60.0, Status.OK), (59.9, Status.INFO), (-20.0, Status.INFO)])
def test_the_published_walk_forward_efficiency_is_shown(efficiency, status):
    windows = (ValidationWindow(0.002, 0.001), ValidationWindow(0.002, 0.002))
    live, backtest = Moments(180, efficiency / 100, 4.0), Moments(365, 1.0, 1.0)

    found = walk_forward(live, backtest, Folds(6, 4), windows, THRESHOLDS)

    assert found.status is status
    assert found.details["validation_efficiency"] == 75.0


@pytest.mark.parametrize(
    ("of_reference", "score", "status"),
    [(0.0, 50.0, Status.INFO), (-0.0783, 70.0, Status.OK), (-0.0780, 69.9, Status.INFO)],
)
def test_the_published_out_of_sample_score_is_shown(of_reference, score, status):
    """100 Phi((0 - SR/2) sqrt(180)); a reference that lost makes the score rise."""
    found = out_of_sample(Moments(181, 0.0, 1.0), Moments(CERTAIN, of_reference, 1.0), THRESHOLDS)

    assert found.value == pytest.approx(score, abs=0.06)
    assert found.status is status


@pytest.mark.parametrize(
    ("of_reference", "status", "sign"),
    [
        (0.1304, Status.OK, Sign.GOOD),
        (0.1306, Status.OK, Sign.UNKNOWN),
        (0.1530, Status.OK, Sign.UNKNOWN),
        (0.1532, Status.WARNING, Sign.BAD),
        (0.1919, Status.WARNING, Sign.BAD),
        (0.1921, Status.CRITICAL, Sign.BAD),
    ],
)
def test_the_forward_test_needs_certainty(of_reference, status, sign):
    live, backtest = Moments(181, 0.0, 1.0), Moments(CERTAIN, of_reference, 1.0)

    assert said(forward_test(live, backtest, THRESHOLDS)) == (status, sign)


@pytest.mark.parametrize(
    ("lost", "status"),
    [(29.9, Status.OK), (30.1, Status.WARNING), (49.9, Status.WARNING), (50.1, Status.CRITICAL)],
)
def test_the_forward_test_needs_a_loss_that_matters(lost, status):
    live, backtest = Moments(CERTAIN, 1 - lost / 100, 1.0), Moments(CERTAIN, 1.0, 1.0)

    assert forward_test(live, backtest, THRESHOLDS).status is status
