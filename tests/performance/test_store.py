"""What checks are given is what was stored: of the right subjects, up to the right time."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from alertd.db import Db
from alertd.performance.evaluation_store import (
    Evaluation,
    TrackKept,
    accept_drift,
    forget_tracks,
    keep_projections,
    keep_tracks,
    latest_evaluations,
    record_evaluations,
)
from alertd.performance.findings import Finding, Rule, Status, no_data
from alertd.performance.projection import projected
from alertd.performance.returns import Quality
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.store import DaysWanted, Wanted, load, memories_of, watched_after
from alertd.performance.subject import LimitTerms, LossBasis, Subject, ValidationWindow
from alertd.performance.watched import Watched
from tests import factories
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

EVERYTHING = Wanted(days=DaysWanted.ALL, equity=True, windows=True, projection=True)


async def loaded(db: Db, watched: Watched, wanted: Wanted = EVERYTHING) -> Subject:
    return (await load(db, [watched], wanted, NOW))[watched.id]


async def test_a_subject_without_data_is_empty(db: Db) -> None:
    watched = await stored.subject(db)

    assert await loaded(db, watched) == Subject(seed=watched.seed(0))


async def test_subjects_come_in_pages_and_only_of_tenants_that_are_not_paused(db: Db) -> None:
    first, second = await stored.subject(db), await stored.subject(db)
    await stored.subject(db, await factories.tenant(db, paused=True))

    [one] = await watched_after(db, None, limit=1)
    rest = await watched_after(db, one.id, limit=9)

    assert [one.id, *(watched.id for watched in rest)] == [first.id, second.id]


async def test_the_highest_version_of_a_reference_counts(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await stored.reference(db, watched, reference)
    await stored.reference(db, watched, replace(making.reference(90), version=2))

    found = (await loaded(db, watched)).reference

    assert found is not None
    assert (found.version, found.days) == (2, 90)


async def test_a_reference_survives_the_database_bit_for_bit(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await stored.reference(db, watched, reference)

    found = (await loaded(db, watched)).reference

    assert found is not None
    assert found.returns is not None
    assert found.baseline == reference.baseline
    assert np.array_equal(found.returns, reference.returns)


async def test_days_begin_where_the_reference_became_active(db: Db) -> None:
    watched, daily = await stored.subject(db), making.daily(making.noise(30))
    await stored.days(db, watched, daily)
    await stored.reference(db, watched, making.reference(), active_from=YESTERDAY - timedelta(days=4))

    assert (await loaded(db, watched)).days == list(daily[-5:])


async def test_the_daily_check_gets_the_days_behind_its_track(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await stored.reference(db, watched, reference)
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(reference))], NOW)
    tomorrow = making.daily([0.01], last=YESTERDAY + timedelta(days=1))
    await stored.days(db, watched, [*making.daily(making.noise(10)), *tomorrow])

    assert (await loaded(db, watched, Wanted(days=DaysWanted.NEW))).days == list(tomorrow)


async def test_a_track_is_kept_bit_for_bit(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await stored.reference(db, watched, reference)
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(reference))], NOW)

    assert (await loaded(db, watched)).track == stored.tracked(reference)


async def test_a_track_of_another_version_is_none(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await stored.reference(db, watched, replace(reference, version=2))
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(reference))], NOW)

    assert (await loaded(db, watched)).track is None


@pytest.mark.parametrize(("revised", "kept"), [(YESTERDAY, False), (YESTERDAY + timedelta(days=1), True)])
async def test_a_track_is_forgotten_from_the_day_it_has_seen(db: Db, revised: date, kept: bool) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(reference))], NOW)

    await forget_tracks(db, watched.id, revised)

    assert ((await memories_of(db, [watched.id]))[watched.id].track is not None) is kept


async def test_a_track_of_days_that_were_revised_meanwhile_is_not_kept(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await forget_tracks(db, watched.id, YESTERDAY)

    await keep_tracks(db, [TrackKept(watched.id, 1, watched.revisions, stored.tracked(reference))], NOW)

    assert await memories_of(db, [watched.id]) == {}
    assert (await stored.reread(db, watched.id)).revisions == watched.revisions + 1


@pytest.mark.parametrize(("version", "accepted"), [(1, YESTERDAY), (2, None)])
async def test_an_acceptance_lasts_as_long_as_its_version(db: Db, version: int, accepted: date | None) -> None:
    watched, reference = await stored.subject(db), making.reference()
    await keep_tracks(db, [TrackKept(watched.id, 1, 0, stored.tracked(reference))], NOW)
    await accept_drift(db, watched.id, YESTERDAY)

    await keep_tracks(db, [TrackKept(watched.id, version, 1, stored.tracked(reference))], NOW)

    assert (await memories_of(db, [watched.id]))[watched.id].accepted_on == accepted


async def test_readings_come_in_order_with_their_grades_since_limits_count_and_until_now(db: Db) -> None:
    watched = await stored.subject(db, counts_from=making.snapshot(0, 1).at)
    readings = [making.snapshot(hours, 100 + hours) for hours in (-1, 6, 0, 12, 13)]
    readings[1] = replace(readings[1], quality=Quality.SUSPECT)
    await stored.snapshots(db, watched, readings)

    assert (await loaded(db, watched)).snapshots == [readings[2], readings[1], readings[3]]


async def test_a_cancelled_flow_is_none(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.flows(db, watched, [making.flow(1, 50), making.flow(2, 0)])

    assert (await loaded(db, watched)).flows == [making.flow(1, 50)]


async def test_windows_and_limits_come_as_they_were_agreed(db: Db) -> None:
    watched = await stored.subject(db)
    await db.execute(
        "INSERT INTO performance_windows VALUES ($1, '2025-01-01', '2025-02-01', 0.002, 0.001, 1, $2)", watched.id, NOW
    )
    await db.execute(
        "INSERT INTO performance_limits VALUES ($1, 'static', 'initial', 1000, NULL, 10, 2, 4, $2, 'x')",
        watched.id,
        NOW,
    )

    found = await loaded(db, watched)

    assert found.windows == [ValidationWindow(0.002, 0.001)]
    assert found.limits == LimitTerms(DrawdownMode.STATIC, LossBasis.INITIAL, 1000, None, 10, 2, 4)


async def test_the_latest_projection_made_by_then_counts(db: Db) -> None:
    watched, reference = await stored.subject(db), making.reference()
    made = [projected(reference, None, YESTERDAY + timedelta(days=day), seed=1) for day in (-31, 0, 2)]
    await keep_projections(db, {watched.id: made[0]}, NOW)
    await keep_projections(db, {watched.id: made[1]}, NOW)
    await keep_projections(db, {watched.id: made[2]}, NOW)

    assert (await loaded(db, watched)).projection == made[1]


@pytest.mark.parametrize(("before", "kept"), [(timedelta(0), True), (timedelta(seconds=1), False)])
async def test_a_projection_of_an_earlier_reference_is_none(db: Db, before: timedelta, kept: bool) -> None:
    watched, reference = await stored.subject(db), making.reference()
    made = projected(reference, None, YESTERDAY, seed=1)
    await keep_projections(db, {watched.id: made}, NOW - before)
    await stored.reference(db, watched, replace(reference, version=2))

    assert (await loaded(db, watched)).projection == (made if kept else None)


async def test_how_a_subject_stands_is_the_newest_of_each_check(db: Db) -> None:
    watched = await stored.subject(db)
    waiting = no_data(Rule.DRIFT, 3, 5, "live days")
    bad = Finding(rule=Rule.DRIFT, status=Status.WARNING, message="Drifts.", value=-0.1, details={"days": 3, "a": None})
    before, after = (
        Evaluation(watched.id, "daily_pnl_check", NOW - timedelta(days=1), (waiting,)),
        Evaluation(watched.id, "daily_pnl_check", NOW, (waiting, bad)),
    )

    await record_evaluations(db, [after, before], NOW)

    assert await latest_evaluations(db, [watched.id]) == [after]
    assert (before.status, after.status) == (Status.NO_DATA, Status.WARNING)
