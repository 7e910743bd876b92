"""Rows that cannot be true, one by one; what units were meant is guessed only to refuse, never to convert."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from alertd.performance.days import DayBoundary
from alertd.performance.grading import regraded
from alertd.performance.ingest import Known, equity_faults, first_live_day, flow_faults, return_faults
from alertd.performance.returns import Quality, Snapshot
from alertd.performance.rows import EquityRow, FlowRow, ReferenceRow, ReturnRow, SubjectName
from alertd.performance.watched import Kind, Watched
from tests.performance.making import NOW, YESTERDAY, flow, snapshot

ALPHA = SubjectName(UUID(int=1), "alpha")
BETA = SubjectName(UUID(int=1), "beta")
DAY = timedelta(days=1)


def watched(boundary: DayBoundary | None = None, currency: str | None = None) -> Watched:
    return Watched(
        id=UUID(int=2),
        tenant_id=ALPHA.tenant_id,
        kind=Kind.STRATEGY,
        name="alpha",
        boundary=boundary or DayBoundary(),
        currency=currency,
    )


def faults(values: list[float], typical: float | None = None) -> list[str]:
    rows = [ReturnRow(ALPHA, YESTERDAY - at * DAY, value) for at, value in enumerate(values)]
    return [fault.field for fault in return_faults(rows, {ALPHA: Known(watched(), typical)}, NOW)]


@pytest.mark.parametrize(
    ("values", "typical", "refused"),
    [
        ([0.01, -0.02, 0.015], None, False),
        ([1.2, -0.8, 0.9, 0.4], None, True),  # of every second day more than half
        ([0.01, 0.01, 5.0], None, False),  # one wild day among others
        ([0.0, 0.0, 0.0, 0.7, 0.8, 0.9], None, True),  # idle days say nothing
        ([0.6], None, True),  # alone, and nothing to hold it against
        ([0.6], 0.01, True),  # sixty times what is usual
        ([0.6], 0.05, False),  # a wild day of a wild strategy
        ([0.4], None, False),
        ([], None, False),
    ],
)
def test_percent_is_told_from_fractions(values: list[float], typical: float | None, refused: bool) -> None:
    assert bool(faults(values, typical)) is refused


@pytest.mark.parametrize(
    ("value", "refused"), [(-0.999, False), (-1.0, True), (-1.5, True), (10.0, False), (10.1, True)]
)
def test_nobody_loses_more_than_everything(value: float, refused: bool) -> None:
    assert ("return" in faults([0.001] * 5 + [value])) is refused


@pytest.mark.parametrize(
    ("timezone", "cutoff", "now", "over"),
    [
        ("UTC", time(0), datetime(2026, 1, 5, 0, 0, tzinfo=UTC), True),
        ("UTC", time(0), datetime(2026, 1, 4, 23, 56, tzinfo=UTC), True),  # the sender's clock may be ahead
        ("UTC", time(0), datetime(2026, 1, 4, 23, 54, tzinfo=UTC), False),
        ("Asia/Tokyo", time(0), datetime(2026, 1, 4, 15, 0, tzinfo=UTC), True),
        ("America/New_York", time(0), datetime(2026, 1, 5, 4, 0, tzinfo=UTC), False),
        ("UTC", time(0, 30), datetime(2026, 1, 5, 0, 10, tzinfo=UTC), False),
    ],
)
def test_a_day_is_over_by_the_subjects_own_clock(timezone: str, cutoff: time, now: datetime, over: bool) -> None:
    known = {ALPHA: Known(watched(DayBoundary(timezone, cutoff)))}

    found = list(return_faults([ReturnRow(ALPHA, date(2026, 1, 4), 0.01)], known, now))

    assert (found == []) is over


def test_a_row_that_comes_twice_is_named_where_it_comes_again() -> None:
    rows = [ReturnRow(ALPHA, YESTERDAY, 0.01), ReturnRow(BETA, YESTERDAY, 0.01), ReturnRow(ALPHA, YESTERDAY, 0.01)]
    known = {ALPHA: Known(watched()), BETA: Known(watched())}

    assert [(fault.index, fault.field) for fault in return_faults(rows, known, NOW)] == [(2, "date")]


@pytest.mark.parametrize(
    ("stored", "sent", "wrong"),
    [
        (None, ["USD", None, "USD"], []),
        (None, [None, "USD"], [0]),
        (None, ["USD", "EUR"], [1]),
        ("USD", [None, "USD"], []),
        ("USD", ["EUR"], [0]),
    ],
)
def test_an_account_has_one_currency(stored: str | None, sent: list[str | None], wrong: list[int]) -> None:
    rows = [EquityRow(ALPHA, NOW - at * DAY, 100.0, currency) for at, currency in enumerate(sent)]

    found = equity_faults(rows, {ALPHA: Known(watched(currency=stored))}, NOW)

    assert [fault.index for fault in found] == wrong


@pytest.mark.parametrize(("known_ids", "wrong"), [({"d1"}, []), (set(), ["amount"])])
def test_only_a_flow_that_there_is_can_be_cancelled(known_ids: set[str], wrong: list[str]) -> None:
    known = {ALPHA: Known(watched(currency="USD"), has_equity=True, flow_ids=frozenset(known_ids))}

    found = flow_faults([FlowRow(ALPHA, NOW, 0.0, "d1")], known, NOW)

    assert [fault.field for fault in found] == wrong


@pytest.mark.parametrize(
    ("row", "day"),
    [
        (ReferenceRow(ALPHA), date(2026, 1, 5)),
        (ReferenceRow(ALPHA, last_day=date(2025, 12, 31)), date(2026, 1, 1)),
        (ReferenceRow(ALPHA, last_day=date(2025, 12, 31), active_from=date(2025, 6, 1)), date(2025, 6, 1)),
    ],
)
def test_a_reference_holds_from_the_day_after_it(row: ReferenceRow, day: date) -> None:
    assert first_live_day(row, watched(), NOW) == day


def grades(*readings: Snapshot, flows: tuple = (), earlier: tuple[Snapshot, ...] = ()) -> list[Quality]:
    return [reading.quality for reading in regraded(earlier, readings, flows)]


def test_a_jump_is_believed_once_a_second_reading_agrees() -> None:
    assert grades(snapshot(0, 100), snapshot(1, 40), snapshot(2, 40)) == [Quality.OK, Quality.SUSPECT, Quality.OK]


def test_a_jump_that_goes_back_was_none() -> None:
    assert grades(snapshot(0, 100), snapshot(1, 40), snapshot(2, 100)) == [Quality.OK, Quality.SUSPECT, Quality.OK]


def test_a_flow_explains_a_jump() -> None:
    assert grades(snapshot(0, 100), snapshot(2, 150), flows=(flow(1, 50),)) == [Quality.OK, Quality.OK]


def test_what_could_not_be_valued_stays_so() -> None:
    assert grades(snapshot(0, 100), snapshot(1, 60, Quality.PARTIAL)) == [Quality.OK, Quality.PARTIAL]


def test_grading_in_two_parts_is_grading_at_once() -> None:
    readings = [snapshot(hour, 100 + (hour * 37) % 50) for hour in range(90)]
    first = list(regraded((), readings[:70], ()))

    assert [*first, *regraded(first, readings[70:], ())] == list(regraded((), readings, ()))
