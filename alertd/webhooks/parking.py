"""SQL of what waits: when an endpoint is due next, and what stands still while it may not be sent to.

The circuit open or the endpoint switched off: its deliveries are parked, and of each matter (a key
that fails and recovers is one matter) only the newest stays, counting the older ones it stands for.
Callers hold the endpoint's row lock, so nothing is queued or taken meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.db import Sql
from alertd.model import EventType

# What ends a matter, and what had opened it: the newest of both is the latest state.
ENDINGS: Final = {
    EventType.CREDENTIAL_RECOVERED: EventType.CREDENTIAL_FAILED,
    EventType.PERFORMANCE_RESOLVED: EventType.PERFORMANCE_ALERT,
}


def matter(event_type: EventType) -> tuple[EventType, ...]:
    """The types of which, for one subject, only the latest counts."""
    opening = ENDINGS.get(event_type, event_type)
    return (opening, *(ending for ending, opened in ENDINGS.items() if opened is opening))


async def refresh_due(sql: Sql, webhook_ids: Sequence[UUID]) -> None:
    """Write down when each endpoint is due next; NULL: nothing to do.

    An attempted delivery holds back the younger ones of its subject; one that was put off (never
    attempted, due later than a younger one) does not. An open circuit with parked messages is due
    for its probe.
    """
    await sql.execute(
        """
        UPDATE tenant_webhooks w
        SET next_due_at = LEAST(
          (SELECT d.next_attempt_at
           FROM webhook_deliveries d
           WHERE d.webhook_id = w.id
             AND d.state = 'pending'
             AND NOT EXISTS (
               SELECT
               FROM webhook_deliveries o
               WHERE o.webhook_id = d.webhook_id
                 AND o.subject = d.subject
                 AND o.state = 'pending'
                 AND (o.created_at, o.id) < (d.created_at, d.id)
                 AND (o.attempts > 0 OR o.next_attempt_at <= d.next_attempt_at))
           ORDER BY d.next_attempt_at
           LIMIT 1),
          (SELECT w.circuit_until
           WHERE w.circuit <> 'closed'
             AND w.is_active
             AND EXISTS (SELECT FROM webhook_deliveries p WHERE p.webhook_id = w.id AND p.state = 'parked')))
        WHERE w.id = ANY($1)
        """,
        list(webhook_ids),
    )


async def park(sql: Sql, webhook_id: UUID, now: datetime) -> int:
    """Put what is pending aside, tests apart; answers how many messages that were."""
    parked = await sql.execute(
        """
        UPDATE webhook_deliveries
        SET state = 'parked', next_attempt_at = NULL
        WHERE webhook_id = $1 AND state = 'pending' AND source <> 'test'
        """,
        webhook_id,
    )
    await coalesce(sql, [webhook_id], now)
    return parked


async def unpark(sql: Sql, webhook_id: UUID, now: datetime) -> int:
    """Queue what was put aside or given up, due now; answers how many messages that are."""
    await regain(sql, webhook_id)
    await coalesce(sql, [webhook_id], now)
    return await sql.execute(
        """
        UPDATE webhook_deliveries
        SET state = 'pending',
            source = CASE source WHEN 'event' THEN 'catch_up' ELSE source END,
            attempts = 0,
            next_attempt_at = $2
        WHERE webhook_id = $1 AND state = 'parked'
        """,
        webhook_id,
        now,
    )


async def regain(sql: Sql, webhook_id: UUID) -> None:
    """Put aside what was given up, unless its matter has a newer message that was or will be heard.

    Once for each message: what goes out after this is a catch-up, and one that is given up stays so.
    """
    await sql.execute(
        """
        UPDATE webhook_deliveries d
        SET state = 'parked', finished_at = NULL
        WHERE d.webhook_id = $1
          AND d.state = 'failed'
          AND d.source = 'event'
          AND NOT EXISTS (
            SELECT
            FROM webhook_deliveries n
            WHERE n.webhook_id = d.webhook_id
              AND n.subject = d.subject
              AND coalesce($2::jsonb ->> n.event_type, n.event_type)
                  = coalesce($2::jsonb ->> d.event_type, d.event_type)
              AND n.state IN ('pending', 'held', 'delivered')
              AND (n.created_at, n.id) > (d.created_at, d.id))
        """,
        webhook_id,
        dict(ENDINGS),
    )


async def draw_probes(sql: Sql, webhook_ids: Sequence[UUID], now: datetime) -> None:
    """Make the newest parked message of each endpoint pending, where nothing is pending and due already."""
    await sql.execute(
        """
        WITH probes AS (
          SELECT DISTINCT ON (p.webhook_id) p.id
          FROM webhook_deliveries p
          WHERE p.webhook_id = ANY($1)
            AND p.state = 'parked'
            AND NOT EXISTS (
              SELECT
              FROM webhook_deliveries q
              WHERE q.webhook_id = p.webhook_id AND q.state = 'pending' AND q.next_attempt_at <= $2)
          ORDER BY p.webhook_id, p.created_at DESC, p.id DESC
        )
        UPDATE webhook_deliveries d
        SET state = 'pending',
            source = CASE d.source WHEN 'event' THEN 'catch_up' ELSE d.source END,
            attempts = 0,
            next_attempt_at = $2
        FROM probes
        WHERE d.id = probes.id
        """,
        list(webhook_ids),
        now,
    )


async def coalesce(sql: Sql, webhook_ids: Sequence[UUID], now: datetime, *, subject: str | None = None) -> None:
    """Leave of each matter only the newest parked message; replays stay, each was asked for."""
    await sql.execute(
        """
        WITH ranked AS (
          SELECT id,
                 left_out,
                 first_value(id) OVER newest_first AS newest,
                 row_number() OVER newest_first AS place
          FROM webhook_deliveries
          WHERE webhook_id = ANY($1)
            AND state = 'parked'
            AND source <> 'replay'
            AND ($3::text IS NULL OR subject = $3)
          WINDOW newest_first AS (
            PARTITION BY webhook_id, subject, coalesce($4::jsonb ->> event_type, event_type)
            ORDER BY created_at DESC, id DESC)
        ), older AS (
          UPDATE webhook_deliveries d
          SET state = 'superseded',
              superseded_by = ranked.newest,
              next_attempt_at = NULL,
              finished_at = $2
          FROM ranked
          WHERE d.id = ranked.id AND ranked.place > 1
        ), counted AS (
          SELECT newest, sum(left_out + 1) AS messages
          FROM ranked
          WHERE place > 1
          GROUP BY newest
        )
        UPDATE webhook_deliveries d
        SET left_out = d.left_out + counted.messages
        FROM counted
        WHERE d.id = counted.newest
        """,
        list(webhook_ids),
        now,
        subject,
        dict(ENDINGS),
    )


async def supersede_stale(sql: Sql, webhook_ids: Sequence[UUID], now: datetime) -> None:
    """Give up held messages whose matter has a newer one: what a person releases is the latest state."""
    await sql.execute(
        """
        WITH stale AS (
          SELECT h.id, n.id AS newer
          FROM webhook_deliveries h
          CROSS JOIN LATERAL (
            SELECT d.id
            FROM webhook_deliveries d
            WHERE d.webhook_id = h.webhook_id
              AND d.subject = h.subject
              AND coalesce($3::jsonb ->> d.event_type, d.event_type)
                  = coalesce($3::jsonb ->> h.event_type, h.event_type)
              AND d.state IN ('pending', 'held', 'parked', 'delivered')
              AND (d.created_at, d.id) > (h.created_at, h.id)
            ORDER BY d.created_at DESC, d.id DESC
            LIMIT 1
          ) n
          WHERE h.webhook_id = ANY($1) AND h.state = 'held'
        )
        UPDATE webhook_deliveries d
        SET state = 'superseded',
            superseded_by = stale.newer,
            next_attempt_at = NULL,
            finished_at = $2
        FROM stale
        WHERE d.id = stale.id
        """,
        list(webhook_ids),
        now,
        dict(ENDINGS),
    )
