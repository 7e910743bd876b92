"""What checks said and what rows said before is forgotten in time; how a subject stands is not."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import time, timedelta

import pytest

from alertd.db import Db
from alertd.performance.curve import curve_of_steps
from alertd.performance.days import DayBoundary
from alertd.performance.evaluation_store import Evaluation, keep_projections, latest_evaluations, record_evaluations
from alertd.performance.projection import projected
from alertd.performance.retention_store import (
    prune_evaluations,
    prune_projections,
    prune_revisions,
    thin_evaluations,
    thin_readings,
)
from alertd.performance.returns import Flow, Snapshot, daily_returns, steps
from alertd.performance.series_store import RETURNS, put
from alertd.performance.store import projections_of, snapshots_of
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

DAY = timedelta(days=1)
LATER = NOW + 400 * DAY
UTC_DAYS = DayBoundary()


async def test_the_newest_evaluation_of_each_check_stays(db: Db) -> None:
    watched = await stored.subject(db)
    said = [Evaluation(watched.id, check, NOW + at * DAY, ()) for check in ("a", "b") for at in range(3)]
    await record_evaluations(db, said, NOW)

    gone = await prune_evaluations(db, before=LATER, batch=100)

    assert gone == 4
    assert {said.as_of for said in await latest_evaluations(db, [watched.id])} == {NOW + 2 * DAY}


async def test_of_many_looks_a_day_its_last_stays(db: Db) -> None:
    watched = await stored.subject(db)
    looks = [NOW + timedelta(hours=hours) for hours in (-13, -12, -3, 0, 11, 12)]
    said = [Evaluation(watched.id, check, at, ()) for check in ("a", "b") for at in looks]
    await record_evaluations(db, said, NOW)

    gone = await thin_evaluations(db, before=NOW + 2 * DAY, batch=100)

    left = await db.fetch("SELECT as_of FROM performance_evaluations WHERE check_name = 'a' ORDER BY as_of")
    assert gone == 6
    assert [row["as_of"] for row in left] == [looks[0], looks[4], looks[5]]


async def test_looks_that_are_not_old_stay(db: Db) -> None:
    watched = await stored.subject(db)
    await record_evaluations(db, [Evaluation(watched.id, "a", NOW + at, ()) for at in (0 * DAY, DAY / 24)], NOW)

    assert await thin_evaluations(db, before=NOW, batch=100) == 0


async def test_the_newest_projection_stays(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    for at in range(3):
        await keep_projections(db, {watched.id: projected(reference, None, YESTERDAY + at * DAY, seed=1)}, NOW)

    gone = await prune_projections(db, before=LATER, batch=100)

    left = await projections_of(db, [watched.id], until=LATER.date())
    assert (gone, left[watched.id].made_on) == (2, YESTERDAY + 2 * DAY)


async def test_what_was_replaced_is_forgotten(db: Db) -> None:
    watched = await stored.subject(db)
    for value in (0.01, 0.02, 0.03):
        async with db.transaction() as tx:
            await put(tx, RETURNS, {(watched.id, YESTERDAY): (value, 1, "full")}, by="x", now=NOW)

    young = await prune_revisions(db, before=NOW, batch=100)
    old = await prune_revisions(db, before=NOW + DAY, batch=1)

    assert (young, old) == (0, 1)
    assert await db.fetchval("SELECT earlier ->> 'value' FROM performance_revisions") == "0.02"


async def thinned(
    db: Db, readings: Sequence[Snapshot], flows: Sequence[Flow] = (), boundary: DayBoundary = UTC_DAYS
) -> list[Snapshot]:
    """What is left of these, once they are old."""
    watched = await stored.subject(db, timezone=boundary.timezone, cutoff=boundary.cutoff)
    await stored.snapshots(db, watched, readings)
    await stored.flows(db, watched, flows)
    await thin_readings(db, before=NOW + DAY, batch=2000)
    return list((await snapshots_of(db, {watched.id: None}, until=LATER))[watched.id])


MINUTES = [making.snapshot(at / 60, 1000 + (at * 7) % 60) for at in range(24 * 60)]


async def test_old_readings_are_thinned_to_hours_and_extremes(db: Db) -> None:
    left = await thinned(db, MINUTES)

    hours = {making.snapshot(hour, 0).at for hour in range(24)}
    assert hours <= {reading.at for reading in left}
    assert {min(reading.equity for reading in left), max(reading.equity for reading in left)} == {1000, 1059}
    assert len(left) <= 27


async def test_thinned_readings_multiply_to_the_same_index(db: Db) -> None:
    left = await thinned(db, MINUTES)

    before, after = (curve_of_steps(steps(readings, ()), DayBoundary()).levels for readings in (MINUTES, left))
    assert len(left) < len(MINUTES)
    assert after[-1] == pytest.approx(before[-1])
    assert (max(after), min(after)) == (pytest.approx(max(before)), pytest.approx(min(before)))


@pytest.mark.parametrize(
    "boundary",
    [
        UTC_DAYS,
        DayBoundary(cutoff=time(0, 30)),
        DayBoundary("America/New_York", time(17, 5)),
        DayBoundary("Asia/Kolkata"),
    ],
    ids=str,
)
async def test_days_earn_the_same_after_thinning(db: Db, boundary: DayBoundary) -> None:
    every_ten_minutes = [making.snapshot(at / 6, 1000 + (at * 7) % 60) for at in range(-3 * 144, 145)]

    left = await thinned(db, every_ten_minutes, boundary=boundary)

    before, after = (daily_returns(readings, (), boundary, until=LATER) for readings in (every_ten_minutes, left))
    assert len(left) < len(every_ten_minutes) / 3
    assert [day.value for day in after] == pytest.approx([day.value for day in before])


async def test_the_reading_that_limits_count_from_stays(db: Db) -> None:
    counts_from = making.snapshot(10 + 25 / 60, 0).at
    watched = await stored.subject(db, counts_from=counts_from)
    await stored.snapshots(db, watched, MINUTES)

    await thin_readings(db, before=NOW + DAY, batch=2000)

    left = (await snapshots_of(db, {watched.id: counts_from}, until=LATER))[watched.id]
    assert left[0].at == counts_from
    assert len(left) < 20


async def test_a_day_with_a_flow_keeps_all_its_readings(db: Db) -> None:
    """What was paid in or out moves the marks against the readings."""
    assert await thinned(db, MINUTES, [making.flow(9.5, 100)]) == MINUTES


async def test_an_idle_account_is_thinned_too(db: Db) -> None:
    assert len(await thinned(db, [making.snapshot(at / 60, 1000) for at in range(120)])) == 3


async def test_a_wild_day_keeps_all_its_readings(db: Db) -> None:
    wild = [making.snapshot(at / 60, 1000 + at) for at in range(120)]

    assert await thinned(db, wild) == wild


async def test_readings_that_are_not_old_are_left_alone(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.snapshots(db, watched, MINUTES)

    assert await thin_readings(db, before=making.MIDNIGHT, batch=1000) == 0


@pytest.mark.parametrize(
    "prune", [prune_evaluations, prune_projections, prune_revisions, thin_evaluations, thin_readings]
)
async def test_nothing_is_old_in_an_empty_database(db: Db, prune: Callable[..., Awaitable[int]]) -> None:
    assert await prune(db, before=LATER, batch=100) == 0
