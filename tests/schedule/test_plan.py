"""What is owed after an absence: the newest once, if it is not too late; the rest is counted."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.schedule import Daily, Interval, Plan, Schedule, plan, upcoming

HOUR = timedelta(hours=1)
DAILY = Schedule("daily_pnl_check", Daily(time(17)), max_age=6 * HOUR)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


LONG_AGO = utc("2025-01-01")


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        pytest.param("2026-01-05T17:00", "2026-01-06T12:00", Plan(), id="nothing is due"),
        pytest.param(
            "2026-01-04T17:00",
            "2026-01-05T17:00",
            Plan(run=utc("2026-01-05T17:00")),
            id="due now",
        ),
        pytest.param(
            "2026-01-04T17:00",
            "2026-01-05T23:00",
            Plan(run=utc("2026-01-05T17:00"), late=6 * HOUR),
            id="late, but not too late",
        ),
        pytest.param(
            "2026-01-04T17:00",
            "2026-01-05T23:00:01",
            Plan(missed=1, missed_from=utc("2026-01-05T17:00"), missed_to=utc("2026-01-05T17:00")),
            id="too late",
        ),
        pytest.param(
            "2026-01-02T17:00",
            "2026-01-05T18:00",
            Plan(
                run=utc("2026-01-05T17:00"),
                late=HOUR,
                missed=2,
                missed_from=utc("2026-01-03T17:00"),
                missed_to=utc("2026-01-04T17:00"),
            ),
            id="the newest runs, the older were missed",
        ),
        pytest.param(
            "2026-01-02T17:00",
            "2026-01-06T12:00",
            Plan(missed=3, missed_from=utc("2026-01-03T17:00"), missed_to=utc("2026-01-05T17:00")),
            id="all were missed",
        ),
    ],
)
def test_plan(last, now, expected):
    assert plan(DAILY, last=utc(last), since=LONG_AGO, now=utc(now)) == expected


def test_first_run_is_not_late_for_what_was_before_it_existed():
    assert plan(DAILY, last=None, since=utc("2026-01-05T17:30"), now=utc("2026-01-05T18:00")) == Plan()


def test_first_run_happens_at_its_time():
    found = plan(DAILY, last=None, since=utc("2026-01-05T12:00"), now=utc("2026-01-05T17:00"))

    assert found == Plan(run=utc("2026-01-05T17:00"))


def test_what_passed_while_disabled_is_not_owed():
    enabled = utc("2026-01-05T17:30")

    assert plan(DAILY, last=utc("2026-01-01T17:00"), since=enabled, now=utc("2026-01-05T18:00")) == Plan()


def test_occurrence_on_record_is_not_owed_although_the_clock_was_set_back():
    found = plan(DAILY, last=utc("2026-01-05T17:00"), since=LONG_AGO, now=utc("2026-01-05T16:59"))

    assert found == Plan()


def test_record_from_a_wrong_future_does_not_stop_the_schedule():
    found = plan(DAILY, last=utc("2031-01-01T17:00"), since=LONG_AGO, now=utc("2026-01-05T17:01"))

    assert found == Plan(run=utc("2026-01-05T17:00"), late=timedelta(minutes=1))


def test_schedule_enabled_in_the_future_owes_nothing():
    assert plan(DAILY, last=None, since=utc("2026-02-01"), now=utc("2026-01-05T18:00")) == Plan()


def test_many_missed_intervals_are_one_summary():
    every_second = Schedule("sweep", Interval(timedelta(seconds=1)), max_age=timedelta(minutes=1))

    found = plan(every_second, last=utc("2026-01-01"), since=LONG_AGO, now=utc("2026-01-31"))

    assert (found.run, found.missed) == (utc("2026-01-31"), 30 * 86_400 - 1)


@given(
    last=st.none() | st.timedeltas(timedelta(days=-40), timedelta(days=2)),
    since=st.timedeltas(timedelta(days=-40), timedelta(days=2)),
    max_age=st.timedeltas(timedelta(), timedelta(days=3)),
    after=st.timedeltas(timedelta(), timedelta(days=730)),
    spec=st.sampled_from([Daily(time(17)), Interval(timedelta(hours=5))]),
)
def test_everything_owed_is_either_run_or_missed(last, since, max_age, after, spec):
    now = LONG_AGO + after
    schedule = Schedule("check", spec, max_age=max_age)
    seen = None if last is None else now + min(last, timedelta())
    begin = max(now + since, seen or now + since)

    found = plan(schedule, last=seen, since=now + since, now=now)

    assert found.missed + (found.run is not None) == sum(at <= now for at in upcoming(schedule, begin, count=1000))
