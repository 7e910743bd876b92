"""SQL of why: each decision about an alert, written with the deed itself, and read with what came of it."""

from datetime import datetime
from uuid import UUID

from alertd.alerts.explanation import Attempt, Decision, Entry, Sending
from alertd.db import Row, Sql


async def note(
    sql: Sql,
    alert_id: UUID,
    decision: Decision,
    *,
    now: datetime,
    actor: str | None = None,
    comment: str | None = None,
    silence_id: UUID | None = None,
    cause_id: UUID | None = None,
    event_id: str | None = None,
) -> None:
    """Write a decision down; the same one again, with nothing between, is counted."""
    await sql.execute(
        """
        WITH last AS (
          SELECT id, decision, silence_id, cause_id
          FROM alert_log
          WHERE alert_id = $1
          ORDER BY id DESC
          LIMIT 1),
        repeated AS (
          UPDATE alert_log l
          SET repeats = l.repeats + 1, last_at = $2
          FROM last
          WHERE l.id = last.id
            AND last.decision = $3
            AND last.silence_id IS NOT DISTINCT FROM $6
            AND last.cause_id IS NOT DISTINCT FROM $8
            AND $7::text IS NULL
          RETURNING l.id)
        INSERT INTO alert_log (alert_id, at, last_at, decision, actor, comment, silence_id, event_id, cause_id)
        SELECT $1, $2, $2, $3, $4, $5, $6, $7, $8
        WHERE NOT EXISTS (SELECT FROM repeated)
        """,
        alert_id,
        now,
        str(decision),
        actor,
        comment,
        silence_id,
        event_id,
        cause_id,
    )


async def note_deliveries(sql: Sql, alert_id: UUID, event_id: str, now: datetime) -> None:
    """Write down to whom a message was queued, as the queue has it now; to nobody is a decision too."""
    queued = await sql.execute(
        """
        INSERT INTO alert_log (alert_id, at, last_at, decision, event_id, delivery_id, webhook_id)
        SELECT $1, $3, $3,
               CASE
                 WHEN state IN ('held', 'parked') THEN state
                 WHEN next_attempt_at > created_at THEN 'put_off'
                 ELSE 'sent'
               END,
               event_id, id, webhook_id
        FROM webhook_deliveries
        WHERE event_id = $2
        ORDER BY webhook_id
        """,
        alert_id,
        event_id,
        now,
    )
    if not queued:
        await note(sql, alert_id, Decision.UNWANTED, event_id=event_id, now=now)


async def explain(sql: Sql, alert_id: UUID) -> tuple[Entry, ...]:
    """Every decision about this alert in order, each message with how its endpoint answered so far."""
    rows = await sql.fetch(
        """
        SELECT l.at, l.last_at, l.repeats, l.decision, l.silence_id, l.cause_id, l.event_id,
               l.delivery_id, l.webhook_id,
               COALESCE(l.actor, s.created_by) AS actor,
               COALESCE(l.comment, s.comment) AS comment,
               LEAST(s.ends_at, s.expired_at) AS silenced_until,
               e.type AS event,
               w.channel,
               d.state, d.attempts, d.next_attempt_at, d.finished_at,
               a.started_at AS tried_at, a.outcome, a.status_code, a.error, a.duration_ms
        FROM alert_log l
        LEFT JOIN silences s ON s.id = l.silence_id
        LEFT JOIN events e ON e.id = l.event_id
        LEFT JOIN tenant_webhooks w ON w.id = l.webhook_id
        LEFT JOIN webhook_deliveries d ON d.id = l.delivery_id
        LEFT JOIN LATERAL (
          SELECT g.started_at, g.outcome, g.status_code, g.error, g.duration_ms
          FROM webhook_delivery_log g
          WHERE g.delivery_id = d.id
          ORDER BY g.started_at DESC, g.id DESC
          LIMIT 1) a ON true
        WHERE l.alert_id = $1
        ORDER BY l.id
        """,
        alert_id,
    )
    return tuple(_entry(row) for row in rows)


def _entry(row: Row) -> Entry:
    return Entry(
        at=row["at"],
        last_at=row["last_at"],
        repeats=row["repeats"],
        decision=Decision(row["decision"]),
        actor=row["actor"],
        comment=row["comment"],
        silence_id=row["silence_id"],
        silenced_until=row["silenced_until"],
        cause_id=row["cause_id"],
        event=row["event"],
        event_id=row["event_id"],
        delivery=None if row["delivery_id"] is None else _sending(row),
    )


def _sending(row: Row) -> Sending:
    tried = row["tried_at"]
    return Sending(
        id=row["delivery_id"],
        webhook_id=row["webhook_id"],
        channel=row["channel"],
        state=row["state"],
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        finished_at=row["finished_at"],
        last_attempt=None
        if tried is None
        else Attempt(tried, row["outcome"], row["status_code"], row["error"], row["duration_ms"]),
    )
