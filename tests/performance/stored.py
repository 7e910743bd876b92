"""Subjects and their data, in the database, for the tests of performance."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import numpy as np

from alertd.db import Sql, new_id
from alertd.performance.reference import BASELINES, Reference
from alertd.performance.reference_store import Filed
from alertd.performance.registering import Sending, register
from alertd.performance.returns import DailyReturn, Flow, Snapshot
from alertd.performance.rows import ReferenceRow, SubjectName
from alertd.performance.stats.expectation import expectation
from alertd.performance.store import COLUMNS, watched_of
from alertd.performance.track import Track, advanced, fresh_track
from alertd.performance.watched import Kind, ReturnsFrom, Watched
from tests import factories
from tests.performance import making


async def subject(
    db: Sql,
    tenant_id: UUID | None = None,
    *,
    name: str = "alpha",
    kind: Kind = Kind.STRATEGY,
    returns_from: ReturnsFrom | None = ReturnsFrom.PUSHED,
    equity_every: timedelta | None = None,
    counts_from: datetime | None = None,
    timezone: str = "UTC",
    cutoff: time = time(0),
) -> Watched:
    """Of this tenant, or of a new one."""
    subject_id = new_id()
    await db.execute(
        """
        INSERT INTO performance_subjects (id, tenant_id, kind, name, returns_from, equity_every, counts_from, timezone,
                                          cutoff, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        subject_id,
        tenant_id or await factories.tenant(db),
        kind,
        name,
        returns_from,
        equity_every,
        counts_from,
        timezone,
        cutoff,
        making.NOW,
    )
    return await reread(db, subject_id)


async def reread(db: Sql, subject_id: UUID) -> Watched:
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM performance_subjects s WHERE id = $1", subject_id)
    assert row is not None
    return watched_of(row)


async def days(db: Sql, watched: Watched, daily: Sequence[DailyReturn]) -> None:
    await db.executemany(
        """
        INSERT INTO performance_returns (subject_id, day, value, span_days, confidence, received_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [(watched.id, d.day, d.value, d.span_days, d.confidence, making.NOW) for d in daily],
    )


async def snapshots(db: Sql, watched: Watched, readings: Sequence[Snapshot]) -> None:
    await db.executemany(
        """
        INSERT INTO performance_equity (subject_id, at, equity, quality, source, received_at)
        VALUES ($1, $2, $3, $4, 'pushed', $5)
        """,
        [(watched.id, r.at, r.equity, r.quality, making.NOW) for r in readings],
    )


async def flows(db: Sql, watched: Watched, flows: Sequence[Flow]) -> None:
    await db.executemany(
        "INSERT INTO performance_flows (subject_id, flow_id, at, amount, received_at) VALUES ($1, $2, $3, $4, $5)",
        [(watched.id, f.at.isoformat(), f.at, f.amount, making.NOW) for f in flows],
    )


async def reference(db: Sql, watched: Watched, reference: Reference, *, active_from: date | None = None) -> None:
    await db.execute(
        """
        INSERT INTO performance_references (subject_id, version, kind, active_from, baseline, returns, digest,
                                            registration, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, '', '{}', $7, 'test')
        """,
        watched.id,
        reference.version,
        reference.kind,
        active_from or reference.active_from,
        BASELINES.dump_python(reference.baseline, mode="json"),
        None if reference.returns is None else reference.returns.tolist(),
        making.NOW,
    )


async def backtest(db: Sql, watched: Watched, *, active_from: date, days: int = 365) -> Filed:
    """A reference that came the way of all references, with its report."""
    row = ReferenceRow(
        SubjectName(watched.tenant_id, watched.name),
        returns=tuple(float(value) for value in np.expm1(making.noise(days))),
        active_from=active_from,
    )
    filed, _ = await register(db, watched, row, Sending("test", making.NOW, making.THRESHOLDS))
    return filed


def tracked(reference: Reference, days: int = 10) -> Track:
    """What ten live days up to yesterday have come to."""
    live = making.daily(making.noise(days, seed=7))
    return advanced(fresh_track(reference.baseline), live, reference.baseline, expectation(reference.baseline))
