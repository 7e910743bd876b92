"""SQL of forgetting deeds and remembered answers, in small batches."""

from datetime import datetime

from alertd.db import Sql


async def prune_deeds(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of the audit log older than `before`; how many."""
    return await sql.execute(
        """
        DELETE FROM audit_log
        WHERE id IN (
          SELECT id
          FROM audit_log
          WHERE at < $1
          ORDER BY at
          LIMIT $2
          FOR UPDATE SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_answers(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of what requests with an `Idempotency-Key` were answered `before`."""
    return await sql.execute(
        """
        DELETE FROM idempotency_keys
        WHERE claim_id IN (
          SELECT claim_id
          FROM idempotency_keys
          WHERE created_at < $1
          ORDER BY created_at
          LIMIT $2
          FOR UPDATE SKIP LOCKED)
        """,
        before,
        batch,
    )
