"""SQL of silences: made, listed, ended early, and which of them holds for an alert."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts.silences import MAX_SILENCES, Labels, Silence, State, first_match
from alertd.db import Row, Sql, Tx
from alertd.errors import Refused

COLUMNS: Final = "id, matchers, comment, created_by, created_at, starts_at, ends_at, expired_at, expired_by"
LOCK: Final = 0x616C65727473  # whoever adds one counts alone


async def add(tx: Tx, silence: Silence) -> None:
    """Raises Refused when there are as many silences as there may be."""
    await tx.fetchval("SELECT pg_advisory_xact_lock($1)", LOCK)
    standing = await tx.fetchval(
        "SELECT count(*) FROM silences WHERE expired_at IS NULL AND ends_at > $1", silence.created_at
    )
    if standing >= MAX_SILENCES:
        raise Refused(f"There are {standing} silences that are not over; expire some of them first.")
    await tx.execute(
        """
        INSERT INTO silences (id, matchers, comment, created_by, created_at, starts_at, ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        silence.id,
        {label: list(values) for label, values in silence.matchers.items()},
        silence.comment,
        silence.created_by,
        silence.created_at,
        silence.starts_at,
        silence.ends_at,
    )


async def holding(sql: Sql, labels: Labels, now: datetime) -> Silence | None:
    """The silence that keeps an alert with these labels quiet now; of several the one that ends last."""
    return first_match(await active(sql, now), labels, now)


async def active(sql: Sql, now: datetime) -> Sequence[Silence]:
    """All that hold now, those that end last first."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM silences
        WHERE expired_at IS NULL AND starts_at <= $1 AND ends_at > $1
        ORDER BY ends_at DESC, id
        """,  # noqa: S608 - constants
        now,
    )
    return [_silence(row) for row in rows]


async def find(sql: Sql, silence_id: UUID) -> Silence | None:
    """Locked until the transaction ends, if there is one."""
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM silences WHERE id = $1 FOR UPDATE",  # noqa: S608 - constants
        silence_id,
    )
    return None if row is None else _silence(row)


async def before(sql: Sql, mark: UUID | None, *, state: State | None, now: datetime, limit: int) -> Sequence[Silence]:
    """Newest first, those that were made before the one with this id."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM silences
        WHERE ($1::uuid IS NULL OR id < $1)
          AND ($2::text IS NULL OR $2 = CASE
                 WHEN expired_at IS NOT NULL OR ends_at <= $3 THEN 'expired'
                 WHEN starts_at > $3 THEN 'pending'
                 ELSE 'active'
               END)
        ORDER BY id DESC
        LIMIT $4
        """,  # noqa: S608 - constants
        mark,
        None if state is None else str(state),
        now,
        limit,
    )
    return [_silence(row) for row in rows]


async def expire(sql: Sql, silence_id: UUID, *, by: str, now: datetime) -> None:
    """End it now; one that is over stays as it is."""
    await sql.execute(
        """
        UPDATE silences
        SET expired_at = $2, expired_by = $3
        WHERE id = $1 AND expired_at IS NULL AND ends_at > $2
        """,
        silence_id,
        now,
        by,
    )


def _silence(row: Row) -> Silence:
    matchers = {label: tuple(values) for label, values in row["matchers"].items()}
    return Silence(**{**dict(row), "matchers": matchers})
