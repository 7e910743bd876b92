"""When a credential is due."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.credentials.timetable import confirmation, next_due, phase_of
from alertd.model import CredentialRef, CredentialType

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
moments = st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds))
intervals = st.timedeltas(timedelta(seconds=1), timedelta(days=40))
phases = st.floats(0, 1, exclude_max=True)


@given(moments, intervals, phases)
def test_the_next_time_is_ahead_and_within_one_interval(now: datetime, interval: timedelta, phase: float) -> None:
    due = next_due(now, interval, phase)

    assert now < due <= now + interval


@given(moments, intervals, phases)
def test_times_follow_each_other_by_one_interval(now: datetime, interval: timedelta, phase: float) -> None:
    due = next_due(now, interval, phase)

    assert next_due(due, interval, phase) == due + interval


@pytest.mark.parametrize(
    ("phase", "due"),
    [(0.0, datetime(2026, 1, 5, 18, tzinfo=UTC)), (0.25, datetime(2026, 1, 5, 13, 30, tzinfo=UTC))],
)
def test_six_hours_are_counted_from_midnight(phase: float, due: datetime) -> None:
    assert next_due(NOON, timedelta(hours=6), phase) == due


def test_phases_are_stable_and_spread_evenly() -> None:
    refs = [CredentialRef(UUID(int=i), "kraken", CredentialType.TRADING) for i in range(4000)]

    in_each_quarter = [sum(int(phase_of(ref) * 4) == quarter for ref in refs) for quarter in range(4)]

    assert phase_of(refs[0]) == phase_of(CredentialRef(UUID(int=0), "kraken", CredentialType.TRADING))
    assert all(900 < count < 1100 for count in in_each_quarter)


@pytest.mark.parametrize(
    ("streak", "due"), [(1, timedelta(minutes=1)), (2, timedelta(minutes=5)), (3, None), (0, None)]
)
def test_confirmations_come_soon_and_end(streak: int, due: timedelta | None) -> None:
    delays = (timedelta(minutes=1), timedelta(minutes=5))

    assert confirmation(NOON, delays, streak) == (None if due is None else NOON + due)
