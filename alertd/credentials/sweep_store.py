"""SQL of sweeps: at most one runs at a time, its progress is visible, and a dead one does not block."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from alertd.db import Row, Sql, new_id
from alertd.errors import Busy

LEASE: Final = timedelta(seconds=60)  # a running sweep extends it every few seconds


class Origin(StrEnum):
    """Who asked for a sweep."""

    SCHEDULE = "schedule"
    API = "api"
    COMMAND = "command"


class SweepState(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Tally:
    """What a sweep has counted so far."""

    total: int = 0
    checked: int = 0
    valid: int = 0
    invalid: int = 0
    inconclusive: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the credentials, as a person sees it."""

    id: UUID
    origin: Origin
    requested_by: str | None
    tenant_id: UUID | None
    exchange: str | None
    state: SweepState
    started_at: datetime
    finished_at: datetime | None
    tally: Tally
    error: str | None


async def begin(
    sql: Sql,
    *,
    origin: Origin,
    requested_by: str | None,
    tenant_id: UUID | None = None,
    exchange: str | None = None,
    now: datetime,
) -> UUID:
    """Register a sweep. Raises Busy while another one runs; one whose process died is closed first."""
    await sql.execute(
        """
        UPDATE sweeps
        SET state = 'failed', finished_at = $1, error = 'interrupted: its process ended'
        WHERE state = 'running' AND origin <> 'schedule' AND lease_until < $1
        """,
        now,
    )
    sweep_id = await sql.fetchval(
        """
        INSERT INTO sweeps (id, origin, requested_by, tenant_id, exchange, state, started_at, lease_until)
        VALUES ($1, $2, $3, $4, $5, 'running', $6, $7)
        ON CONFLICT ((true)) WHERE state = 'running' AND origin <> 'schedule' DO NOTHING
        RETURNING id
        """,
        new_id(),
        str(origin),
        requested_by,
        tenant_id,
        exchange,
        now,
        now + LEASE,
    )
    if sweep_id is None:
        raise Busy("a sweep is in progress; wait for it to end, or cancel it")
    return UUID(str(sweep_id))


async def progress(sql: Sql, sweep_id: UUID, tally: Tally, now: datetime) -> bool:
    """Show how far it is and keep it alive; False once it was cancelled or taken for dead."""
    count = await sql.execute(
        """
        UPDATE sweeps
        SET total = $2, checked = $3, valid = $4, invalid = $5, inconclusive = $6, skipped = $7, lease_until = $8
        WHERE id = $1 AND state = 'running'
        """,
        sweep_id,
        tally.total,
        tally.checked,
        tally.valid,
        tally.invalid,
        tally.inconclusive,
        tally.skipped,
        now + LEASE,
    )
    return count == 1


async def finish(
    sql: Sql, sweep_id: UUID, state: SweepState, tally: Tally, *, error: str | None = None, now: datetime
) -> None:
    """End it; a sweep that is already over stays as it is."""
    if not await progress(sql, sweep_id, tally, now):
        return
    await sql.execute(
        """
        UPDATE sweeps
        SET state = $2, error = $3, finished_at = $4, lease_until = NULL
        WHERE id = $1 AND state = 'running'
        """,
        sweep_id,
        str(state),
        error,
        now,
    )


async def cancel(sql: Sql, sweep_id: UUID, now: datetime) -> bool:
    """Ask a running sweep to stop; it notices at its next progress. A scheduled pass is none."""
    count = await sql.execute(
        """
        UPDATE sweeps
        SET state = 'cancelled', finished_at = $2, lease_until = NULL
        WHERE id = $1 AND state = 'running' AND origin <> 'schedule'
        """,
        sweep_id,
        now,
    )
    return count == 1


async def get(sql: Sql, sweep_id: UUID) -> Sweep | None:
    row = await sql.fetchrow(
        """
        SELECT id, origin, requested_by, tenant_id, exchange, state, started_at, finished_at,
               total, checked, valid, invalid, inconclusive, skipped, error
        FROM sweeps
        WHERE id = $1
        """,
        sweep_id,
    )
    return None if row is None else _sweep(row)


async def before(
    sql: Sql, mark: tuple[datetime, UUID] | None, *, state: SweepState | None = None, limit: int
) -> list[Sweep]:
    """The newest first, those before this place."""
    at, sweep_id = mark or (None, None)
    rows = await sql.fetch(
        """
        SELECT id, origin, requested_by, tenant_id, exchange, state, started_at, finished_at,
               total, checked, valid, invalid, inconclusive, skipped, error
        FROM sweeps
        WHERE ($1::timestamptz IS NULL OR (started_at, id) < ($1, $2::uuid))
          AND ($3::text IS NULL OR state = $3)
        ORDER BY started_at DESC, id DESC
        LIMIT $4
        """,
        at,
        sweep_id,
        state and str(state),
        limit,
    )
    return [_sweep(row) for row in rows]


def _sweep(row: Row) -> Sweep:
    return Sweep(
        id=row["id"],
        origin=Origin(row["origin"]),
        requested_by=row["requested_by"],
        tenant_id=row["tenant_id"],
        exchange=row["exchange"],
        state=SweepState(row["state"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        tally=Tally(row["total"], row["checked"], row["valid"], row["invalid"], row["inconclusive"], row["skipped"]),
        error=row["error"],
    )


async def turn_pass(sql: Sql, at: datetime, now: datetime) -> UUID:
    """Close the scheduled pass under way with what was checked since, and open the one that is due since `at`.

    A scheduled pass is spread over its interval, so its counts are read from the history when it ends. A process
    that died, or stood still, after it was opened had somebody else do the same: then it is open already.
    """
    begun = await sql.fetchval("SELECT id FROM sweeps WHERE origin = 'schedule' AND started_at >= $1 LIMIT 1", at)
    if begun is not None:
        return UUID(str(begun))
    await sql.execute(
        """
        WITH ended AS (
          SELECT s.id, count(h.id) AS checked,
                 count(h.id) FILTER (WHERE h.verdict = 'valid') AS valid,
                 count(h.id) FILTER (WHERE h.verdict = 'invalid') AS invalid,
                 count(h.id) FILTER (WHERE h.verdict = 'inconclusive') AS inconclusive
          FROM sweeps s
          LEFT JOIN credential_health_checks h
            ON h.check_timestamp >= s.started_at AND h.check_timestamp < $1 AND h.sweep_id IS NULL
          WHERE s.state = 'running' AND s.origin = 'schedule'
          GROUP BY s.id
        )
        UPDATE sweeps s
        SET state = 'completed', finished_at = $1, lease_until = NULL, total = ended.checked, checked = ended.checked,
            valid = ended.valid, invalid = ended.invalid, inconclusive = ended.inconclusive
        FROM ended
        WHERE s.id = ended.id
        """,
        now,
    )
    opened = await sql.fetchval(
        """
        INSERT INTO sweeps (id, origin, requested_by, state, started_at)
        VALUES ($1, 'schedule', 'credential_health_check', 'running', $2)
        RETURNING id
        """,
        new_id(),
        now,
    )
    return UUID(str(opened))


async def fail_pass(sql: Sql, now: datetime, error: str) -> None:
    """The secret store was lost while a scheduled pass was under way."""
    await sql.execute(
        """
        UPDATE sweeps
        SET state = 'failed', finished_at = $1, error = $2
        WHERE state = 'running' AND origin = 'schedule'
        """,
        now,
        error,
    )
