"""Returns that know no deposits: golden vectors, gaps, and what cannot be computed."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.performance.days import DayBoundary
from alertd.performance.returns import Confidence, Flow, Quality, Snapshot, daily_returns, modified_dietz, steps
from tests.performance.making import MIDNIGHT, flow, snapshot

GOLDEN = (snapshot(0, 100), snapshot(6, 102), snapshot(12, 153), snapshot(18, 150), snapshot(24, 151.5))
DEPOSIT = flow(9, 50)
MONDAY = date(2026, 1, 5)
LATER = MIDNIGHT + timedelta(days=30)


def test_a_worked_example_of_modified_dietz():
    assert modified_dietz(snapshot(0, 100), snapshot(24, 300), [flow(12, 50)]) == pytest.approx(1.2)


def test_a_deposit_is_no_profit():
    chain = steps(GOLDEN, [DEPOSIT])

    assert [step.value for step in chain] == pytest.approx([0.02, 0.00787401575, -0.0196078431, 0.01])


def test_steps_link_into_the_day():
    (day,) = daily_returns(GOLDEN, [DEPOSIT], DayBoundary(), until=LATER)

    assert day.day == MONDAY
    assert day.value == pytest.approx(0.0179527559)


def test_the_order_of_arrival_does_not_matter():
    assert daily_returns(GOLDEN[::-1], [DEPOSIT], DayBoundary(), until=LATER) == daily_returns(
        GOLDEN, [DEPOSIT], DayBoundary(), until=LATER
    )


@pytest.mark.parametrize(
    ("hours", "amount", "confidence"),
    [
        (9, 10.1, Confidence.FULL),
        (9, 10.3, Confidence.LOW),
        (9, -10.3, Confidence.LOW),
        (12 - 1 / 6, 5000, Confidence.FULL),  # the account was read ten minutes after
        (6 + 1 / 6, 10.3, Confidence.FULL),  # or ten minutes before
    ],
)
def test_a_large_flow_between_readings_is_known_only_roughly(hours, amount, confidence):
    readings = (snapshot(6, 102), snapshot(12, 102 + amount))

    assert steps(readings, [flow(hours, amount)])[0].confidence is confidence


@pytest.mark.parametrize(
    ("end", "confidence"), [(75.0, Confidence.FULL), (74.9, Confidence.LOW), (125.1, Confidence.LOW)]
)
def test_a_jump_that_nothing_explains_decides_nothing(end, confidence):
    assert steps((snapshot(0, 100), snapshot(6, end)), [])[0].confidence is confidence


@pytest.mark.parametrize(
    ("start", "end", "flows"),
    [
        (0.0, 0.0, []),
        (-5.0, 10.0, []),
        (100.0, 5.0, [flow(0.1, -95)]),  # a return on what is left would be a ratio of leftovers
        (100.0, 5000.0, []),
    ],
)
def test_a_step_without_a_base_has_no_value(start, end, flows):
    assert steps((snapshot(0, start), snapshot(6, end)), flows)[0].value is None


@pytest.mark.parametrize("equity", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_reading(equity):
    chain = steps((snapshot(0, 100), snapshot(6, equity), snapshot(12, 101)), [])

    assert [step.value for step in chain] == [pytest.approx(0.01)]


@pytest.mark.parametrize("quality", [Quality.PARTIAL, Quality.SUSPECT])
def test_a_reading_that_is_not_sure_is_not_used(quality):
    chain = steps((snapshot(0, 100), snapshot(6, 3, quality), snapshot(12, 101)), [])

    assert [step.value for step in chain] == [pytest.approx(0.01)]


def test_two_readings_at_one_time_make_no_step():
    assert [step.value for step in steps((snapshot(0, 100), snapshot(0, 100), snapshot(6, 101)), [])] == [
        pytest.approx(0.01)
    ]


def test_a_flow_at_the_instant_of_a_reading_is_in_that_reading():
    chain = steps((snapshot(0, 100), snapshot(6, 200), snapshot(12, 202)), [flow(6, 100)])

    assert [step.value for step in chain] == [0.0, pytest.approx(0.01)]


def closing(day: int, equity: float, *, hours_before: float = 0.0) -> Snapshot:
    """The reading that closes so many days after the fixed Monday."""
    return Snapshot(MIDNIGHT + timedelta(days=day + 1, hours=-hours_before), equity)


def test_a_day_whose_last_reading_is_too_old_is_missing_and_the_next_spans_both():
    readings = (closing(-1, 100), closing(0, 101, hours_before=8.1), closing(1, 103))

    (found,) = daily_returns(readings, [], DayBoundary(), until=LATER)

    assert (found.day, found.span_days, found.value) == (date(2026, 1, 6), 2, pytest.approx(0.03))


def test_a_reading_of_the_last_eight_hours_closes_its_day():
    readings = (closing(-1, 100), closing(0, 101, hours_before=8))

    (found,) = daily_returns(readings, [], DayBoundary(), until=LATER)

    assert (found.day, found.span_days) == (MONDAY, 1)


def test_the_present_day_has_no_return_yet():
    readings = (closing(-1, 100), closing(0, 101))

    assert daily_returns(readings, [], DayBoundary(), until=MIDNIGHT + timedelta(hours=23)) == ()


def test_a_step_without_a_value_voids_its_day_and_the_chain_starts_again():
    readings = (closing(-1, 100), closing(0, 9000), closing(1, 9090))

    (found,) = daily_returns(readings, [], DayBoundary(), until=LATER)

    assert (found.day, found.value) == (date(2026, 1, 6), pytest.approx(0.01))


def test_a_day_over_a_large_flow_is_shown_and_used_by_nothing():
    (found,) = daily_returns(GOLDEN, [DEPOSIT], DayBoundary(), until=LATER)

    assert found.confidence is Confidence.LOW
    assert not found.usable


@pytest.mark.parametrize(("readings", "flows"), [((), ()), ((snapshot(0, 100),), ()), ((), (flow(1, 5),))])
def test_without_two_readings_there_are_no_returns(readings, flows):
    assert daily_returns(readings, flows, DayBoundary(), until=LATER) == ()


def test_days_of_23_and_25_hours_are_days():
    boundary = DayBoundary("Europe/Prague")
    days = [date(2026, 3, 28) + timedelta(days=count) for count in range(4)]
    readings = [Snapshot(boundary.opens(day), 100.0 + index) for index, day in enumerate(days)]

    found = daily_returns(readings, [], boundary, until=datetime(2026, 5, 1, tzinfo=UTC))

    assert [(day.day, day.span_days) for day in found] == [(day, 1) for day in days[:-1]]


returns = st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=12)
payments = st.lists(st.floats(-0.85, 1000.0), min_size=12, max_size=12)


@given(returns, payments)
def test_flows_of_any_size_leave_returns_as_they_are_where_the_account_was_read(earned, paid):
    """Each day something is paid, in parts of the account, and the account is read before and after."""
    equity, readings, flows = 100.0, [Snapshot(MIDNIGHT, 100.0)], []
    for day, (rate, part) in enumerate(zip(earned, paid, strict=False)):
        noon = MIDNIGHT + timedelta(days=day, hours=12)
        readings.append(Snapshot(noon, equity))
        flows.append(Flow(noon + timedelta(minutes=1), equity * part))
        readings.append(Snapshot(noon + timedelta(minutes=2), equity := equity * (1 + part)))
        readings.append(Snapshot(MIDNIGHT + timedelta(days=day + 1), equity := equity * (1 + rate)))

    found = daily_returns(readings, flows, DayBoundary(), until=LATER)

    assert [day.value for day in found] == pytest.approx(earned, abs=1e-9)


@given(returns, st.floats(1e-3, 1e9))
def test_the_currency_s_unit_does_not_matter(earned, unit):
    readings = [Snapshot(MIDNIGHT, unit)]
    equity = unit
    for day, rate in enumerate(earned):
        equity *= 1 + rate
        readings.append(Snapshot(MIDNIGHT + timedelta(days=day + 1), equity))

    found = daily_returns(readings, [], DayBoundary(), until=LATER)

    assert [day.value for day in found] == pytest.approx(earned, abs=1e-9)
