"""SQL of occurrences: a unique row makes each occurrence of a schedule run once, over any number of processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from alertd.alerts.switch_store import switch
from alertd.db import Sql, new_id
from alertd.errors import Busy

LEASE: Final = timedelta(seconds=60)  # extended while the run goes on
TAKEOVERS: Final = 3  # a run that dies this often is not tried again


class Source(StrEnum):
    """What made it run."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One run that this process owns."""

    id: UUID
    execution_id: str
    schedule: str
    scheduled_at: datetime
    owner: UUID


async def claim(
    sql: Sql, schedule: str, scheduled_at: datetime, *, source: Source, owner: UUID, now: datetime
) -> Occurrence | None:
    """Become the one who runs this occurrence; None if somebody else is, or was.

    A run whose owner died is taken over, at most `TAKEOVERS` times.
    """
    await switch(sql, schedule, now)  # nobody else begins a run of it meanwhile, nor takes its name
    row = await sql.fetchrow(
        """
        INSERT INTO occurrences AS o (
          id, execution_id, schedule, scheduled_at, source, state, owner, lease_until, attempt_count, started_at)
        VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, 1, $8)
        ON CONFLICT (schedule, scheduled_at) WHERE source <> 'manual'
        DO UPDATE SET owner = EXCLUDED.owner,
                      lease_until = EXCLUDED.lease_until,
                      state = 'running',
                      attempt_count = o.attempt_count + 1
        WHERE o.state = 'running' AND o.lease_until < $8 AND o.attempt_count < $9
        RETURNING id, execution_id
        """,
        new_id(),
        await _free_execution_id(sql, schedule, scheduled_at),
        schedule,
        scheduled_at,
        str(source),
        owner,
        now + LEASE,
        now,
        TAKEOVERS,
    )
    return None if row is None else Occurrence(row["id"], row["execution_id"], schedule, scheduled_at, owner)


async def claim_manual(tx: Sql, schedule: str, *, requested_by: str, owner: UUID, now: datetime) -> Occurrence:
    """Begin a run that a person asked for, on or off. Raises Busy while another run of the schedule is under way."""
    await switch(tx, schedule, now)  # two people at once: one waits here
    busy = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM occurrences WHERE schedule = $1 AND state = 'running' AND lease_until >= $2)",
        schedule,
        now,
    )
    if busy:
        raise Busy(f"{schedule} is running; wait for it to end")
    occurrence_id, execution_id = new_id(), await _free_execution_id(tx, schedule, now)
    await tx.execute(
        """
        INSERT INTO occurrences (id, execution_id, schedule, scheduled_at, source, requested_by, state, owner,
                                 lease_until, attempt_count, started_at)
        VALUES ($1, $2, $3, $4, 'manual', $5, 'running', $6, $7, 1, $4)
        """,
        occurrence_id,
        execution_id,
        schedule,
        now,
        requested_by,
        owner,
        now + LEASE,
    )
    return Occurrence(occurrence_id, execution_id, schedule, now, owner)


async def _free_execution_id(sql: Sql, schedule: str, at: datetime) -> str:
    """`{name}_{YYYYMMDD}_{HHMMSS}`, suffixed when it is taken."""
    base = f"{schedule}_{at:%Y%m%d_%H%M%S}"
    taken = await sql.fetchval(
        "SELECT count(*) FROM occurrences WHERE execution_id = $1 OR execution_id LIKE $2",
        base,
        base.replace("_", r"\_") + r"\_%",
    )
    return base if not taken else f"{base}_{taken + 1}"


async def extend(sql: Sql, occurrence: Occurrence, now: datetime) -> bool:
    """Keep the run; False once another process has taken it over."""
    count = await sql.execute(
        "UPDATE occurrences SET lease_until = $3 WHERE id = $1 AND owner = $2 AND state = 'running'",
        occurrence.id,
        occurrence.owner,
        now + LEASE,
    )
    return count == 1


async def finish(
    sql: Sql,
    occurrence: Occurrence,
    *,
    error: str | None,
    attempts: int = 1,
    result: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write down how it went; `error` None means that it succeeded."""
    await sql.execute(
        """
        UPDATE occurrences
        SET state = $3, finished_at = $4, error = $5, result = $6, lease_until = NULL, attempt_count = $7
        WHERE id = $1 AND owner = $2
        """,
        occurrence.id,
        occurrence.owner,
        "succeeded" if error is None else "failed",
        now,
        error,
        None if result is None else dict(result),
        attempts,
    )


async def missed(sql: Sql, schedule: str, scheduled_at: datetime, *, count: int, error: str, now: datetime) -> None:
    """One row that stands for `count` occurrences that nobody ran; the latest of them names it."""
    await sql.execute(
        """
        INSERT INTO occurrences (
          id, execution_id, schedule, scheduled_at, source, state, missed_count, finished_at, error)
        VALUES ($1, $2, $3, $4, 'catch_up', 'missed', $5, $6, $7)
        ON CONFLICT DO NOTHING
        """,
        new_id(),
        await _free_execution_id(sql, schedule, scheduled_at),
        schedule,
        scheduled_at,
        count,
        now,
        error,
    )


async def last_scheduled(sql: Sql, schedule: str, now: datetime) -> datetime | None:
    """The latest occurrence up to now that has a row, manual runs aside."""
    at: datetime | None = await sql.fetchval(
        "SELECT max(scheduled_at) FROM occurrences WHERE schedule = $1 AND source <> 'manual' AND scheduled_at <= $2",
        schedule,
        now,
    )
    return at


async def given_up(sql: Sql, schedule: str, now: datetime) -> bool:
    """Whether `interrupted` would close a scheduled run whose process died every time."""
    found: bool = await sql.fetchval(
        """
        SELECT EXISTS (
          SELECT
          FROM occurrences
          WHERE schedule = $1 AND source <> 'manual' AND state = 'running' AND lease_until < $2 AND attempt_count >= $3)
        """,
        schedule,
        now,
        TAKEOVERS,
    )
    return found


async def held_until(sql: Sql, schedule: str, now: datetime) -> datetime | None:
    """When the lease ends under which somebody runs it; the owner extends it while it lives."""
    end: datetime | None = await sql.fetchval(
        """
        SELECT max(lease_until)
        FROM occurrences
        WHERE schedule = $1 AND source <> 'manual' AND state = 'running' AND lease_until >= $2
        """,
        schedule,
        now,
    )
    return end


async def interrupted(sql: Sql, schedule: str, now: datetime) -> datetime | None:
    """What a dead process left running and may be taken over; what died too often, or was asked for once, is closed."""
    await sql.execute(
        """
        UPDATE occurrences
        SET state = 'interrupted',
            finished_at = $2,
            lease_until = NULL,
            error = CASE source WHEN 'manual' THEN 'its process died' ELSE 'its process died, every time' END
        WHERE schedule = $1 AND state = 'running' AND lease_until < $2 AND (attempt_count >= $3 OR source = 'manual')
        """,
        schedule,
        now,
        TAKEOVERS,
    )
    at: datetime | None = await sql.fetchval(
        """
        SELECT max(scheduled_at)
        FROM occurrences
        WHERE schedule = $1 AND source <> 'manual' AND state = 'running' AND lease_until < $2 AND attempt_count < $3
        """,
        schedule,
        now,
        TAKEOVERS,
    )
    return at
