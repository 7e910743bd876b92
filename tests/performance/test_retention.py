"""What checks said and what rows said before is forgotten in time; how a subject stands is not."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from alertd.db import Db
from alertd.performance.evaluation_store import Evaluation, keep_projections, latest_evaluations, record_evaluations
from alertd.performance.projection import projected
from alertd.performance.retention_store import prune_evaluations, prune_projections, prune_revisions
from alertd.performance.series_store import RETURNS, put
from alertd.performance.store import projections_of
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

DAY = timedelta(days=1)
LATER = NOW + 400 * DAY


async def test_the_newest_evaluation_of_each_check_stays(db: Db) -> None:
    watched = await stored.subject(db)
    said = [Evaluation(watched.id, check, NOW + at * DAY, ()) for check in ("a", "b") for at in range(3)]
    await record_evaluations(db, said, NOW)

    gone = await prune_evaluations(db, before=LATER, batch=100)

    assert gone == 4
    assert {said.as_of for said in await latest_evaluations(db, [watched.id])} == {NOW + 2 * DAY}


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


@pytest.mark.parametrize("prune", [prune_evaluations, prune_projections, prune_revisions])
async def test_nothing_is_old_in_an_empty_database(db: Db, prune: Callable[..., Awaitable[int]]) -> None:
    assert await prune(db, before=LATER, batch=100) == 0
