"""Readings of our own: stored as those that are sent, and looked at a second time soon when they cannot be right."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Sql
from alertd.performance import equity_store, reading_store, series_store, subject_store
from alertd.performance.days import INSTANT
from alertd.performance.returns import Quality
from alertd.performance.series_store import EQUITY
from alertd.performance.settling import OURSELVES, equity_changed
from alertd.performance.store import COLUMNS, watched_of
from alertd.performance.watched import Watched

SECOND_LOOK: Final = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class OwnReading:
    """What an exchange said an account is worth; `unpriced` names what it could not value."""

    at: datetime
    equity: float
    currency: str
    unpriced: tuple[str, ...] = ()


async def receive_reading(tx: Sql, subject_id: UUID, reading: OwnReading, *, every: timedelta) -> Quality | None:
    """How far it is believed; None when the account is gone. In another currency than before it is only a part."""
    await equity_store.lock(tx, subject_id)
    watched = await _watched(tx, subject_id)
    if watched is None:
        return None
    before = await equity_store.last_before(tx, subject_id, reading.at, limit=1, usable=False)
    remark = _remark(reading, watched)
    quality = Quality.OK if remark is None else Quality.PARTIAL
    values = (reading.equity, quality, "exchange", remark)
    await series_store.put(tx, EQUITY, {(subject_id, reading.at): values}, by=OURSELVES, now=reading.at)
    await subject_store.expect_equity(tx, {subject_id: reading.currency}, every)
    derived = (await equity_store.derived_until(tx, [subject_id])).get(subject_id)
    await equity_changed(tx, watched, reading.at, derived, reading.at)
    [graded] = await equity_store.last_before(tx, subject_id, reading.at + INSTANT, limit=1, usable=False)
    doubted_already = bool(before) and before[0].quality is Quality.SUSPECT
    if graded.quality is Quality.SUSPECT and not doubted_already:
        await reading_store.read_again(tx, subject_id, reading.at + SECOND_LOOK)
    return graded.quality


def _remark(reading: OwnReading, watched: Watched) -> str | None:
    if watched.currency not in {None, reading.currency}:
        return f"It is in {reading.currency}, and was in {watched.currency} before."
    return f"Without a price: {', '.join(reading.unpriced)}."[:500] if reading.unpriced else None


async def _watched(tx: Sql, subject_id: UUID) -> Watched | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM performance_subjects s WHERE s.id = $1",  # noqa: S608 - a constant
        subject_id,
    )
    return None if row is None else watched_of(row)
