"""SQL of forgetting what checks said and what rows said before, in small batches; never how a subject stands now."""

from datetime import datetime, timedelta
from typing import Final

from alertd.db import Sql
from alertd.performance.days import DayBoundary

LOOK_BACK: Final = timedelta(days=35)  # only what has just become old is thinned; whoever was away longer left some
CALM: Final = 1.1  # the day's highest over its lowest


async def prune_evaluations(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of evaluations as of a time `before`, except the newest of each check; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_evaluations
        WHERE (subject_id, check_name, as_of) IN (
          SELECT e.subject_id, e.check_name, e.as_of
          FROM performance_evaluations e
          WHERE e.as_of < $1
            AND EXISTS (
              SELECT
              FROM performance_evaluations n
              WHERE n.subject_id = e.subject_id AND n.check_name = e.check_name AND n.as_of > e.as_of)
          ORDER BY e.as_of
          LIMIT $2
          FOR UPDATE OF e SKIP LOCKED)
        """,
        before,
        batch,
    )


async def thin_evaluations(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of evaluations as of a time `before` that their check followed by another that day; how many.

    Each new reading of equity makes one; of an account that is read every minute nobody asks for all of them again.
    """
    return await sql.execute(
        """
        DELETE FROM performance_evaluations
        WHERE (subject_id, check_name, as_of) IN (
          SELECT e.subject_id, e.check_name, e.as_of
          FROM performance_evaluations e
          WHERE e.as_of >= $1::timestamptz - $3::interval AND e.as_of < $1
            AND EXISTS (
              SELECT
              FROM performance_evaluations n
              WHERE n.subject_id = e.subject_id AND n.check_name = e.check_name
                AND n.as_of > e.as_of AND n.as_of < date_trunc('day', e.as_of) + interval '1 day')
          LIMIT $2
          FOR UPDATE OF e SKIP LOCKED)
        """,
        before,
        batch,
        LOOK_BACK,
    )


async def prune_projections(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of projections that were made `before`, except each subject's newest; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_projections
        WHERE (subject_id, made_on) IN (
          SELECT p.subject_id, p.made_on
          FROM performance_projections p
          WHERE p.made_at < $1
            AND EXISTS (
              SELECT FROM performance_projections n WHERE n.subject_id = p.subject_id AND n.made_on > p.made_on)
          ORDER BY p.made_at
          LIMIT $2
          FOR UPDATE OF p SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_revisions(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of what was replaced `before`; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_revisions
        WHERE id IN (
          SELECT id
          FROM performance_revisions
          WHERE replaced_at < $1
          ORDER BY replaced_at
          LIMIT $2
          FOR UPDATE SKIP LOCKED)
        """,
        before,
        batch,
    )


async def thin_readings(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of readings of `before` that nothing would miss; how many.

    The last of each hour stays, counted from the subject's cut-off so that days close as before, the first that counts
    for its limits, the highest and the lowest of each day (UTC), and all of a day that moved by more than a tenth or
    saw a flow: what is left multiplies to the same index and reaches the same marks.
    """
    clocks = await sql.fetch("SELECT DISTINCT timezone, cutoff FROM performance_subjects")
    return await sql.execute(
        """
        WITH placed AS (
          SELECT subject_id, at,
                 max(equity) OVER day AS highest,
                 min(equity) OVER day AS lowest,
                 first_value(at) OVER (day ORDER BY equity DESC, at) AS highest_at,
                 first_value(at) OVER (day ORDER BY equity, at) AS lowest_at,
                 max(at) OVER hour_to_its_end AS last_of_hour,
                 min(at) FILTER (WHERE at >= counts_from) OVER (PARTITION BY subject_id) AS first_counted,
                 lag(at) OVER line AS previous,
                 lead(at) OVER line AS following
          FROM performance_equity e
          JOIN performance_subjects s ON s.id = e.subject_id
          JOIN unnest($5::text[], $6::time[], $7::interval[]) AS clock (timezone, cutoff, past_the_hour)
            USING (timezone, cutoff)
          WHERE at >= $1::timestamptz - $3::interval AND at < $1 AND quality = 'ok'
          WINDOW line AS (PARTITION BY subject_id ORDER BY at),
                 hour_to_its_end AS (
                   PARTITION BY subject_id, date_trunc('hour', at - past_the_hour - interval '1 microsecond')),
                 day AS (PARTITION BY subject_id, date_trunc('day', at))
        ),
        needless AS (
          SELECT subject_id, at
          FROM placed p
          WHERE at NOT IN (last_of_hour, highest_at, lowest_at) AND at IS DISTINCT FROM first_counted
            AND lowest > 0 AND highest < lowest * $4
            AND previous IS NOT NULL
            AND NOT EXISTS (
              SELECT FROM performance_flows f
              WHERE f.subject_id = p.subject_id
                AND f.at >= least(p.previous, date_trunc('day', p.at))
                AND f.at <= greatest(p.following, date_trunc('day', p.at) + interval '1 day'))
          LIMIT $2
        )
        DELETE FROM performance_equity e
        USING needless n
        WHERE e.subject_id = n.subject_id AND e.at = n.at
        """,
        before,
        batch,
        LOOK_BACK,
        CALM,
        [clock["timezone"] for clock in clocks],
        [clock["cutoff"] for clock in clocks],
        [_past_the_hour(DayBoundary(**clock).opens(before.date())) for clock in clocks],
    )


def _past_the_hour(at: datetime) -> timedelta:
    return timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
