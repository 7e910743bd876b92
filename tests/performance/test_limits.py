"""Limits are exact: boundaries, two looks, hysteresis, and money that moves meanwhile."""

from datetime import timedelta

import numpy as np
import pytest

from alertd.alerts.lifecycle import Sign
from alertd.model import Severity
from alertd.performance.checks import CHECKS
from alertd.performance.findings import Rule, Status
from alertd.performance.returns import Quality, Snapshot
from alertd.performance.stats.drawdown import DrawdownMode, depths
from alertd.performance.stats.limits import Limit
from alertd.performance.subject import LimitTerms, LossBasis, Subject
from tests.performance.making import MIDNIGHT, NOW, THRESHOLDS, daily, flow, found, snapshot

LIMIT = Limit(8.0, 12.0)
SIX_HOURS = timedelta(hours=6)


def judged(*readings: Snapshot, flows=(), terms=None, now=NOW):
    subject = Subject(snapshots=readings, flows=flows, limits=terms or LimitTerms(), equity_every=SIX_HOURS)
    return CHECKS["performance_threshold_check"].judge(subject, THRESHOLDS, now).findings


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        (7.999, None),
        (8.0, Severity.WARNING),
        (11.999, Severity.WARNING),
        (12.0, Severity.CRITICAL),
        (17.999, Severity.CRITICAL),
        (18.0, Severity.EMERGENCY),
    ],
)
def test_reaching_a_limit_breaches_it(value, severity):
    assert LIMIT.severity(value) is severity


@pytest.mark.parametrize(
    ("previous", "latest", "severity"),
    [
        (0.0, 8.5, None),  # one look
        (8.5, 8.1, Severity.WARNING),
        (8.5, 13.0, Severity.WARNING),  # critical is not confirmed yet
        (12.5, 13.0, Severity.CRITICAL),
        (13.0, 9.0, Severity.WARNING),
        (0.0, 12.0, Severity.WARNING),  # half above the warning: believed at once
        (0.0, 18.0, Severity.EMERGENCY),
        (20.0, 3.0, None),
    ],
)
def test_a_breach_needs_two_looks_unless_it_exceeds_by_half(previous, latest, severity):
    assert LIMIT.confirmed(previous, latest) is severity


@pytest.mark.parametrize(("value", "clears"), [(6.39, True), (6.4, False), (8.0, False)])
def test_a_breach_is_over_below_eight_tenths(value, clears):
    assert LIMIT.clears(value) is clears


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (DrawdownMode.STATIC, [0, 0, 0, 0.1]),
        (DrawdownMode.TRAILING, [0, 0, 0.25, 0.55]),
        (DrawdownMode.END_OF_DAY, [0, 0, 0, 0.4]),
    ],
)
def test_what_a_drawdown_is_measured_from(mode, expected):
    levels = np.array([1.0, 2.0, 1.5, 0.9])

    assert depths(levels, mode, np.array([True, False, True, False])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("equity", "status"),
    [
        (92.01, Status.OK),
        (92.0, Status.WARNING),
        (88.01, Status.WARNING),
        (88.0, Status.CRITICAL),
        (82.01, Status.CRITICAL),
        (82.0, Status.EMERGENCY),
    ],
)
def test_the_published_drawdowns(equity, status):
    readings = judged(snapshot(-12, 100), snapshot(5, equity), snapshot(11, equity))

    assert found(readings, Rule.DRAWDOWN).status is status


@pytest.mark.parametrize(
    ("equity", "status"),
    [
        (97.01, Status.OK),
        (97.0, Status.WARNING),
        (95.01, Status.WARNING),
        (95.0, Status.CRITICAL),
        (92.51, Status.CRITICAL),
        (92.5, Status.EMERGENCY),
    ],
)
def test_the_published_daily_losses(equity, status):
    readings = judged(snapshot(0, 100), snapshot(5, equity), snapshot(11, equity))

    assert found(readings, Rule.DAILY_LOSS).status is status


def test_yesterday_s_loss_is_not_today_s():
    readings = judged(snapshot(-24, 100), snapshot(0, 90), snapshot(5, 90), snapshot(11, 90))

    assert found(readings, Rule.DAILY_LOSS).status is Status.OK
    assert found(readings, Rule.DRAWDOWN).status is Status.WARNING


