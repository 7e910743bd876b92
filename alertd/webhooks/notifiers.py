"""SQL of operators' receivers: one row for each notifier of the settings, so that they get what tenants get:
durable deliveries, retries, a circuit and a log."""

from collections.abc import Collection
from datetime import datetime

from alertd.db import Sql, new_id


async def sync(tx: Sql, names: Collection[str], *, channel: str, now: datetime) -> None:
    """Add rows for new names and silence those whose name is gone; their log stays.

    A notifier listens to everything; who narrows it down names it in `enqueue(..., notifiers=...)`.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('alertd notifiers'))")
    await tx.execute(
        """
        UPDATE tenant_webhooks
        SET event_type = CASE WHEN webhook_url = ANY ($1) THEN '*' ELSE '' END,
            is_active = webhook_url = ANY ($1),
            disabled_reason = CASE WHEN webhook_url = ANY ($1) THEN NULL ELSE 'unconfigured' END
        WHERE tenant_id IS NULL AND channel = $2
        """,
        sorted(names),
        channel,
    )
    await tx.executemany(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, channel, webhook_url, webhook_secret, created_at)
        SELECT $1, NULL, $2, $3, '', $4
        WHERE NOT EXISTS (
          SELECT
          FROM tenant_webhooks
          WHERE tenant_id IS NULL AND channel = $2 AND webhook_url = $3)
        """,
        [(new_id(), channel, name, now) for name in sorted(names)],
    )
