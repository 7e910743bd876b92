"""The five checks on what data can be: none yet, gaps, revisions, no numbers, and nothing new."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from alertd.alerts.lifecycle import Sign
from alertd.config import CHECK_NAMES
from alertd.performance.checks import CHECKS
from alertd.performance.findings import Rule, Status
from alertd.performance.reference import Reference, ReferenceKind, own_reference
from alertd.performance.returns import Confidence, DailyReturn
from alertd.performance.stats.expectation import measure, summarised
from alertd.performance.stats.moments import Moments
from alertd.performance.subject import Subject
from alertd.performance.track import TRACKS, accepted
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY, daily, found, noise, reference

REFERENCE = reference()
HEALTHY = noise(120, seed=2)
EVERY_CHECK = pytest.mark.parametrize("name", list(CHECKS))


def judged(name: str, subject: Subject):
    return CHECKS[name].judge(subject, THRESHOLDS, NOW).findings


def daily_check(days, **more):
    return judged("daily_pnl_check", Subject(**({"reference": REFERENCE} | more), days=days))


def raised(findings) -> set[Rule]:
    return {finding.rule for finding in findings if finding.sign is Sign.BAD}


def test_the_checks_are_the_published_ones():
    assert {*CHECKS, "credential_health_check"} == set(CHECK_NAMES)


@EVERY_CHECK
def test_a_subject_of_which_nothing_is_known_is_not_judged(name):
    findings = judged(name, Subject())

    assert {finding.status for finding in findings} == {Status.NO_DATA}
    assert all(finding.sign is Sign.UNKNOWN for finding in findings)


@EVERY_CHECK
def test_a_healthy_strategy_raises_nothing(name):
    assert raised(judged(name, Subject(reference=REFERENCE, days=daily(HEALTHY)))) == set()


@EVERY_CHECK
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -2.0])
def test_what_is_no_return_raises_nothing(name, value):
    days = (*daily(HEALTHY, last=YESTERDAY - timedelta(days=1)), DailyReturn(YESTERDAY, value))

    assert raised(judged(name, Subject(reference=REFERENCE, days=days))) == set()


@EVERY_CHECK
def test_a_day_of_low_confidence_raises_nothing(name):
    terrible = DailyReturn(YESTERDAY, -0.9, confidence=Confidence.LOW)
    days = (*daily(HEALTHY, last=YESTERDAY - timedelta(days=1)), terrible)

    assert raised(judged(name, Subject(reference=REFERENCE, days=days))) == set()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("weekly_stability_check", Rule.STABILITY),
        ("monthly_forward_test_update", Rule.FORWARD_TEST),
        ("performance_threshold_check", Rule.SHARPE),
    ],
)
@pytest.mark.parametrize(("span_days", "counts"), [(3, True), (4, False)])
def test_what_many_days_earned_is_weighed_as_no_day(name, rule, span_days, counts):
    before = daily(HEALTHY[:100], last=YESTERDAY - timedelta(days=10))
    gap = DailyReturn(YESTERDAY - timedelta(days=5), -0.2, span_days)

    [without, with_it] = [
        found(judged(name, Subject(reference=REFERENCE, days=days)), rule).value
        for days in ((*before, *daily([0.01])), (*before, gap, *daily([0.01])))
    ]

    assert (without != with_it) is counts


def test_what_many_days_earned_is_no_part_of_a_reference():
    gap = DailyReturn(YESTERDAY - timedelta(days=60), -0.2, 4)

    assert own_reference((gap, *daily(HEALTHY[:60]))).baseline == own_reference(daily(HEALTHY[:60])).baseline


@pytest.mark.parametrize(
    ("name", "rule", "reference_days", "live_days", "have", "need"),
    [
        ("daily_pnl_check", Rule.DRIFT, 59, 30, 59, 60),
        ("daily_pnl_check", Rule.DRIFT, 60, 4, 4, 5),
        ("daily_pnl_check", Rule.VOLATILITY, 60, 20, 20, 21),
        ("daily_pnl_check", Rule.DAY_TAIL, 59, 20, 20, 21),
        ("weekly_stability_check", Rule.STABILITY, 179, 120, 179, 180),
        ("weekly_stability_check", Rule.STABILITY, 180, 89, 89, 90),
        ("monthly_forward_test_update", Rule.FORWARD_TEST, 180, 89, 89, 90),
        ("monthly_forward_test_update", Rule.PROJECTION, 59, 120, 59, 60),
        ("performance_threshold_check", Rule.SHARPE, 365, 59, 59, 60),
    ],
)
def test_too_little_says_how_much_there_is_and_how_much_it_takes(name, rule, reference_days, live_days, have, need):
    subject = Subject(reference=reference(reference_days), days=daily(noise(live_days)))
    finding = found(judged(name, subject), rule)

    assert (finding.status, finding.have, finding.need) == (Status.NO_DATA, have, need)
    assert f"{have} of {need}" in finding.message


@pytest.mark.parametrize(
    ("name", "rule"),
    [("weekly_stability_check", Rule.STABILITY), ("monthly_forward_test_update", Rule.FORWARD_TEST)],
)
def test_a_reference_without_an_edge_cannot_be_kept(name, rule):
    subject = Subject(reference=reference(sharpe=-0.5), days=daily(HEALTHY))

    assert "no edge" in found(judged(name, subject), rule).message


def test_a_reference_that_never_moves_supports_no_evidence():
    still = np.full(365, 0.001)
    subject = Subject(reference=Reference(1, ReferenceKind.BACKTEST, date(2025, 1, 1), measure(still), still))

    assert found(judged("daily_pnl_check", subject), Rule.DRIFT).status is Status.NO_DATA


def test_a_summary_is_a_reference_too():
    summary = Reference(1, ReferenceKind.SUMMARY, date(2025, 1, 1), summarised(Moments(365, 0.002, 0.02, -0.5, 6.0)))
    losing = Subject(reference=summary, days=daily(np.full(60, -0.01)))

    assert found(judged("daily_pnl_check", losing), Rule.DRIFT).status is Status.CRITICAL
    assert CHECKS["monthly_forward_test_update"].judge(losing, THRESHOLDS, NOW).projection is not None


def test_the_first_sixty_days_become_the_reference_of_a_subject_that_has_none():
    assert own_reference(daily(HEALTHY[:59])) is None
    assert own_reference(daily(HEALTHY)).baseline.moments.mean == pytest.approx(HEALTHY[:60].mean())


def test_waiting_for_the_first_trade_is_no_part_of_its_own_reference():
    waited, traded = (own_reference(daily([*idle, *HEALTHY[:60]])) for idle in ([0.0] * 90, []))

    assert waited.baseline == traded.baseline
    assert own_reference(daily([0.0] * 90)) is None


@pytest.mark.parametrize(("value", "raises"), [(-0.05, set()), (-0.5, {Rule.DAY_TAIL})])
def test_without_a_reference_a_day_is_held_against_its_own_past(value, raises):
    days = daily([*HEALTHY[:40], value])

    assert raised(daily_check(days, reference=None)) == raises


@pytest.mark.parametrize("more", [{}, {"reference": None}], ids=["reference", "none"])
@pytest.mark.parametrize(("ago", "found"), [(0, True), (2, True), (3, False)])
def test_a_crash_is_found_although_two_runs_were_missed(more, ago, found):
    days = daily([*HEALTHY[: 40 - ago], -0.5, *HEALTHY[40 - ago : 40]])

    assert (Rule.DAY_TAIL in raised(daily_check(days, **more))) is found


def test_a_subject_that_never_moved_is_not_accused_of_its_first_move():
    assert raised(daily_check(daily([*[0.0] * 40, -0.01]), reference=None)) == set()


def test_a_crash_is_found_by_the_next_check():
    assert Rule.DAY_TAIL in raised(daily_check(daily([*HEALTHY, -0.25])))


def test_decay_is_found():
    assert Rule.DRIFT in raised(daily_check(daily(HEALTHY - 0.02)))


def test_the_present_day_is_not_judged():
    today = DailyReturn(YESTERDAY + timedelta(days=1), -0.5)

    assert raised(daily_check((*daily(HEALTHY), today))) == set()


@pytest.mark.parametrize(
    ("gap", "raises", "status"),
    [(3, {Rule.DRIFT}, Status.CRITICAL), (4, {Rule.FRESH_RETURNS}, Status.STALE)],
)
def test_days_that_stop_coming_are_an_alert_and_judge_nothing(gap, raises, status):
    findings = daily_check(daily(HEALTHY - 0.02, last=YESTERDAY - timedelta(days=gap)))

    assert raised(findings) == raises
    assert found(findings, Rule.DRIFT).status is status


@pytest.mark.parametrize("name", ["weekly_stability_check", "monthly_forward_test_update"])
def test_tests_are_held_while_days_are_missing(name):
    subject = Subject(reference=REFERENCE, days=daily(HEALTHY - 0.05, last=YESTERDAY - timedelta(days=4)))

    assert judged(name, subject)[0].status is Status.STALE


def test_days_that_nobody_may_use_are_missing_days():
    unsure = daily(noise(5), confidence=Confidence.LOW)
    findings = daily_check((*daily(HEALTHY, last=YESTERDAY - timedelta(days=5)), *unsure))

    assert raised(findings) == {Rule.FRESH_RETURNS}


@pytest.mark.parametrize(("span", "judged_days", "left_out"), [(3, 11, 0), (4, 10, 1)])
def test_a_return_over_a_gap_is_judged_up_to_three_days(span, judged_days, left_out):
    days = (*daily(HEALTHY[:10], last=YESTERDAY - timedelta(days=span)), DailyReturn(YESTERDAY, 0.01, span))
    track = CHECKS["daily_pnl_check"].judge(Subject(reference=REFERENCE, days=days), THRESHOLDS, NOW).track

    assert (track.observed, track.left_out) == (judged_days, left_out)


def test_three_days_at_once_are_no_crash():
    """-9 sd of a day is -5 of three."""
    value = float(np.expm1(-9 * 0.02))
    last = YESTERDAY - timedelta(days=3)

    assert Rule.DAY_TAIL in raised(daily_check((*daily(HEALTHY, last=last), DailyReturn(YESTERDAY, value))))
    assert Rule.DAY_TAIL not in raised(daily_check((*daily(HEALTHY, last=last), DailyReturn(YESTERDAY, value, 3))))


def test_idle_days_are_no_breaches_and_no_volatility():
    idle = np.where(np.arange(120) % 2, HEALTHY, 0.0)
    findings = daily_check(daily(idle))

    assert raised(findings) == set()
    assert found(findings, Rule.BREACHES).status is Status.OK


def test_an_accepted_drift_starts_again():
    judgement = CHECKS["daily_pnl_check"].judge(
        Subject(reference=REFERENCE, days=daily(HEALTHY - 0.02)), THRESHOLDS, NOW
    )
    again = Subject(reference=REFERENCE, track=accepted(judgement.track))

    assert found(judged("daily_pnl_check", again), Rule.DRIFT).sign is Sign.GOOD


def test_a_corrected_day_is_answered_by_a_replay():
    right = daily(HEALTHY)
    wrong = (*right[:-1], replace(right[-1], value=-0.25))

    assert raised(daily_check(wrong)) == {Rule.DAY_TAIL}
    assert raised(daily_check(right)) == set()


def test_a_track_survives_a_restart_as_json():
    track = CHECKS["daily_pnl_check"].judge(Subject(reference=REFERENCE, days=daily(HEALTHY)), THRESHOLDS, NOW).track

    assert TRACKS.validate_json(TRACKS.dump_json(track)) == track
    assert TRACKS.validate_python(TRACKS.dump_python(track, mode="json")) == track
