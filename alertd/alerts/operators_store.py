"""SQL of whom to tell among the operators, and of what they have not been told yet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts.operators import News
from alertd.db import Row, Sql
from alertd.model import Severity

LOCK: Final = 0x6465736B  # one daemon at a time gathers what operators are to hear


async def told_of(sql: Sql, alert_id: UUID) -> list[str]:
    """The notifiers to which a message about this alert was queued."""
    rows = await sql.fetch(
        """
        SELECT DISTINCT w.webhook_url
        FROM alert_log l
        JOIN tenant_webhooks w ON w.id = l.webhook_id
        WHERE l.alert_id = $1 AND w.tenant_id IS NULL
        """,
        alert_id,
    )
    return [row["webhook_url"] for row in rows]


async def news(sql: Sql, *, limit: int) -> Sequence[News]:
    """What operators have not been told, oldest first; an end waits until its beginning was sent."""
    rows = await sql.fetch(
        """
        SELECT a.id, a.tenant_id, t.name AS tenant_name, a.check_name, a.subject, a.rule, a.severity, a.exchange,
               a.details, a.state, h.names
        FROM alerts a
        LEFT JOIN tenants t ON t.id = a.tenant_id
        CROSS JOIN LATERAL (
          SELECT coalesce(array_agg(DISTINCT w.webhook_url), '{}') AS names,
                 coalesce(bool_or(d.state = 'pending'), false) AS under_way
          FROM alert_log l
          JOIN tenant_webhooks w ON w.id = l.webhook_id AND w.tenant_id IS NULL
          LEFT JOIN webhook_deliveries d ON d.id = l.delivery_id
          WHERE l.alert_id = a.id) h
        WHERE a.operators_due IS NOT NULL
          AND t.paused IS NOT TRUE
          AND NOT (a.state = 'resolved' AND h.under_way)
        ORDER BY a.operators_due, a.id
        LIMIT $1
        FOR UPDATE OF a SKIP LOCKED
        """,
        limit,
    )
    return [_news(row) for row in rows]


async def told(sql: Sql, alert_ids: Sequence[UUID], now: datetime) -> None:
    """Operators know how these stand."""
    await sql.execute(
        "UPDATE alerts SET operators_due = NULL, operators_told_at = $2 WHERE id = ANY ($1)", list(alert_ids), now
    )


async def passed_over(sql: Sql, alert_ids: Sequence[UUID]) -> None:
    """There was nobody to tell of these."""
    await sql.execute("UPDATE alerts SET operators_due = NULL WHERE id = ANY ($1)", list(alert_ids))


async def overdue(sql: Sql, *, before: datetime, limit: int) -> Sequence[News]:
    """Alerts that wait since `before` or longer, worst first; those of paused tenants wait on."""
    rows = await sql.fetch(
        """
        SELECT a.id, a.tenant_id, t.name AS tenant_name, a.check_name, a.subject, a.rule, a.severity, a.exchange,
               a.details, a.state, '{}'::text[] AS names
        FROM alerts a
        LEFT JOIN tenants t ON t.id = a.tenant_id
        WHERE a.ack_awaited_since <= $1
          AND a.state = 'firing'
          AND t.paused IS NOT TRUE
        ORDER BY a.severity = 'emergency' DESC, a.ack_awaited_since, a.id
        LIMIT $2
        FOR UPDATE OF a SKIP LOCKED
        """,
        before,
        limit,
    )
    return [_news(row) for row in rows]


async def wait_again(sql: Sql, alert_id: UUID, now: datetime) -> None:
    """A silence holds: the wait for an acknowledgement begins anew."""
    await sql.execute("UPDATE alerts SET ack_awaited_since = $2 WHERE id = $1", alert_id, now)


async def escalated(sql: Sql, alert_ids: Sequence[UUID], now: datetime) -> None:
    """Once for each episode. The platform's own alerts are told of, and ended, where they are raised."""
    await sql.execute(
        """
        UPDATE alerts
        SET escalated_at = $2,
            ack_awaited_since = NULL,
            operators_told_at = CASE WHEN tenant_id IS NOT NULL THEN $2::timestamptz END
        WHERE id = ANY ($1)
        """,
        list(alert_ids),
        now,
    )


async def firing_by_severity(sql: Sql) -> Mapping[str, int]:
    rows = await sql.fetch("SELECT severity, count(*) AS alerts FROM alerts WHERE state = 'firing' GROUP BY severity")
    return {row["severity"]: row["alerts"] for row in rows}


def _news(row: Row) -> News:
    return News(
        id=row["id"],
        tenant_id=row["tenant_id"],
        tenant_name=row["tenant_name"],
        check=row["check_name"],
        subject=row["subject"],
        rule=row["rule"],
        exchange=row["exchange"],
        severity=Severity(row["severity"]),
        details=row["details"],
        over=row["state"] == "resolved",
        heard_by=frozenset(row["names"]),
    )
