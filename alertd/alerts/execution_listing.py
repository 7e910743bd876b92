"""Runs of schedules as people read them: page by page, the newest first, and the latest of each. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from alertd.db import Sql
from alertd.errors import Absent

NO_DATA: Final = "no_data"  # the outcome of a check that has too little to judge by
State = Literal["running", "succeeded", "failed", "missed", "interrupted"]
Source = Literal["schedule", "catch_up", "manual"]
COLUMNS: Final = """
  id, execution_id, schedule, scheduled_at, source, requested_by, state, attempt_count, missed_count,
  started_at, finished_at, error, result
"""


@dataclass(frozen=True, slots=True)
class Execution:
    """One run, or in the state `missed` the `missed_count` runs that nobody made."""

    id: UUID
    execution_id: str
    schedule: str
    scheduled_at: datetime
    source: Source
    requested_by: str | None
    state: State
    attempt_count: int
    missed_count: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    result: Mapping[str, Any] | None

    @property
    def success(self) -> bool | None:
        """None while it runs. To have had too little data is no success."""
        return succeeded(self.state, self.result)

    @property
    def error_message(self) -> str | None:
        return explained(self.error, self.result)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed down to by the time that was set for it. `since` is included, `until` is not."""

    schedule: str | None = None
    state: State | None = None
    source: Source | None = None
    since: datetime | None = None
    until: datetime | None = None


def succeeded(state: str, result: Mapping[str, Any] | None) -> bool | None:
    if state == "running":
        return None
    return state == "succeeded" and not _without_data(result)


def explained(error: str | None, result: Mapping[str, Any] | None) -> str | None:
    """Why a run is no success."""
    return error or ("no data: too little to judge by yet" if _without_data(result) else None)


async def get(sql: Sql, occurrence_id: UUID) -> Execution:
    """Raises Absent."""
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM occurrences WHERE id = $1",  # noqa: S608 - a constant
        occurrence_id,
    )
    if row is None:
        raise Absent(f"there is no execution {occurrence_id}")
    return Execution(**row)


async def executions_before(sql: Sql, mark: UUID | None, wanted: Filter, *, limit: int) -> list[Execution]:
    """The newest first, those before `mark`."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM occurrences
        WHERE ($1::uuid IS NULL OR id < $1)
          AND ($2::text IS NULL OR schedule = $2)
          AND ($3::text IS NULL OR state = $3)
          AND ($4::text IS NULL OR source = $4)
          AND ($5::timestamptz IS NULL OR scheduled_at >= $5)
          AND ($6::timestamptz IS NULL OR scheduled_at < $6)
        ORDER BY id DESC
        LIMIT $7
        """,  # noqa: S608 - a constant
        mark,
        wanted.schedule,
        wanted.state,
        wanted.source,
        wanted.since,
        wanted.until,
        limit,
    )
    return [Execution(**row) for row in rows]


async def latest(sql: Sql, schedules: Sequence[str], *, each: int) -> Mapping[str, Sequence[Execution]]:
    """The latest runs of each of these schedules, the newest first; what was missed is no run."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM unnest($1::text[]) AS wanted (name)
        CROSS JOIN LATERAL (
          SELECT *
          FROM occurrences
          WHERE schedule = wanted.name AND state <> 'missed'
          ORDER BY scheduled_at DESC, id DESC
          LIMIT $2) AS o
        """,  # noqa: S608 - a constant
        list(schedules),
        each,
    )
    found: dict[str, list[Execution]] = {name: [] for name in schedules}
    for row in rows:
        found[row["schedule"]].append(Execution(**row))
    return found


def _without_data(result: Mapping[str, Any] | None) -> bool:
    return result is not None and result.get("outcome") == NO_DATA
