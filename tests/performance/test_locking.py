"""Whoever locks several subjects does it in the order of their ids, so that nobody waits for one who waits for him."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from alertd.db import Db
from alertd.performance.checks.judgement import Judgement
from alertd.performance.evaluation_store import lock_for_evaluation
from alertd.performance.judging import Judged
from alertd.performance.projection import projected
from alertd.performance.registering import Sending
from alertd.performance.remembering import remember
from alertd.performance.rows import SubjectName
from alertd.performance.settling import settle_within
from alertd.performance.subject_store import locked
from alertd.performance.watched import Kind, ReturnsFrom, Watched
from tests import factories
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"
LOCK = "SELECT FROM performance_subjects WHERE id = $1 FOR UPDATE"

Locking = Callable[[Db, Sequence[Watched]], Awaitable[object]]


async def sending_rows(db: Db, batch: Sequence[Watched]) -> None:
    async with db.transaction() as tx:
        await locked(tx, [SubjectName(each.tenant_id, each.name) for each in batch], Kind.STRATEGY, NOW)


async def remembering_tracks(db: Db, batch: Sequence[Watched]) -> None:
    reference = making.reference(60)
    judged = [Judged(each, Judgement((), track=stored.tracked(reference)), reference) for each in batch]
    await remember(db, judged, Sending("test", NOW, making.THRESHOLDS))


async def remembering_projections(db: Db, batch: Sequence[Watched]) -> None:
    made = projected(making.reference(60), None, YESTERDAY, seed=1)
    judged = [Judged(each, Judgement((), projection=made)) for each in batch]
    await remember(db, judged, Sending("test", NOW, making.THRESHOLDS))


async def telling(db: Db, batch: Sequence[Watched]) -> None:
    async with db.transaction() as tx:
        await lock_for_evaluation(tx, "drift", ["daily_pnl_check"], [each.id for each in batch], NOW)


async def rehearsing(db: Db, batch: Sequence[Watched]) -> None:
    async with db.transaction() as tx:
        await settle_within(tx, batch, NOW)


@pytest.mark.parametrize(
    "locking",
    [sending_rows, remembering_tracks, remembering_projections, telling, rehearsing],
    ids=lambda f: f.__name__,
)
async def test_nobody_holds_a_later_subject_while_waiting_for_an_earlier_one(db: Db, locking: Locking) -> None:
    tenant = await factories.tenant(db)
    # Names in the other order than ids.
    batch = [
        await stored.subject(db, tenant, name=name, returns_from=ReturnsFrom.EQUITY, equity_every=timedelta(hours=6))
        for name in ("zeta", "alpha")
    ]

    async with db.transaction() as holder:
        await holder.execute(LOCK, batch[0].id)
        waiting = asyncio.ensure_future(locking(db, batch))
        while not await db.fetchval(WAITING):
            await asyncio.sleep(0.01)
        await holder.execute(f"{LOCK} NOWAIT", batch[1].id)

    await waiting
