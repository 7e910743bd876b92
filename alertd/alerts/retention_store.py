"""SQL of forgetting runs and alerts that are over, in small batches; never the newest occurrence of a schedule."""

from datetime import datetime

from alertd.db import Sql


async def prune_occurrences(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of occurrences that were due `before`; how many.

    What runs stays, and of each schedule the newest: catching up begins after it.
    """
    return await sql.execute(
        """
        DELETE FROM occurrences
        WHERE id IN (
          SELECT o.id
          FROM occurrences o
          WHERE o.scheduled_at < $1
            AND o.state <> 'running'
            AND EXISTS (
              SELECT
              FROM occurrences n
              WHERE n.schedule = o.schedule AND n.source <> 'manual' AND n.scheduled_at > o.scheduled_at)
          ORDER BY o.scheduled_at
          LIMIT $2
          FOR UPDATE OF o SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_alerts(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of alerts that were resolved `before`, with their log; how many."""
    return await sql.execute(
        """
        DELETE FROM alerts
        WHERE id IN (
          SELECT a.id
          FROM alerts a
          WHERE a.state = 'resolved' AND a.resolved_at < $1
          ORDER BY a.resolved_at
          LIMIT $2
          FOR UPDATE OF a SKIP LOCKED)
        """,
        before,
        batch,
    )
