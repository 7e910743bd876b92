"""Daily returns that follow from equity: derived when readings or flows change, and when a day is over.

A day that comes out otherwise than before is a revision, and what checks remember of it is forgotten.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from alertd.db import Db, Sql, Tx
from alertd.performance import equity_store, series_store
from alertd.performance.days import DAY, INSTANT
from alertd.performance.evaluation_store import forget_tracks
from alertd.performance.grading import LOOK_BACK, regraded
from alertd.performance.returns import OLDEST_CLOSING, Snapshot, daily_returns
from alertd.performance.series_store import RETURNS, Key, Values
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.store import FIRST_DAY, days_of, flows_of, snapshots_of
from alertd.performance.watched import ReturnsFrom, Watched

OURSELVES: Final = "alertd"  # whoever does what follows from other rows
END: Final = datetime.max.replace(tzinfo=UTC)
CLOSING_SOUGHT: Final = 500  # readings among which the closing before a day is sought


async def settle(db: Db, batch: Iterable[Watched], now: datetime) -> None:
    """Derive the days that have ended meanwhile. To be called before these subjects are judged."""
    for watched, first in await _overdue(db, batch, now):
        async with db.transaction() as tx:
            await equity_store.lock(tx, watched.id)
            await derive(tx, watched, first, now)


async def settle_within(tx: Tx, batch: Iterable[Watched], now: datetime) -> None:
    """The same for somebody who does not want it to last; the batch in the order of ids, in which all lock subjects."""
    for watched, first in await _overdue(tx, batch, now):
        await equity_store.lock(tx, watched.id)
        await derive(tx, watched, first, now)


async def _overdue(sql: Sql, batch: Iterable[Watched], now: datetime) -> list[tuple[Watched, date]]:
    """Those with days that are over and not derived, each with the first of them."""
    following = [watched for watched in batch if watched.returns_from is ReturnsFrom.EQUITY]
    until = await equity_store.derived_until(sql, [watched.id for watched in following])
    found = [(watched, until.get(watched.id)) for watched in following]
    return [
        (watched, FIRST_DAY if settled is None else settled + DAY)
        for watched, settled in found
        if settled is None or settled < watched.boundary.last_complete(now)
    ]


async def equity_changed(tx: Sql, watched: Watched, since: datetime, derived: date | None, now: datetime) -> None:
    """Readings or flows of this time and later are new or different. The subject must be locked.

    `derived` is the last day that was derived. A day that is not over, or was never derived, waits for `settle`.
    """
    await _regrade(tx, watched, since)
    first = watched.boundary.day_of(since - INSTANT)
    overdue = derived is None or derived < watched.boundary.last_complete(now)
    if watched.returns_from is ReturnsFrom.EQUITY and (overdue or (derived is not None and first <= derived)):
        await derive(tx, watched, first if derived is None else min(first, derived + DAY), now)


async def derive(tx: Sql, watched: Watched, first: date, now: datetime) -> None:
    """Days from `first` on, as they follow from what is stored now. The subject must be locked."""
    start = await _closing_before(tx, watched, first)
    snapshots = (await snapshots_of(tx, {watched.id: start}, until=now)).get(watched.id, ())
    flows = (await flows_of(tx, {watched.id: start}, until=now)).get(watched.id, ())
    found = await in_stats_thread(lambda: daily_returns(snapshots, flows, watched.boundary, until=now))
    rows: dict[Key, Values] = {
        (watched.id, day.day): (day.value, day.span_days, day.confidence) for day in found if day.day >= first
    }
    await _store(tx, watched, first, rows, now)
    await equity_store.note_derived(tx, watched.id, watched.boundary.last_complete(now))


async def forget_seen(tx: Sql, watched: Watched, changed: Iterable[date], *, latest: date | None) -> None:
    """Checks that have seen a day which changed must see it again; `latest` is the latest day there was before.

    A new day behind all others has been seen by none.
    """
    seen = [day for day in changed if latest is not None and day <= latest]
    if seen:
        await forget_tracks(tx, watched.id, min(seen))


async def _store(tx: Sql, watched: Watched, first: date, rows: Mapping[Key, Values], now: datetime) -> None:
    stored = [day.day for day in (await days_of(tx, {watched.id: first}, until=date.max)).get(watched.id, ())]
    gone = [(watched.id, day) for day in stored if (watched.id, day) not in rows]
    changes = await series_store.put(tx, RETURNS, rows, by=OURSELVES, now=now)
    await series_store.drop(tx, RETURNS, gone, by=OURSELVES, now=now)
    touched = [day for _, day in (*changes.inserted, *changes.replaced, *gone) if isinstance(day, date)]
    await forget_seen(tx, watched, touched, latest=max(stored, default=None))


async def _regrade(tx: Sql, watched: Watched, since: datetime) -> None:
    earlier = await equity_store.last_before(tx, watched.id, since, limit=LOOK_BACK, usable=False)
    every = await snapshots_of(tx, {watched.id: since}, until=END)
    readings = every.get(watched.id, ())
    start = earlier[0].at if earlier else since
    flows = (await flows_of(tx, {watched.id: start}, until=END)).get(watched.id, ())
    graded = await in_stats_thread(lambda: list(regraded(earlier, readings, flows)))
    differing = [new for old, new in zip(readings, graded, strict=True) if old.quality is not new.quality]
    if differing:
        await equity_store.grade_again(tx, watched.id, differing)


async def _closing_before(tx: Sql, watched: Watched, first: date) -> datetime | None:
    """The time of the latest reading that closes a day before this one; None: begin with the first reading."""
    opens = watched.boundary.opens(first)
    found = await equity_store.last_before(tx, watched.id, opens + INSTANT, limit=CLOSING_SOUGHT, usable=True)
    return next((reading.at for reading in reversed(found) if _closes(reading, watched)), None)


def _closes(reading: Snapshot, watched: Watched) -> bool:
    """Whether it would close its day if it were the last one in it."""
    day = watched.boundary.day_of(reading.at - INSTANT)
    return watched.boundary.closes(day) - reading.at <= OLDEST_CLOSING
