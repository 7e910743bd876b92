"""SQL of forgetting checks and sweeps, in small batches; never the newest check of a credential."""

from datetime import datetime

from alertd.db import Sql


async def prune_checks(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of checks older than `before`; how many."""
    return await sql.execute(
        """
        DELETE FROM credential_health_checks
        WHERE id IN (
          SELECT c.id
          FROM credential_health_checks c
          WHERE c.check_timestamp < $1
            AND EXISTS (
              SELECT
              FROM credential_health_checks n
              WHERE n.credential_id = c.credential_id
                AND n.check_timestamp >= c.check_timestamp
                AND (n.check_timestamp, n.id) > (c.check_timestamp, c.id))
          ORDER BY c.check_timestamp
          LIMIT $2
          FOR UPDATE OF c SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_sweeps(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of sweeps that began `before`; a running one stays, and the last that was completed."""
    return await sql.execute(
        """
        DELETE FROM sweeps
        WHERE id IN (
          SELECT s.id
          FROM sweeps s
          WHERE s.started_at < $1
            AND s.state <> 'running'
            AND s.id IS DISTINCT FROM (
              SELECT l.id
              FROM sweeps l
              WHERE l.state = 'completed'
              ORDER BY l.started_at DESC, l.id DESC
              LIMIT 1)
          ORDER BY s.started_at
          LIMIT $2
          FOR UPDATE OF s SKIP LOCKED)
        """,
        before,
        batch,
    )
