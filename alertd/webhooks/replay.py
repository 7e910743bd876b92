"""SQL of sending again what is finished or held: as rows, so that a replay outlives a restart.

The webhook-id stays, so a receiver that keeps ids recognises what it has had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Sql
from alertd.errors import Absent, Busy, Refused
from alertd.webhooks.parking import refresh_due

REPLAYABLE: Final = ("delivered", "failed", "held", "superseded")
MOST_AT_ONCE: Final = 10_000
SPACING: Final = timedelta(milliseconds=100)  # between two replays to one endpoint


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries: made at or after `since` and before `until`, in this state; None does not narrow."""

    since: datetime | None = None
    until: datetime | None = None
    state: str = "failed"
    webhook_id: UUID | None = None
    tenant_id: UUID | None = None
    event_type: str | None = None


async def replay(tx: Sql, selection: Selection, *, now: datetime, spacing: timedelta = SPACING) -> int:
    """Queue what is selected, oldest first and at most 10,000, spread over time; answers how many.

    Messages for an endpoint that may not be sent to now are parked. Raises Refused for a state that
    cannot be replayed.
    """
    if selection.state not in REPLAYABLE:
        raise Refused(f"state must be one of {', '.join(REPLAYABLE)}: the others are still on their way")
    rows = await tx.fetch(
        """
        SELECT id
        FROM webhook_deliveries
        WHERE state = $1
          AND ($2::timestamptz IS NULL OR created_at >= $2)
          AND ($3::timestamptz IS NULL OR created_at < $3)
          AND ($4::uuid IS NULL OR webhook_id = $4)
          AND ($5::uuid IS NULL OR tenant_id = $5)
          AND ($6::text IS NULL OR event_type = $6)
        ORDER BY created_at, id
        LIMIT $7
        """,
        selection.state,
        selection.since,
        selection.until,
        selection.webhook_id,
        selection.tenant_id,
        selection.event_type,
        MOST_AT_ONCE,
    )
    return await _queue(tx, [row["id"] for row in rows], now=now, spacing=spacing)


async def replay_one(tx: Sql, delivery_id: UUID, *, now: datetime) -> None:
    """Queue one delivery again, due now. Raises Absent, or Busy while it is still on its way."""
    if await _queue(tx, [delivery_id], now=now, spacing=timedelta(0)):
        return
    state = await tx.fetchval("SELECT state FROM webhook_deliveries WHERE id = $1", delivery_id)
    if state is None:
        raise Absent(f"there is no delivery {delivery_id}")
    raise Busy(f"delivery {delivery_id} is {state}: it is still on its way")


async def release(tx: Sql, delivery_ids: Sequence[UUID], *, now: datetime) -> int:
    """Queue held deliveries, others of the list are left alone; answers how many."""
    rows = await tx.fetch(
        """
        SELECT id
        FROM webhook_deliveries
        WHERE id = ANY ($1) AND state = 'held'
        """,
        list(delivery_ids),
    )
    return await _queue(tx, [row["id"] for row in rows], now=now, spacing=SPACING)


async def _queue(tx: Sql, delivery_ids: Sequence[UUID], *, now: datetime, spacing: timedelta) -> int:
    """The endpoints are locked first, in order; what a claim has taken meanwhile is no longer finished."""
    endpoints = await tx.fetch(
        """
        SELECT id
        FROM tenant_webhooks
        WHERE id IN (SELECT webhook_id FROM webhook_deliveries WHERE id = ANY ($1))
        ORDER BY id
        FOR NO KEY UPDATE
        """,
        list(delivery_ids),
    )
    queued = await tx.execute(
        """
        WITH chosen AS (
          SELECT d.id,
                 CASE WHEN w.is_active AND w.circuit = 'closed' THEN 'pending' ELSE 'parked' END AS state,
                 row_number() OVER (PARTITION BY d.webhook_id ORDER BY d.created_at, d.id) - 1 AS place
          FROM webhook_deliveries d
          JOIN tenant_webhooks w ON w.id = d.webhook_id
          WHERE d.id = ANY ($1) AND d.state = ANY ($4)
        )
        UPDATE webhook_deliveries d
        SET state = chosen.state,
            source = 'replay',
            attempts = 0,
            next_attempt_at = CASE chosen.state
                                WHEN 'pending' THEN $2::timestamptz + $3::interval * chosen.place
                              END,
            superseded_by = NULL,
            finished_at = NULL
        FROM chosen
        WHERE d.id = chosen.id
        """,
        list(delivery_ids),
        now,
        spacing,
        list(REPLAYABLE),
    )
    await refresh_due(tx, [row["id"] for row in endpoints])
    return queued
