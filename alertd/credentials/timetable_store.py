"""SQL of a shorter interval: what was put off for longer than the interval now is becomes due within it."""

from datetime import datetime, timedelta

from alertd.db import Sql


async def hasten(sql: Sql, *, interval: timedelta, spread: bool, now: datetime) -> int:
    """How many became due earlier; each at its phase of the interval, as `timetable.next_due` has it."""
    return await sql.execute(
        """
        WITH given AS (
          SELECT extract(epoch FROM $1::timestamptz)::float8 AS now_at,
                 extract(epoch FROM $2::interval)::float8 AS every
        ), late AS (
          SELECT c.id, g.now_at, g.every, CASE WHEN $3 THEN c.phase * g.every ELSE 0 END AS starts_at
          FROM credentials c, given g
          WHERE c.retired_at IS NULL
            AND c.next_check_at > $1::timestamptz + $2::interval
        )
        UPDATE credentials c
        SET next_check_at = to_timestamp(
              l.starts_at + (floor((l.now_at - l.starts_at) / l.every) + 1) * l.every)
        FROM late l
        WHERE c.id = l.id
        """,
        now,
        interval,
        spread,
    )
