"""Rows are stored once, all or none; what they replace is remembered, and what follows from them is done."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from alertd.config import PerformanceSettings
from alertd.db import Db
from alertd.performance import receiving, subject_store
from alertd.performance.evaluation_store import TrackKept, keep_tracks
from alertd.performance.receiving import Receipt
from alertd.performance.reference import ReferenceKind
from alertd.performance.registering import Sending
from alertd.performance.registration import Outlook
from alertd.performance.returns import Flow, Quality, Snapshot, daily_returns
from alertd.performance.rows import (
    BadRows,
    EquityRow,
    Fault,
    FlowRow,
    ReferenceRow,
    ReturnRow,
    SubjectName,
    TermsRow,
    WindowRow,
)
from alertd.performance.settling import settle
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.stats.expectation import Trials
from alertd.performance.stats.moments import Moments
from alertd.performance.store import COLUMNS, memories_of, watched_of
from alertd.performance.subject import LimitTerms, LossBasis
from alertd.performance.watched import Kind, ReturnsFrom, Watched
from tests import factories
from tests.performance import making, stored
from tests.performance.making import MIDNIGHT, NOW, YESTERDAY

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def sending(now: datetime = NOW) -> Sending:
    return Sending("platform", now, PerformanceSettings())


async def send(db: Db, receive: Any, rows: Sequence[object], now: datetime = NOW) -> Any:
    async with db.transaction() as tx:
        return await receive(tx, rows, sending(now))


async def subject(db: Db, name: str = "alpha") -> Watched:
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM performance_subjects s WHERE name = $1", name)
    assert row is not None
    return watched_of(row)


async def returns_of(db: Db) -> list[tuple[Any, ...]]:
    rows = await db.fetch("SELECT day, value, span_days, confidence, revision FROM performance_returns ORDER BY day")
    return [tuple(row) for row in rows]


@pytest.fixture
async def alpha(db: Db) -> SubjectName:
    return SubjectName(await factories.tenant(db), "alpha")


def daily(name: SubjectName, values: Sequence[float], last: date = YESTERDAY) -> list[ReturnRow]:
    return [ReturnRow(name, last - (len(values) - 1 - at) * DAY, value) for at, value in enumerate(values)]


def readings(name: SubjectName, equities: Sequence[float], *, first: datetime, every: timedelta) -> list[EquityRow]:
    return [EquityRow(name, first + at * every, equity, "USD") for at, equity in enumerate(equities)]


async def test_the_first_rows_make_their_subject(db: Db, alpha: SubjectName) -> None:
    receipt: Receipt = await send(db, receiving.receive_returns, daily(alpha, [0.01, -0.02]))

    made = await subject(db)
    assert (receipt.inserted, receipt.updated, receipt.unchanged) == (2, 0, 0)
    assert (made.tenant_id, made.kind, made.returns_from) == (alpha.tenant_id, Kind.STRATEGY, ReturnsFrom.PUSHED)
    assert await returns_of(db) == [(YESTERDAY - DAY, 0.01, 1, "full", 1), (YESTERDAY, -0.02, 1, "full", 1)]


async def test_the_same_rows_again_change_nothing(db: Db, alpha: SubjectName) -> None:
    rows = daily(alpha, [0.01, -0.02])
    await send(db, receiving.receive_returns, rows)
    before = await db.fetch("SELECT * FROM performance_returns ORDER BY day")

    receipt = await send(db, receiving.receive_returns, rows[::-1], NOW + HOUR)

    assert (receipt.inserted, receipt.updated, receipt.unchanged) == (0, 0, 2)
    assert await db.fetch("SELECT * FROM performance_returns ORDER BY day") == before


async def test_a_revised_day_is_replaced_and_what_it_said_is_remembered(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_returns, daily(alpha, [0.01]))

    receipt = await send(db, receiving.receive_returns, daily(alpha, [0.03]))

    [revision] = await db.fetch("SELECT kind, key, revision, earlier, replaced_by FROM performance_revisions")
    assert receipt.updated == 1
    assert await returns_of(db) == [(YESTERDAY, 0.03, 1, "full", 2)]
    assert tuple(revision) == (
        "return",
        YESTERDAY.isoformat(),
        1,
        {"value": 0.01, "span_days": 1, "confidence": "full"},
        "platform",
    )


@pytest.mark.parametrize(
    ("sent", "forgotten"),
    [
        (daily(SubjectName(UUID(int=0), "alpha"), [0.05], YESTERDAY), True),
        (daily(SubjectName(UUID(int=0), "alpha"), [0.05], YESTERDAY - 30 * DAY), True),
    ],
    ids=["a day that was seen", "a day before those that were seen"],
)
async def test_a_changed_past_is_replayed(
    db: Db, alpha: SubjectName, sent: Sequence[ReturnRow], forgotten: bool
) -> None:
    await send(db, receiving.receive_returns, daily(alpha, [0.01, 0.01]))
    watched = await subject(db)
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(making.reference()))], NOW)

    await send(db, receiving.receive_returns, [ReturnRow(alpha, row.day, row.value) for row in sent])

    assert ((await memories_of(db, [watched.id]))[watched.id].track is None) is forgotten
    assert (await subject(db)).revisions == 1


async def test_a_new_day_leaves_the_memory_of_the_others(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_returns, daily(alpha, [0.01, 0.01], YESTERDAY - DAY))

    await send(db, receiving.receive_returns, daily(alpha, [0.01]))

    assert (await subject(db)).revisions == 0


async def test_one_wrong_row_keeps_all_others_out(db: Db, alpha: SubjectName) -> None:
    with pytest.raises(BadRows) as raised:
        await send(
            db, receiving.receive_returns, [*daily(alpha, [0.01] * 3), ReturnRow(alpha, YESTERDAY - 9 * DAY, -1.0)]
        )

    assert [(fault.index, fault.field) for fault in raised.value.faults] == [(3, "return")]
    assert await db.fetchval("SELECT count(*) FROM performance_subjects") == 0


async def test_an_unknown_tenant_is_named_row_by_row(db: Db, alpha: SubjectName) -> None:
    stranger = SubjectName(uuid4(), "alpha")

    with pytest.raises(BadRows) as raised:
        await send(db, receiving.receive_returns, [*daily(alpha, [0.01]), *daily(stranger, [0.01])])

    assert raised.value.faults == (Fault(1, "tenant_id", "there is no tenant with this id"),)


async def test_a_tenant_has_so_many_subjects_and_no_more(
    db: Db, alpha: SubjectName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_store, "MOST_SUBJECTS", 1)
    await send(db, receiving.receive_returns, daily(alpha, [0.01]))

    with pytest.raises(BadRows) as raised:
        await send(db, receiving.receive_returns, daily(alpha._replace(name="beta"), [0.01]))

    assert [fault.field for fault in raised.value.faults] == ["subject"]


async def test_two_senders_of_the_same_new_subjects_do_not_disturb_each_other(db: Db, alpha: SubjectName) -> None:
    rows = [row for name in "dbca" for row in daily(alpha._replace(name=name), [0.01])]

    receipts = await asyncio.gather(
        send(db, receiving.receive_returns, rows), send(db, receiving.receive_returns, rows[::-1])
    )

    assert sorted((receipt.inserted, receipt.unchanged) for receipt in receipts) == [(0, 4), (4, 0)]


async def test_subjects_of_two_tenants_may_share_a_name(db: Db, alpha: SubjectName) -> None:
    other = SubjectName(await factories.tenant(db), "alpha")

    await send(db, receiving.receive_returns, [*daily(alpha, [0.01]), *daily(other, [0.02])])

    assert await db.fetchval("SELECT count(*) FROM performance_subjects") == 2


async def test_returns_that_look_like_percent_are_held_against_those_before(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_returns, daily(alpha, [0.01, -0.01, 0.01], YESTERDAY - DAY))

    with pytest.raises(BadRows) as raised:
        await send(db, receiving.receive_returns, daily(alpha, [1.2]))

    assert "percent" in raised.value.faults[0].detail


# --- equity ---------------------------------------------------------------------------------------------------


async def test_equity_becomes_daily_returns_at_once(db: Db, alpha: SubjectName) -> None:
    """The vector of the research note: a deposit of 50 within the day is no profit."""
    first = MIDNIGHT - DAY
    await send(db, receiving.receive_equity, readings(alpha, [100, 102], first=first, every=6 * HOUR))
    await send(db, receiving.receive_flows, [FlowRow(alpha, first + 9 * HOUR, 50.0, "d1")])
    await send(
        db, receiving.receive_equity, readings(alpha, [153, 150, 151.5], first=first + 12 * HOUR, every=6 * HOUR)
    )

    [(day, value, *_)] = await returns_of(db)
    assert (day, round(value, 10)) == (YESTERDAY, 0.0179527559)


async def test_equity_makes_an_account_with_a_currency_and_a_pause(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_equity, readings(alpha, [100], first=MIDNIGHT, every=HOUR))

    made = await subject(db)
    assert (made.kind, made.currency, made.returns_from, made.equity_every) == (
        Kind.ACCOUNT,
        "USD",
        ReturnsFrom.EQUITY,
        6 * HOUR,
    )


async def test_equity_of_a_subject_with_pushed_returns_serves_limits_only(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_returns, daily(alpha, [0.01]))

    await send(db, receiving.receive_equity, readings(alpha, [100, 200], first=MIDNIGHT - 2 * DAY, every=DAY))

    assert await returns_of(db) == [(YESTERDAY, 0.01, 1, "full", 1)]


async def test_returns_of_a_subject_with_equity_are_refused(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_equity, readings(alpha, [100], first=MIDNIGHT, every=HOUR))

    with pytest.raises(BadRows) as raised:
        await send(db, receiving.receive_returns, daily(alpha, [0.01]))

    assert [fault.field for fault in raised.value.faults] == ["subject"]


async def test_a_day_is_derived_once_it_is_over(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_equity, readings(alpha, [100, 101], first=MIDNIGHT, every=12 * HOUR))
    late = MIDNIGHT + 23 * HOUR
    await send(db, receiving.receive_equity, readings(alpha, [103], first=late, every=HOUR), late)

    await settle(db, [await subject(db)], late)
    early = await returns_of(db)
    await settle(db, [await subject(db)], MIDNIGHT + DAY)

    assert early == []
    assert [(day, round(value, 9)) for day, value, *_ in await returns_of(db)] == [(MIDNIGHT.date(), 0.03)]


async def test_equity_sent_in_any_order_gives_the_same_days(db: Db, alpha: SubjectName) -> None:
    equities = [1000 * (1 + 0.004 * ((7 * at) % 11 - 5)) for at in range(80)]
    rows = readings(alpha, equities, first=NOW - 20 * DAY, every=6 * HOUR)
    flow = FlowRow(alpha, rows[33].at + HOUR, 40.0, "d1")

    await send(db, receiving.receive_equity, rows[50:])
    await send(db, receiving.receive_equity, rows[:20])
    await send(db, receiving.receive_flows, [flow])
    await send(db, receiving.receive_equity, rows[20:50])

    snapshots = [Snapshot(row.at, row.equity) for row in rows]
    expected = daily_returns(snapshots, [Flow(flow.at, flow.amount)], (await subject(db)).boundary, until=NOW)
    assert [(day, value, span, confidence) for day, value, span, confidence, _ in await returns_of(db)] == [
        (day.day, day.value, day.span_days, day.confidence) for day in expected
    ]


async def test_a_flow_that_comes_late_corrects_the_day_and_believes_the_reading(db: Db, alpha: SubjectName) -> None:
    """A deposit looked like a profit of a half, and so like a reading that cannot be."""
    first = MIDNIGHT - 2 * DAY
    await send(db, receiving.receive_equity, readings(alpha, [100, 100, 151], first=first, every=DAY))
    doubted = await db.fetchval("SELECT quality FROM performance_equity ORDER BY at DESC LIMIT 1")
    before = await returns_of(db)

    await send(db, receiving.receive_flows, [FlowRow(alpha, MIDNIGHT - HOUR, 50.0, "d1")])

    believed = await db.fetchval("SELECT quality FROM performance_equity ORDER BY at DESC LIMIT 1")
    assert (doubted, believed) == (Quality.SUSPECT, Quality.OK)
    assert [row[0] for row in before] == [YESTERDAY - DAY]
    assert [(row[0], row[3]) for row in await returns_of(db)] == [(YESTERDAY - DAY, "full"), (YESTERDAY, "low")]


async def test_a_cancelled_flow_takes_back_what_it_explained(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_equity, readings(alpha, [100, 104], first=MIDNIGHT - DAY, every=DAY))
    await send(db, receiving.receive_flows, [FlowRow(alpha, MIDNIGHT - HOUR, 4.0, "d1")])
    explained = await returns_of(db)

    await send(db, receiving.receive_flows, [FlowRow(alpha, MIDNIGHT - HOUR, 0.0, "d1")])

    assert [round(row[1], 9) for row in (*explained, *await returns_of(db))] == [0.0, 0.04]
    assert await db.fetchval("SELECT count(*) FROM performance_revisions WHERE kind = 'return'") == 2


async def test_a_day_that_follows_no_more_is_dropped_and_remembered(db: Db, alpha: SubjectName) -> None:
    """What closed the day is not believed any more: the next day spans both."""
    rows = readings(alpha, [100, 101, 102], first=MIDNIGHT - 2 * DAY, every=DAY)
    await send(db, receiving.receive_equity, rows)

    await send(db, receiving.receive_equity, [EquityRow(alpha, rows[1].at, 0.0)])

    dropped = await db.fetch("SELECT key FROM performance_revisions WHERE kind = 'return' ORDER BY id")
    assert [(day, span) for day, _, span, *_ in await returns_of(db)] == [(YESTERDAY, 2)]
    assert YESTERDAY.isoformat() in {row["key"] for row in dropped}
    assert (YESTERDAY - DAY).isoformat() in {row["key"] for row in dropped}


async def test_nothing_where_there_was_something_is_not_believed(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_equity, readings(alpha, [100, 0], first=MIDNIGHT - DAY, every=DAY))

    assert await db.fetchval("SELECT quality FROM performance_equity WHERE equity = 0") == Quality.SUSPECT
    assert await returns_of(db) == []


async def test_flows_need_equity_to_explain(db: Db, alpha: SubjectName) -> None:
    with pytest.raises(BadRows) as raised:
        await send(db, receiving.receive_flows, [FlowRow(alpha, MIDNIGHT, 50.0, "d1")])

    assert [fault.field for fault in raised.value.faults] == ["subject"]


async def test_another_day_boundary_derives_all_days_again(db: Db, alpha: SubjectName) -> None:
    rows = readings(alpha, [100, 101, 102, 103, 104], first=MIDNIGHT - 2 * DAY, every=12 * HOUR)
    await send(db, receiving.receive_equity, rows)

    await send(db, receiving.receive_terms, [TermsRow(alpha, timezone="Asia/Tokyo", cutoff=time(9), kind=None)])
    tokyo_at_nine = await returns_of(db)
    await send(db, receiving.receive_terms, [TermsRow(alpha, timezone="UTC", cutoff=time(12))])

    assert [row[0] for row in tokyo_at_nine] == [YESTERDAY - DAY, YESTERDAY]
    assert [row[0] for row in await returns_of(db)] == [YESTERDAY - DAY]


# --- windows, references, terms -------------------------------------------------------------------------------


async def test_windows_are_stored_and_revised(db: Db, alpha: SubjectName) -> None:
    first = WindowRow(alpha, YESTERDAY - 30 * DAY, YESTERDAY, 0.002, 0.001)
    await send(db, receiving.receive_windows, [first])

    receipt = await send(db, receiving.receive_windows, [WindowRow(alpha, first.first_day, YESTERDAY, 0.002, 0.0005)])

    assert (receipt.inserted, receipt.updated) == (0, 1)
    assert await db.fetchval("SELECT out_of_sample FROM performance_windows") == 0.0005


def backtest(name: SubjectName, days: int = 365, **more: Any) -> ReferenceRow:
    values = tuple(float(value) for value in making.noise(days))
    return ReferenceRow(name, returns=values, **more)


async def test_a_reference_is_reported_on_at_once(db: Db, alpha: SubjectName) -> None:
    receipt, [reported] = await send(db, receiving.receive_references, [backtest(alpha, trials=Trials(1000))])

    assert (receipt.inserted, reported.filed.reference.kind) == (1, ReferenceKind.BACKTEST)
    assert reported.filed.registration.outlook is Outlook.LIKELY_OVERFIT
    assert reported.filed.reference.active_from == NOW.date()


async def test_the_same_reference_again_is_no_new_version(db: Db, alpha: SubjectName) -> None:
    _, [first] = await send(db, receiving.receive_references, [backtest(alpha)])

    receipt, [second] = await send(db, receiving.receive_references, [backtest(alpha)], NOW + DAY)

    assert (receipt.unchanged, second.filed.reference.version) == (1, 1)
    assert second.filed.registration == first.filed.registration


async def test_another_backtest_is_the_next_version(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_references, [backtest(alpha)])

    receipt, [reported] = await send(db, receiving.receive_references, [backtest(alpha, 200, last_day=YESTERDAY)])

    assert (receipt.updated, reported.filed.reference.version) == (1, 2)
    assert reported.filed.reference.active_from == NOW.date()


async def test_a_summary_is_a_reference_too(db: Db, alpha: SubjectName) -> None:
    summary = Moments(n=400, mean=0.001, sd=0.01)

    _, [reported] = await send(db, receiving.receive_references, [ReferenceRow(alpha, summary=summary)])

    assert reported.filed.reference.baseline.moments == summary
    assert reported.filed.registration.drawdown_95 is None


async def test_limits_are_agreed_and_judged_for_feasibility(db: Db, alpha: SubjectName) -> None:
    await send(db, receiving.receive_references, [backtest(alpha)])
    tight = LimitTerms(DrawdownMode.TRAILING, LossBasis.DAY_START, None, 1.0, 2.0)

    receipt, [reported] = await send(db, receiving.receive_terms, [TermsRow(alpha, tight)])

    assert receipt.inserted == 1
    assert reported.filed.registration.reaches_critical == 1.0


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        (LimitTerms(drawdown_critical=10.0), (0, 0, 1)),
        (LimitTerms(drawdown_critical=11.0), (0, 1, 0)),
    ],
)
async def test_limits_are_replaced_when_they_differ(
    db: Db, alpha: SubjectName, again: LimitTerms, counts: tuple[int, int, int]
) -> None:
    await send(db, receiving.receive_terms, [TermsRow(alpha, LimitTerms(drawdown_critical=10.0))])

    receipt, _ = await send(db, receiving.receive_terms, [TermsRow(alpha, again)])

    assert (receipt.inserted, receipt.updated, receipt.unchanged) == counts


async def test_terms_describe_their_subject_and_leave_what_they_do_not_say(db: Db, alpha: SubjectName) -> None:
    since = MIDNIGHT - 9 * DAY
    first = TermsRow(alpha, kind=Kind.ACCOUNT, timezone="Europe/Prague", equity_every=HOUR, counts_from=since)
    await send(db, receiving.receive_terms, [first])

    await send(db, receiving.receive_terms, [TermsRow(alpha, cutoff=time(0, 30))])

    made = await subject(db)
    assert (made.kind, made.boundary.timezone, made.boundary.cutoff) == (Kind.ACCOUNT, "Europe/Prague", time(0, 30))
    assert (made.equity_every, made.counts_from) == (HOUR, since)
