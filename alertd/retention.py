"""Forgets what is over and old enough, once an hour, in small batches so that nobody waits for a lock or the disk.

Several daemons may do it at once: each skips the rows of the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd.admin.idempotency_store import KEPT
from alertd.admin.retention_store import prune_answers, prune_deeds
from alertd.alerts.retention_store import prune_alerts, prune_occurrences
from alertd.config import Settings
from alertd.credentials.retention_store import prune_checks, prune_sweeps
from alertd.db import Db
from alertd.errors import Transient
from alertd.performance.retention_store import (
    prune_evaluations,
    prune_projections,
    prune_revisions,
    thin_evaluations,
    thin_readings,
)
from alertd.process.loops import pause
from alertd.webhooks.retention import prune_deliveries, prune_events, prune_windows

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(hours=1)
BATCH: Final = 2000
LOOKS_KEPT: Final = timedelta(days=7)  # every one of a check, after which the day's last is enough
BREATH: Final = timedelta(milliseconds=100)  # between two batches

Prune = Callable[..., Awaitable[int]]  # (db, *, before, batch), how many rows


@dataclass(frozen=True, slots=True)
class Chore:
    """One kind of thing, and for how long it is kept after it is over."""

    name: str
    prune: Prune
    kept: timedelta


def chores(settings: Settings) -> Sequence[Chore]:
    """In this order: an event is forgotten once no delivery needs it, and what takes longest keeps nothing waiting."""
    retention = settings.retention
    window = timedelta(minutes=settings.webhooks.per_credential_minutes)
    return (
        Chore("deliveries", prune_deliveries, timedelta(days=settings.webhooks.retention_days)),
        Chore("events", prune_events, timedelta(days=retention.events_days)),
        Chore("windows", prune_windows, window),  # a closed one still counts for as long as it was open
        Chore("checks", prune_checks, timedelta(days=retention.checks_days)),
        Chore("sweeps", prune_sweeps, timedelta(days=retention.sweeps_days)),
        Chore("occurrences", prune_occurrences, timedelta(days=retention.executions_days)),
        Chore("alerts", prune_alerts, timedelta(days=retention.alerts_days)),
        Chore("evaluations", prune_evaluations, timedelta(days=retention.evaluations_days)),
        Chore("projections", prune_projections, timedelta(days=retention.evaluations_days)),
        Chore("revisions", prune_revisions, timedelta(days=retention.evaluations_days)),
        Chore("audit", prune_deeds, timedelta(days=retention.audit_days)),
        Chore("answers", prune_answers, KEPT),
        Chore("looks", thin_evaluations, LOOKS_KEPT),
        Chore("readings", thin_readings, timedelta(days=retention.readings_days)),
    )


async def keep_pruning(
    db: Db,
    settings: Callable[[], Settings],
    stop: asyncio.Event,
    now: Callable[[], datetime],
    *,
    every: timedelta = EVERY,
) -> None:
    """Prune now and then until `stop` is set; a database that is away is tried again after `every`."""
    while not stop.is_set():
        try:
            await prune(db, settings(), stop, now())
        except Transient as exc:
            log.warning("Old rows wait for the database", problem=str(exc))
        await pause(stop, every)


async def prune(db: Db, settings: Settings, stop: asyncio.Event, now: datetime, *, batch: int = BATCH) -> None:
    """Every chore to its end, or to the end of its batch when told to stop."""
    for chore in chores(settings):
        gone = await _done(db, chore, stop, now, batch)
        if gone:
            log.info("Old rows deleted", kind=chore.name, rows=gone)


async def _done(db: Db, chore: Chore, stop: asyncio.Event, now: datetime, batch: int) -> int:
    gone = 0
    while not stop.is_set():
        rows = await chore.prune(db, before=now - chore.kept, batch=batch)
        gone += rows
        if rows < batch:
            break
        await pause(stop, BREATH)
    return gone
