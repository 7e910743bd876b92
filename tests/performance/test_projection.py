"""What is expected from now on, and before anything is live: projection, cone, registration."""

import numpy as np
import pytest

from alertd.performance.checks import CHECKS
from alertd.performance.findings import Rule, Status
from alertd.performance.projection import PROJECTIONS, projected, updated
from alertd.performance.reference import BASELINES, Reference, ReferenceKind
from alertd.performance.registration import Outlook, registered
from alertd.performance.stats.cone import cone
from alertd.performance.stats.drawdown import DrawdownMode, year_ahead
from alertd.performance.stats.expectation import Trials, expectation, measure, summarised
from alertd.performance.stats.limits import Limit
from alertd.performance.stats.moments import Moments, long_run_ratio, moments
from alertd.performance.subject import Subject
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY, daily, found, noise, reference

REFERENCE = reference()
LIMIT = Limit(8.0, 12.0)


def fixed(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize(("days", "weight"), [(365, 0.50), (1460, 0.80)])
def test_a_year_of_backtest_counts_half_and_four_years_four_fifths(days, weight):
    believed = expectation(reference(days).baseline)

    assert believed.error**2 == pytest.approx(1 - weight, abs=0.01)
    assert believed.sharpe == pytest.approx(weight * 2 + (1 - weight), abs=0.01)


def test_what_trying_made_of_it_is_taken_off():
    """The best of 50 noise backtests over a year shows a Sharpe ratio of 2.25."""
    tried = expectation(reference(sharpe=2.25, trials=Trials(50)).baseline)

    assert tried.sharpe == pytest.approx(0.5, abs=0.02)


def test_a_known_spread_of_the_trials_counts():
    alike = expectation(reference(trials=Trials(50, 1e-6)).baseline)

    assert alike.sharpe == pytest.approx(expectation(REFERENCE.baseline).sharpe, abs=0.05)


def test_dependence_between_days_is_allowed_for():
    chance = np.random.default_rng(1)
    values = np.zeros(5000)
    for day in range(1, 5000):
        values[day] = 0.2 * values[day - 1] + chance.normal()

    assert long_run_ratio(values) == pytest.approx(1.43, abs=0.1)
    assert long_run_ratio(np.tile([1.0, -1.0], 100)) == 1.0


def test_live_moves_what_is_expected_by_its_weight():
    worse = updated(REFERENCE, moments(noise(180, sharpe=-2.0)))

    assert worse.sharpe < expectation(REFERENCE.baseline).sharpe < 2.0
    assert updated(REFERENCE, None) == expectation(REFERENCE.baseline)


def test_a_healthy_strategy_is_below_the_band_as_often_as_it_says():
    """1 in 20 over all days at once; with a drift that is as expected, the error of the reference makes it fewer."""
    baseline = REFERENCE.baseline
    expected = expectation(baseline)
    drawn = cone(REFERENCE.returns, baseline.moments, expected, days=90, chance=fixed(), paths=4000)
    chance = np.random.default_rng(9)
    paths = np.cumsum(chance.choice(REFERENCE.returns - baseline.moments.mean, (4000, 90)) + expected.drift, axis=1)

    ever_below = (paths[:, 4:] < np.array(drawn.warning)[4:]).any(axis=1).mean()

    assert 0.01 < ever_below < 0.055


def test_the_more_is_known_the_narrower_is_the_band():
    records = (None, moments(noise(180)), moments(noise(3000)))
    cones = [projected(REFERENCE, live, YESTERDAY, seed=1).cone for live in records]
    widths = [cone.expected[-1] - cone.warning[-1] for cone in cones]

    assert widths[0] > widths[1] > widths[2]


def test_the_critical_band_is_below_the_warning_band():
    drawn = projected(REFERENCE, None, YESTERDAY, seed=1).cone

    assert all(np.array(drawn.critical) < np.array(drawn.warning))
    assert all(np.array(drawn.warning) < np.array(drawn.expected))


@pytest.mark.parametrize(
    ("live_days", "shift", "status"),
    [(4, 0.0, Status.NO_DATA), (5, 0.0, Status.OK), (60, -0.02, Status.INFO), (181, 0.0, Status.NO_DATA)],
)
def test_the_cone_is_shown_and_wakes_nobody(live_days, shift, status):
    made = projected(REFERENCE, None, YESTERDAY, seed=1)
    subject = Subject(reference=REFERENCE, days=daily(noise(live_days) + shift), projection=made)
    findings = CHECKS["daily_pnl_check"].judge(subject, THRESHOLDS, NOW).findings

    assert found(findings, Rule.CONE).status is status


def test_the_next_month_s_cone_starts_where_the_record_is():
    lived = Subject(reference=REFERENCE, days=daily(noise(100)))
    track = CHECKS["daily_pnl_check"].judge(lived, THRESHOLDS, NOW).track
    monthly = Subject(reference=REFERENCE, days=lived.days, track=track, seed=5)
    made = CHECKS["monthly_forward_test_update"].judge(monthly, THRESHOLDS, NOW).projection

    assert (made.days_before, made.live_before) == (100, pytest.approx(sum(noise(100))))


def test_a_projection_is_compared_with_the_last_and_the_backtest():
    first = CHECKS["monthly_forward_test_update"].judge(Subject(reference=REFERENCE), THRESHOLDS, NOW)
    losing = Subject(reference=REFERENCE, days=daily(noise(120, sharpe=-3.0)), projection=first.projection)
    finding = found(CHECKS["monthly_forward_test_update"].judge(losing, THRESHOLDS, NOW).findings, Rule.PROJECTION)

    assert finding.status is Status.OK
    assert finding.details["change_percent_since_last"] < -10
    assert finding.details["change_percent_since_backtest"] == finding.details["change_percent_since_last"]


def test_projections_and_baselines_survive_a_restart_as_json():
    made = projected(REFERENCE, None, YESTERDAY, seed=1)
    baseline = reference(trials=Trials(50, 0.1)).baseline

    assert PROJECTIONS.validate_json(PROJECTIONS.dump_json(made)) == made
    assert BASELINES.validate_json(BASELINES.dump_json(baseline)) == baseline


@pytest.mark.parametrize(
    ("sharpe", "trials", "outlook"),
    [
        (2.0, None, Outlook.TRIALS_UNKNOWN),
        (2.25, Trials(50), Outlook.LIKELY_OVERFIT),
        (4.5, Trials(5), Outlook.PLAUSIBLE),
        (-1.0, Trials(5), Outlook.NO_EDGE),
    ],
)
def test_what_to_make_of_a_reference(sharpe, trials, outlook):
    report = registered(reference(sharpe=sharpe, trials=trials), LIMIT, DrawdownMode.TRAILING, seed=1)

    assert report.outlook is outlook
    assert report.advice


def test_a_short_reference_supports_limits_only():
    report = registered(reference(59), LIMIT, DrawdownMode.TRAILING, seed=1)

    assert (report.outlook, report.drawdown_95) == (Outlook.TOO_SHORT, None)


def test_a_summary_s_limits_cannot_be_simulated():
    summary = Reference(1, ReferenceKind.SUMMARY, YESTERDAY, summarised(Moments(365, 0.002, 0.02)))
    report = registered(summary, LIMIT, DrawdownMode.TRAILING, seed=1)

    assert (report.drawdown_95, report.autocorrelated_sharpe) == (None, None)


def test_a_limit_that_most_healthy_years_reach_is_called_so():
    """12 % below the peak at 38 % annual volatility."""
    report = registered(REFERENCE, LIMIT, DrawdownMode.TRAILING, seed=1)

    assert report.reaches_critical > 0.85
    assert report.reaches_critical <= report.reaches_warning
    assert report.drawdown_95 > 12


def test_most_backtests_that_are_the_best_of_fifty_are_called_overfit():
    chance = np.random.default_rng(4)
    trials = chance.normal(0, 0.02, (100, 50, 365))
    best = trials.mean(axis=2).argmax(axis=1)
    outlooks = [
        registered(
            Reference(1, ReferenceKind.BACKTEST, YESTERDAY, measure(tried[chosen], Trials(50))),
            LIMIT,
            DrawdownMode.STATIC,
            seed=1,
        ).outlook
        for tried, chosen in zip(trials, best, strict=True)
    ]

    assert outlooks.count(Outlook.PLAUSIBLE) <= 2


def test_a_year_below_its_start_is_rarer_than_one_below_its_peak():
    expected = expectation(REFERENCE.baseline)
    from_start = year_ahead(REFERENCE.returns, expected, DrawdownMode.STATIC, fixed())
    from_peak = year_ahead(REFERENCE.returns, expected, DrawdownMode.TRAILING, fixed())

    assert from_start.chance_of(0.12) < from_peak.chance_of(0.12)
