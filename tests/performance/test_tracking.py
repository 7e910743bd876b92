"""A track is gone on with or replayed, and the way it came about cannot be told from it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.performance.checks import monthly_forward_test_update
from alertd.performance.checks.tracking import track_until
from alertd.performance.stats.expectation import expectation
from alertd.performance.subject import Subject
from alertd.performance.track import Track, accepted, advanced, fresh_track
from tests.performance import making
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY

REFERENCE = making.reference()
LIVE = making.daily(making.noise(60, sharpe=-6, seed=7))


def tracked(until: date, track: Track | None = None) -> Track:
    days = [day for day in LIVE if day.day <= until]
    return advanced(track or fresh_track(REFERENCE.baseline), days, REFERENCE.baseline, expectation(REFERENCE.baseline))


@given(st.integers(0, 59))
def test_going_on_with_a_track_comes_to_the_same_as_replaying(seen: int) -> None:
    earlier = tracked(YESTERDAY - timedelta(days=seen))

    assert track_until(Subject(days=LIVE, track=earlier), REFERENCE, YESTERDAY) == tracked(YESTERDAY)


@given(st.integers(0, 70))
def test_an_acceptance_is_replayed_where_it_was_given(ago: int) -> None:
    day = YESTERDAY - timedelta(days=ago)
    went_on = tracked(YESTERDAY, accepted(tracked(day)))

    assert track_until(Subject(days=LIVE, accepted_on=day), REFERENCE, YESTERDAY) == went_on


def test_days_that_are_not_over_wait() -> None:
    assert track_until(Subject(days=LIVE), REFERENCE, YESTERDAY - timedelta(days=1)).as_of == date(2026, 1, 3)


@pytest.mark.parametrize("behind", [0, 20, 60], ids=["up to date", "behind", "forgotten"])
def test_a_projection_starts_where_the_live_record_is_however_far_the_track_got(behind: int) -> None:
    track = None if behind == len(LIVE) else tracked(YESTERDAY - timedelta(days=behind))
    subject = Subject(reference=REFERENCE, days=LIVE, track=track)

    made = monthly_forward_test_update.judge(subject, THRESHOLDS, NOW).projection
    known = monthly_forward_test_update.judge(replace(subject, track=tracked(YESTERDAY)), THRESHOLDS, NOW).projection

    assert made is not None
    assert (made.days_before, made) == (60, known)
