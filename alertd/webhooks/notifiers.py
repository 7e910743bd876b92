"""SQL of operators' receivers: one row for each notifier of the settings, so that they get what tenants get:
durable deliveries, retries, a circuit and a log."""

from collections.abc import Collection
from datetime import datetime

from alertd.config import Notifier
from alertd.db import Sql, new_id
from alertd.model import Receiver, Severity
from alertd.webhooks.parking import refresh_due


async def sync(tx: Sql, wanted: Collection[Notifier], *, channel: str, now: datetime) -> None:
    """Add rows for new names, keep all current, and silence those whose name is gone; their log stays.

    A notifier listens to every type; who narrows it down names it in `enqueue(..., notifiers=...)`.
    """
    names = sorted(notifier.name for notifier in wanted)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('alertd notifiers'))")
    known = await tx.fetch(
        """
        UPDATE tenant_webhooks
        SET event_type = CASE WHEN webhook_url = ANY ($1) THEN '*' ELSE '' END,
            is_active = webhook_url = ANY ($1),
            disabled_reason = CASE WHEN webhook_url = ANY ($1) THEN NULL ELSE 'unconfigured' END
        WHERE tenant_id IS NULL AND channel = $2
        RETURNING id
        """,
        names,
        channel,
    )
    await refresh_due(tx, [row["id"] for row in known])  # what is parked for one that is back is due again
    await tx.executemany(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, channel, webhook_url, webhook_secret, created_at)
        SELECT $1, NULL, $2, $3, '', $4
        WHERE NOT EXISTS (
          SELECT
          FROM tenant_webhooks
          WHERE tenant_id IS NULL AND channel = $2 AND webhook_url = $3)
        """,
        [(new_id(), channel, name, now) for name in names],
    )
    await tx.executemany(
        """
        UPDATE tenant_webhooks
        SET min_severity = $3, escalation = $4
        WHERE tenant_id IS NULL AND channel = $1 AND webhook_url = $2
        """,
        [(channel, each.name, str(each.min_severity), each.escalation) for each in wanted],
    )


async def listening(sql: Sql, *, channel: str) -> frozenset[str]:
    """The names that messages are meant for at present."""
    rows = await sql.fetch(
        "SELECT webhook_url FROM tenant_webhooks WHERE tenant_id IS NULL AND channel = $1 AND is_active", channel
    )
    return frozenset(row["webhook_url"] for row in rows)


async def receivers(sql: Sql) -> list[Receiver]:
    rows = await sql.fetch(
        """
        SELECT webhook_url, min_severity, escalation
        FROM tenant_webhooks
        WHERE tenant_id IS NULL AND event_type <> ''
        ORDER BY webhook_url
        """
    )
    return [
        Receiver(
            row["webhook_url"],
            None if row["min_severity"] is None else Severity(row["min_severity"]),
            row["escalation"],
        )
        for row in rows
    ]


async def hearing(sql: Sql, severity: Severity) -> list[str]:
    """The names of those that hear of this severity."""
    return [receiver.name for receiver in await receivers(sql) if receiver.hears(severity)]
