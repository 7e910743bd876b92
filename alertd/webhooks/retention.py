"""SQL of forgetting: finished deliveries and old events, in small batches, never a tenant's newest of a subject.

What is pending, parked or held stays however old it is. Of operators' messages many have a subject of their
own, so none is kept for being the newest.
"""

from datetime import datetime
from typing import Final

from alertd.db import Sql

BATCH: Final = 10_000


async def prune_deliveries(db: Sql, *, before: datetime, batch: int = BATCH) -> int:
    """Delete one batch of deliveries that were finished `before`, and their attempts; 0: nothing is left."""
    return await db.execute(
        """
        DELETE FROM webhook_deliveries
        WHERE id IN (
          SELECT d.id
          FROM webhook_deliveries d
          WHERE d.created_at < $1
            AND d.finished_at < $1
            AND d.state IN ('delivered', 'failed', 'superseded')
            AND (d.tenant_id IS NULL OR EXISTS (
              SELECT
              FROM webhook_deliveries n
              WHERE n.webhook_id = d.webhook_id
                AND n.subject = d.subject
                AND (n.created_at, n.id) > (d.created_at, d.id)))
          ORDER BY d.created_at
          LIMIT $2
          FOR UPDATE OF d SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_events(db: Sql, *, before: datetime, batch: int = BATCH) -> int:
    """Delete one batch of events older than `before` that no delivery needs."""
    return await db.execute(
        """
        DELETE FROM events
        WHERE id IN (
          SELECT e.id
          FROM events e
          WHERE e.created_at < $1
            AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.event_id = e.id)
            AND (e.tenant_id IS NULL OR EXISTS (
              SELECT
              FROM events n
              WHERE n.subject = e.subject AND n.created_at > e.created_at))
          ORDER BY e.created_at
          LIMIT $2
          FOR UPDATE OF e SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_windows(db: Sql, *, before: datetime, batch: int = BATCH) -> int:
    """Delete one batch of windows that closed `before`; give the longest window of the settings as grace."""
    return await db.execute(
        """
        DELETE FROM webhook_windows
        WHERE (subject, event_type) IN (
          SELECT w.subject, w.event_type
          FROM webhook_windows w
          WHERE w.open_until < $1
          LIMIT $2
          FOR UPDATE OF w SKIP LOCKED)
        """,
        before,
        batch,
    )
