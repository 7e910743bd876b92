"""The curves that people are shown are those that the checks judge."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from alertd.performance.checks import daily_pnl_check
from alertd.performance.picture import cone_points, points
from alertd.performance.projection import projected
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.subject import LimitTerms, Subject
from tests.performance import making
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY

REFERENCE = making.reference()
DECAY = making.daily(making.noise(60, sharpe=-6.0, seed=4))


def test_the_last_point_of_the_sum_is_what_the_check_judges() -> None:
    subject = Subject(reference=REFERENCE, days=DECAY)

    last = points(subject, NOW)[-1]

    judged = daily_pnl_check.judge(subject, THRESHOLDS, NOW).track
    assert judged is not None
    assert last.cusum == judged.drift
    assert last.expected == pytest.approx(math.expm1(judged.expected))
    assert last.cumulative == pytest.approx(math.expm1(judged.live))


def test_an_accepted_drift_begins_at_zero_again() -> None:
    accepted_on = YESTERDAY - timedelta(days=1)
    subject = Subject(reference=REFERENCE, days=DECAY, accepted_on=accepted_on)

    last = points(subject, NOW)[-1]

    judged = daily_pnl_check.judge(subject, THRESHOLDS, NOW).track
    assert judged is not None
    assert last.cusum == judged.drift


def test_without_a_reference_there_is_nothing_to_expect() -> None:
    last = points(Subject(days=DECAY), NOW)[-1]

    assert (last.expected, last.cusum) == (None, None)


def test_a_day_that_no_test_uses_moves_no_curve() -> None:
    days = [replace(making.daily([0.5])[0], value=float("nan"))]

    [point] = points(Subject(days=days), NOW)

    assert (point.usable, point.cumulative, point.drawdown) == (False, 0.0, 0.0)


@pytest.mark.parametrize(("mode", "fall"), [(DrawdownMode.TRAILING, 0.1), (DrawdownMode.STATIC, 0.01)])
def test_the_fall_is_below_the_mark_that_was_agreed(mode: DrawdownMode, fall: float) -> None:
    days = making.daily([math.log(1.1), math.log(0.9)])

    assert points(Subject(days=days, limits=LimitTerms(mode)), NOW)[-1].drawdown == pytest.approx(fall)


def test_a_day_that_is_not_over_is_not_shown() -> None:
    days = making.daily([0.01, 0.01], last=NOW.date())

    assert [point.date for point in points(Subject(days=days), NOW)] == [YESTERDAY]


def test_the_cone_starts_where_the_live_record_was() -> None:
    made = replace(projected(REFERENCE, None, YESTERDAY, seed=1), live_before=math.log(1.2))

    first = cone_points(made)[0]

    assert first.date == YESTERDAY
    assert first.expected == pytest.approx(1.2 * math.exp(made.cone.expected[0]) - 1)
    assert first.critical < first.warning < first.expected