def test_a_loss_just_before_midnight_is_found_after_midnight():
    readings = judged(snapshot(-24, 100), snapshot(-2, 94), snapshot(0, 94), now=MIDNIGHT + timedelta(minutes=5))

    assert found(readings, Rule.DAILY_LOSS).status is Status.CRITICAL


def test_a_loss_is_a_percentage_of_the_initial_capital_where_that_was_agreed():
    terms = LimitTerms(basis=LossBasis.INITIAL, initial_capital=1000.0)
    readings = judged(snapshot(0, 100), snapshot(5, 90), snapshot(11, 90), terms=terms)

    assert found(readings, Rule.DAILY_LOSS).value == pytest.approx(1.0)


def test_without_the_initial_capital_the_loss_cannot_be_judged():
    readings = judged(snapshot(0, 100), snapshot(11, 90), terms=LimitTerms(basis=LossBasis.INITIAL))

    assert found(readings, Rule.DAILY_LOSS).status is Status.NO_DATA


@pytest.mark.parametrize(("fall", "status"), [(7.9, Status.OK), (8.0, Status.WARNING), (10.0, Status.CRITICAL)])
def test_a_warning_that_was_not_agreed_comes_when_eight_tenths_are_used(fall, status):
    terms = LimitTerms(drawdown_critical=10.0)
    readings = judged(snapshot(-12, 100), snapshot(5, 100 - fall), snapshot(11, 100 - fall), terms=terms)

    assert found(readings, Rule.DRAWDOWN).status is status


def test_a_withdrawal_is_no_loss():
    readings = judged(snapshot(0, 100), snapshot(5, 20), snapshot(11, 20), flows=[flow(4.9, -80)])

    assert found(readings, Rule.DRAWDOWN).status is Status.OK
    assert found(readings, Rule.DAILY_LOSS).status is Status.OK
    assert found(readings, Rule.EQUITY_READING).status is Status.OK


def test_over_a_large_flow_only_what_is_sure_counts():
    """The account lost 2 % of what it had after the deposit, which is half of what it had before."""
    readings = judged(snapshot(0, 100), snapshot(6, 9898), snapshot(11, 9898), flows=[flow(5.8, 10_000)])

    assert found(readings, Rule.DRAWDOWN).status is Status.OK


def test_a_deposit_that_was_not_reported_is_no_peak_to_fall_from():
    readings = judged(snapshot(-12, 100), snapshot(-6, 200), snapshot(5, 197), snapshot(11, 100))

    assert found(readings, Rule.DRAWDOWN).value == pytest.approx(50.0, abs=0.1)
    assert found(judged(snapshot(-12, 100), snapshot(-6, 200)), Rule.DRAWDOWN).value == 0.0


def test_a_single_bad_reading_breaches_nothing():
    readings = judged(snapshot(-12, 100), snapshot(5, 100), snapshot(11, 89))

    assert found(readings, Rule.DRAWDOWN).status is Status.OK
    assert found(readings, Rule.DRAWDOWN).sign is Sign.UNKNOWN


@pytest.mark.parametrize(
    ("reading", "status", "words"),
    [
        (snapshot(11, 60, Quality.SUSPECT), Status.WARNING, "a withdrawal"),
        (snapshot(11, 140, Quality.SUSPECT), Status.WARNING, "a deposit"),
        (snapshot(11, 0, Quality.SUSPECT), Status.NO_DATA, "not believed"),
        (snapshot(11, 60, Quality.PARTIAL), Status.NO_DATA, "could not be valued"),
    ],
)
def test_a_reading_that_is_not_believed_is_shown_and_breaches_no_limit(reading, status, words):
    readings = judged(snapshot(-1, 100), snapshot(5, 100), reading)

    assert found(readings, Rule.EQUITY_READING).status is status
    assert words in found(readings, Rule.EQUITY_READING).message
    assert found(readings, Rule.DRAWDOWN).status is Status.OK
    assert found(readings, Rule.DAILY_LOSS).status is Status.OK


