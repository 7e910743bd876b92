"""SQL of readings: the latest before a time, other grades, and up to which day returns were derived from them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from alertd.db import Sql
from alertd.performance.returns import Quality, Snapshot


async def lock(tx: Sql, subject_id: UUID) -> None:
    """Until the transaction ends, nobody else changes what is stored of this subject."""
    await tx.fetchval("SELECT id FROM performance_subjects WHERE id = $1 FOR UPDATE", subject_id)


async def derived_until(sql: Sql, ids: Collection[UUID]) -> Mapping[UUID, date]:
    """The last day that was derived, of those that had any."""
    rows = await sql.fetch(
        "SELECT id, derived_until FROM performance_subjects WHERE id = ANY ($1) AND derived_until IS NOT NULL",
        list(ids),
    )
    return {row["id"]: row["derived_until"] for row in rows}


async def note_derived(tx: Sql, subject_id: UUID, until: date) -> None:
    await tx.execute("UPDATE performance_subjects SET derived_until = $2 WHERE id = $1", subject_id, until)


async def last_before(sql: Sql, subject_id: UUID, at: datetime, *, limit: int, usable: bool) -> Sequence[Snapshot]:
    """The latest readings before this time, in the order of time; `usable`: only those that may be used."""
    rows = await sql.fetch(
        """
        SELECT at, equity, quality
        FROM performance_equity
        WHERE subject_id = $1 AND at < $2 AND (NOT $4 OR quality = 'ok')
        ORDER BY at DESC
        LIMIT $3
        """,
        subject_id,
        at,
        limit,
        usable,
    )
    return [Snapshot(at, equity, Quality(quality)) for at, equity, quality in reversed(rows)]


async def grade_again(tx: Sql, subject_id: UUID, readings: Sequence[Snapshot]) -> None:
    """These readings are of another quality than was thought."""
    await tx.execute(
        """
        UPDATE performance_equity e
        SET quality = graded.quality
        FROM unnest($2::timestamptz[], $3::text[]) AS graded (at, quality)
        WHERE e.subject_id = $1 AND e.at = graded.at
        """,
        subject_id,
        [reading.at for reading in readings],
        [reading.quality for reading in readings],
    )
