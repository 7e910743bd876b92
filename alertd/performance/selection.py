"""What each check is given: which data of a subject, and all subjects in batches that the event loop does not feel."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.db import Sql
from alertd.performance.checks import (
    daily_pnl_check,
    evening_performance_check,
    monthly_forward_test_update,
    performance_threshold_check,
    weekly_stability_check,
)
from alertd.performance.store import DaysWanted, Wanted, load, watched_after
from alertd.performance.subject import Subject
from alertd.performance.watched import Watched

BATCH: Final = 5

WANTED: Final[Mapping[str, Wanted]] = {
    daily_pnl_check.NAME: Wanted(days=DaysWanted.NEW, projection=True),
    weekly_stability_check.NAME: Wanted(days=DaysWanted.RECENT, windows=True),
    monthly_forward_test_update.NAME: Wanted(days=DaysWanted.ALL, projection=True),
    performance_threshold_check.NAME: Wanted(days=DaysWanted.EVERY, equity=True),
    evening_performance_check.NAME: Wanted(days=DaysWanted.EVERY, equity=True),
}

Selected = Sequence[tuple[Watched, Subject]]
Among = Collection[UUID] | None  # None: no matter which


async def batches(sql: Sql, among: Among = None) -> AsyncIterator[Sequence[Watched]]:
    """Every subject whose tenant is not paused."""
    last = None
    while batch := await watched_after(sql, last, among=among, limit=BATCH):
        yield batch
        last = batch[-1].id


async def select(sql: Sql, check_name: str, at: datetime, among: Among = None) -> AsyncIterator[Selected]:
    """All of them, each with what was known of it at `at`."""
    async for batch in batches(sql, among):
        yield await selected(sql, check_name, batch, at)


async def selected(sql: Sql, check_name: str, batch: Sequence[Watched], at: datetime) -> Selected:
    """These, in their order."""
    subjects = await load(sql, batch, WANTED[check_name], at)
    return [(watched, subjects[watched.id]) for watched in batch]