@pytest.mark.parametrize(("equity", "words"), [(60.0, "fell by 40%"), (150.0, "rose by 50%")])
def test_the_second_reading_of_all_is_held_against_the_first(equity, words):
    reading = found(judged(snapshot(5, 100), snapshot(11, equity, Quality.SUSPECT)), Rule.EQUITY_READING)

    assert words in reading.message
    assert reading.expected == 100


@pytest.mark.parametrize("quality", [Quality.OK, Quality.SUSPECT])
def test_what_flows_explain_is_no_part_of_a_jump(quality):
    reading = found(
        judged(snapshot(-12, 100), snapshot(5, 100), snapshot(11, 140, quality), flows=[flow(5, 1), flow(11, 100)]),
        Rule.EQUITY_READING,
    )

    assert "fell by 60%" in reading.message


def test_a_doubted_reading_with_none_before_it_is_not_judged():
    reading = found(judged(snapshot(11, 60, Quality.SUSPECT)), Rule.EQUITY_READING)

    assert reading.status is Status.NO_DATA


@pytest.mark.parametrize(("equity", "status"), [(74.0, Status.CRITICAL), (76.0, Status.OK), (126.0, Status.WARNING)])
def test_a_confirmed_jump_is_spoken_of_for_a_day(equity, status):
    readings = (snapshot(-12, 100), snapshot(5, equity), snapshot(11, equity))

    assert found(judged(*readings), Rule.EQUITY_READING).status is status
    assert found(judged(*readings, now=NOW + timedelta(days=1)), Rule.EQUITY_READING).status is Status.OK


@pytest.mark.parametrize(("hours", "status"), [(11.99, Status.OK), (12.0, Status.WARNING), (100.0, Status.WARNING)])
def test_two_missed_readings_are_an_alert(hours, status):
    readings = judged(snapshot(-1, 100), snapshot(0, 100), now=MIDNIGHT + timedelta(hours=hours))

    assert found(readings, Rule.FRESH_EQUITY).status is status


def test_failed_readings_become_an_alert_of_their_own():
    readings = judged(snapshot(-1, 100), snapshot(0, 100), snapshot(11, 0, Quality.SUSPECT))

    assert found(readings, Rule.FRESH_EQUITY).status is Status.WARNING


def test_an_account_without_readings_is_not_judged():
    assert {finding.status for finding in judged()} == {Status.NO_DATA}


def test_a_strategy_without_readings_is_held_against_its_daily_returns():
    subject = Subject(days=daily(np.log([1.0, 0.96, 0.95])))
    findings = CHECKS["performance_threshold_check"].judge(subject, THRESHOLDS, NOW).findings

    assert found(findings, Rule.DRAWDOWN).status is Status.WARNING
    assert found(findings, Rule.DAILY_LOSS).status is Status.CRITICAL


def test_the_evening_asks_the_same_about_the_same_alerts():
    assert CHECKS["evening_performance_check"].alerts_as == "performance_threshold_check"
    assert CHECKS["evening_performance_check"].judge is CHECKS["performance_threshold_check"].judge


@pytest.mark.parametrize(("days_ago", "status"), [(3, Status.EMERGENCY), (4, Status.STALE)])
def test_an_old_reading_breaches_no_limit(days_ago, status):
    findings = judged(snapshot(0, 100), snapshot(6, 70), snapshot(12, 70), now=NOW + timedelta(days=days_ago + 1))

    assert [found(findings, rule).status for rule in (Rule.DRAWDOWN, Rule.FRESH_EQUITY)] == [status, Status.WARNING]


@pytest.mark.parametrize(("days_ago", "statuses"), [(3, {Status.EMERGENCY, Status.CRITICAL}), (4, {Status.STALE})])
def test_an_old_day_breaches_no_limit(days_ago, statuses):
    subject = Subject(days=daily(np.log1p([0.0, -0.3])))
    findings = CHECKS["performance_threshold_check"].judge(subject, THRESHOLDS, NOW + timedelta(days=days_ago)).findings

    assert {found(findings, rule).status for rule in (Rule.DRAWDOWN, Rule.DAILY_LOSS)} <= statuses
