"""When trading days begin and end, on clocks that change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.performance.days import DayBoundary

PRAGUE = DayBoundary("Europe/Prague")
ZONES = ("UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2026, 1, 5), "2026-01-04T23:00", "2026-01-05T23:00"),
        (date(2026, 7, 5), "2026-07-04T22:00", "2026-07-05T22:00"),
        (date(2026, 3, 29), "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours
        (date(2026, 10, 25), "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours
    ],
)
def test_a_day_follows_the_clock_of_its_zone(day, opens, closes):
    assert (PRAGUE.opens(day), PRAGUE.closes(day)) == (utc(opens), utc(closes))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-01-05T00:29:59", date(2026, 1, 4)),
        ("2026-01-05T00:30", date(2026, 1, 5)),
        ("2026-01-06T00:29:59", date(2026, 1, 5)),
    ],
)
def test_minutes_before_the_cut_off_belong_to_the_day_before(at, day):
    assert DayBoundary("UTC", time(0, 30)).day_of(utc(at)) == day


def test_the_last_complete_day_is_over():
    assert DayBoundary().last_complete(utc("2026-01-05T00:00")) == date(2026, 1, 4)


@given(
    st.integers(0, 20 * 365 * 86_400).map(lambda seconds: utc("2010-01-01") + timedelta(seconds=seconds)),
    st.sampled_from(ZONES),
    st.times(),
)
def test_every_instant_is_in_exactly_one_day(at, zone, cutoff):
    boundary = DayBoundary(zone, cutoff.replace(tzinfo=None))
    day = boundary.day_of(at)

    assert boundary.opens(day) <= at < boundary.closes(day)


def test_the_last_look_of_each_day_ends_it_and_the_very_end_still_belongs_to_it():
    times = [utc("2026-01-04T12:00") + timedelta(hours=hours) for hours in (0, 11.9, 12, 13, 20, 40)]

    assert list(DayBoundary().day_ends(times)) == [False, False, True, False, True, False]


def test_no_looks_end_no_days():
    assert list(DayBoundary().day_ends([])) == []
