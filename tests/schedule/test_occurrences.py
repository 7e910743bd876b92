"""When things recur: month ends, leap years, clock changes, and the laws that hold everywhere."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.schedule import (
    Daily,
    Interval,
    Monthly,
    Schedule,
    Weekday,
    Weekly,
    next_after,
    occurrence_at_or_before,
    upcoming,
)

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",  # changes by half an hour
    "America/Sao_Paulo",  # changed at midnight
    "Pacific/Apia",  # skipped a whole day
    "Asia/Kathmandu",
    "Antarctica/Troll",  # changes by two hours
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(spec, timezone="UTC") -> Schedule:
    return Schedule("check", spec, max_age=timedelta(hours=6), timezone=timezone)


def daily(at: str, timezone="UTC") -> Schedule:
    return schedule(Daily(time.fromisoformat(at)), timezone)


def monthly(day: int) -> Schedule:
    return schedule(Monthly(day, time(9)))


SPECS = st.one_of(
    st.builds(Daily, at=st.times().map(lambda at: time(at.hour, at.minute))),
    st.builds(Weekly, day=st.sampled_from(Weekday), at=st.just(time(8))),
    st.builds(Monthly, day=st.integers(1, 31), at=st.just(time(2, 30))),
    st.builds(Interval, every=st.timedeltas(timedelta(milliseconds=1), timedelta(days=40))),
)
SCHEDULES = st.builds(schedule, SPECS, st.sampled_from(ZONES))
MOMENTS = st.timedeltas(timedelta(), timedelta(days=18_250)).map(lambda later: utc("1990-01-01") + later)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-05T16:59:59", "2026-01-05T17:00"),
        ("2026-01-05T17:00:00", "2026-01-06T17:00"),
        ("2026-01-05T17:00:00.000001", "2026-01-06T17:00"),
        ("2026-12-31T18:00:00", "2027-01-01T17:00"),
        ("2028-02-28T18:00:00", "2028-02-29T17:00"),
        ("2027-02-28T18:00:00", "2027-03-01T17:00"),
    ],
)
def test_next_of_a_daily_schedule(moment, expected):
    assert next_after(daily("17:00"), utc(moment)) == utc(expected)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (Weekday.MONDAY, "2026-01-12T08:00"),
        (Weekday.TUESDAY, "2026-01-06T08:00"),
        (Weekday.SUNDAY, "2026-01-11T08:00"),
    ],
)
def test_next_of_a_weekly_schedule_after_a_monday_noon(day, expected):
    weekly = schedule(Weekly(day, time(8)))

    assert next_after(weekly, utc("2026-01-05T12:00")) == utc(expected)


@pytest.mark.parametrize(
    ("day", "moment", "expected"),
    [
        (1, "2026-01-05T12:00", "2026-02-01T09:00"),
        (28, "2026-02-01T00:00", "2026-02-28T09:00"),
        (29, "2026-02-01T00:00", "2026-02-28T09:00"),
        (29, "2028-02-01T00:00", "2028-02-29T09:00"),
        (29, "2028-02-29T09:00", "2028-03-29T09:00"),
        (30, "2026-02-01T00:00", "2026-02-28T09:00"),
        (30, "2028-02-01T00:00", "2028-02-29T09:00"),
        (30, "2026-04-01T00:00", "2026-04-30T09:00"),
        (30, "2026-01-30T09:00", "2026-02-28T09:00"),
        (30, "2026-02-28T09:00", "2026-03-30T09:00"),
        (31, "2026-04-01T00:00", "2026-04-30T09:00"),
        (31, "2026-02-01T00:00", "2026-02-28T09:00"),
        (31, "2100-02-01T00:00", "2100-02-28T09:00"),
        (31, "2026-12-01T00:00", "2026-12-31T09:00"),
    ],
)
def test_next_of_a_monthly_schedule_never_skips_a_month(day, moment, expected):
    assert next_after(monthly(day), utc(moment)) == utc(expected)


@pytest.mark.parametrize("day", [29, 30, 31])
def test_every_month_has_one_occurrence_even_in_a_leap_year(day):
    found = upcoming(monthly(day), utc("2028-01-01"), count=12)

    assert [(at.year, at.month) for at in found] == [(2028, month) for month in range(1, 13)]


@pytest.mark.parametrize(
    ("at", "day", "expected"),
    [
        pytest.param("02:30", "2026-03-08", "2026-03-08T07:00", id="skipped: at the change"),
        pytest.param("01:59", "2026-03-08", "2026-03-08T06:59", id="before the gap"),
        pytest.param("03:00", "2026-03-08", "2026-03-08T07:00", id="after the gap"),
        pytest.param("02:30", "2026-03-09", "2026-03-09T06:30", id="the day after"),
        pytest.param("01:30", "2026-11-01", "2026-11-01T05:30", id="twice: the first"),
        pytest.param("02:00", "2026-11-01", "2026-11-01T07:00", id="after the fold"),
        pytest.param("17:00", "2026-07-01", "2026-07-01T21:00", id="summer"),
        pytest.param("17:00", "2026-01-05", "2026-01-05T22:00", id="winter"),
    ],
)
def test_clock_changes_in_new_york(at, day, expected):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York"))

    assert next_after(daily(at, "America/New_York"), midnight.astimezone(UTC)) == utc(expected)


@pytest.mark.parametrize(
    "moment",
    ["2026-11-01T05:30", "2026-11-01T05:45", "2026-11-01T06:15", "2026-11-01T06:30", "2026-11-01T06:45"],
)
def test_time_that_occurs_twice_is_not_due_again(moment):
    new_york = daily("01:30", "America/New_York")

    assert next_after(new_york, utc(moment)) == utc("2026-11-02T06:30")


@pytest.mark.parametrize(
    ("zone", "at", "moment", "expected"),
    [
        ("America/Sao_Paulo", "00:00", "2018-11-03T12:00", "2018-11-04T03:00"),
        ("Australia/Lord_Howe", "02:15", "2026-10-03T12:00", "2026-10-03T15:30"),
        ("Pacific/Apia", "17:00", "2011-12-30T05:00", "2011-12-30T10:00"),
        ("Antarctica/Troll", "01:30", "2026-03-28T12:00", "2026-03-29T01:00"),
    ],
)
def test_clock_changes_elsewhere(zone, at, moment, expected):
    assert next_after(daily(at, zone), utc(moment)) == utc(expected)


def test_schedules_without_a_time_zone_database(monkeypatch):
    monkeypatch.setattr("alertd.schedule.occurrences.ZoneInfo", None)

    assert next_after(daily("17:00"), utc("2026-01-05")) == utc("2026-01-05T17:00")


@pytest.mark.parametrize(
    ("every", "moment", "expected"),
    [
        (timedelta(hours=6), "2026-01-05T12:00", "2026-01-05T18:00"),
        (timedelta(hours=6), "2026-01-05T11:59:59", "2026-01-05T12:00"),
        (timedelta(minutes=7), "1970-01-01T00:00", "1970-01-01T00:07"),
        (timedelta(milliseconds=200), "2026-01-05T12:00", "2026-01-05T12:00:00.200000"),
        (timedelta(days=7), "2026-01-05T12:00", "2026-01-08T00:00"),
    ],
)
def test_intervals_are_aligned_to_the_epoch(every, moment, expected):
    assert next_after(schedule(Interval(every)), utc(moment)) == utc(expected)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2026-01-05T17:00", "2026-01-05T17:00"), ("2026-01-05T16:59", "2026-01-04T17:00")],
)
def test_last_of_a_daily_schedule(moment, expected):
    assert occurrence_at_or_before(daily("17:00"), utc(moment)) == utc(expected)


def test_last_of_a_monthly_schedule():
    assert occurrence_at_or_before(monthly(30), utc("2026-03-29")) == utc("2026-02-28T09:00")


def test_upcoming_are_the_next_ones_in_order():
    assert upcoming(daily("17:00"), utc("2026-01-05T17:00"), count=2) == (
        utc("2026-01-06T17:00"),
        utc("2026-01-07T17:00"),
    )


@pytest.mark.parametrize(
    "build",
    [
        lambda: Monthly(0, time(9)),
        lambda: Monthly(32, time(9)),
        lambda: Interval(timedelta()),
        lambda: Interval(timedelta(seconds=-1)),
        lambda: Daily(time(9, 0, 1)),
        lambda: Weekly(Weekday.MONDAY, time(9, tzinfo=UTC)),
        lambda: Monthly(1, time(9, 0, 0, 1)),
        lambda: daily("09:00", "Mars/Olympus"),
        lambda: daily("09:00", "../etc/passwd"),
        lambda: daily("09:00", ""),
    ],
)
def test_schedule_that_cannot_be_is_refused(build):
    with pytest.raises(ValueError):
        build()


@given(SCHEDULES, MOMENTS)
def test_next_is_later(any_schedule, moment):
    assert next_after(any_schedule, moment) > moment


@given(SCHEDULES, MOMENTS)
def test_last_is_not_later(any_schedule, moment):
    assert occurrence_at_or_before(any_schedule, moment) <= moment


@given(SCHEDULES, MOMENTS)
def test_last_and_next_are_neighbours(any_schedule, moment):
    at = next_after(any_schedule, moment)
    last = occurrence_at_or_before(any_schedule, moment)

    assert occurrence_at_or_before(any_schedule, at) == at
    assert next_after(any_schedule, last) == at


@given(SCHEDULES, MOMENTS)
def test_upcoming_is_what_next_finds_step_by_step(any_schedule, start):
    found = upcoming(any_schedule, start, count=50)

    assert all(next_after(any_schedule, a) == b for a, b in pairwise((start, *found)))
    assert len(found) == 50


@given(SCHEDULES, MOMENTS)
def test_results_are_in_utc(any_schedule, moment):
    assert next_after(any_schedule, moment).tzinfo is UTC


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=400)), MOMENTS)
def test_interval_is_a_whole_multiple_since_the_epoch(every, moment):
    at = next_after(schedule(Interval(every)), moment)

    assert (at - datetime(1970, 1, 1, tzinfo=UTC)) % every == timedelta()


@given(st.sampled_from(ZONES), st.times(), MOMENTS)
def test_local_time_is_the_one_asked_for_or_was_skipped(zone, at, moment):
    at = time(at.hour, at.minute)
    found = next_after(schedule(Daily(at), zone), moment)
    local = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    instant_before = (found - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert local.time() == at or local - instant_before > timedelta(minutes=1)


@given(st.sampled_from(sorted(set(ZONES) - {"Pacific/Apia"})), st.times(), MOMENTS)
def test_every_local_day_has_its_one_occurrence(zone, at, moment):
    found = upcoming(schedule(Daily(time(at.hour, at.minute)), zone), moment, count=20)
    days = [each.astimezone(ZoneInfo(zone)).date() for each in found]

    assert [b - a for a, b in pairwise(days)] == [timedelta(days=1)] * 19
