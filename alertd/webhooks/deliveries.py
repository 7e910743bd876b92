"""The delivery log as people read it: pages, one delivery with its attempts, and how much waits. Reads only."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.db import Row, Sql
from alertd.errors import Absent, Refused

OPEN_STATES: Final = ("pending", "held", "parked")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint, or its end."""

    id: UUID
    webhook_id: UUID
    tenant_id: UUID | None
    event: str
    event_id: str
    subject: str
    source: str
    state: str
    left_out: int
    superseded_by: UUID | None
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """One try; `outcome` None: under way."""

    at: datetime
    number: int
    outcome: str | None
    status: int | None
    error: str | None
    duration_ms: int | None
    address: str | None
    response: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `next_cursor` None: there are no older ones."""

    items: tuple[Delivery, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed down to; None does not narrow. `since` is included, `until` is not."""

    tenant_id: UUID | None = None
    webhook_id: UUID | None = None
    state: str | None = None
    event: str | None = None
    event_id: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: open deliveries by state, since when the longest-waiting has been due, circuits not closed."""

    states: Mapping[str, int]
    oldest_due_at: datetime | None
    open_circuits: int


async def page(sql: Sql, narrowed: Filter, *, limit: int, cursor: str | None = None) -> Page:
    """Raises Refused for a cursor that is not one of ours."""
    before_at, before_id = (None, None) if cursor is None else _position(cursor)
    rows = await sql.fetch(
        """
        SELECT id, webhook_id, tenant_id, event_type, event_id, subject, source, state, left_out,
               superseded_by, next_attempt_at, created_at, finished_at
        FROM webhook_deliveries
        WHERE ($1::uuid IS NULL OR tenant_id = $1)
          AND ($2::uuid IS NULL OR webhook_id = $2)
          AND ($3::text IS NULL OR state = $3)
          AND ($4::text IS NULL OR event_type = $4)
          AND ($5::text IS NULL OR event_id = $5)
          AND ($6::text IS NULL OR subject = $6)
          AND ($7::timestamptz IS NULL OR created_at >= $7)
          AND ($8::timestamptz IS NULL OR created_at < $8)
          AND ($9::timestamptz IS NULL OR (created_at, id) < ($9, $10::uuid))
        ORDER BY created_at DESC, id DESC
        LIMIT $11
        """,
        narrowed.tenant_id,
        narrowed.webhook_id,
        narrowed.state,
        narrowed.event,
        narrowed.event_id,
        narrowed.subject,
        narrowed.since,
        narrowed.until,
        before_at,
        before_id,
        limit + 1,
    )
    items = tuple(_delivery(row) for row in rows[:limit])
    return Page(items, _cursor(items[-1]) if len(rows) > limit and items else None)


async def get(sql: Sql, delivery_id: UUID) -> Delivery:
    """Raises Absent."""
    row = await sql.fetchrow(
        """
        SELECT id, webhook_id, tenant_id, event_type, event_id, subject, source, state, left_out,
               superseded_by, next_attempt_at, created_at, finished_at
        FROM webhook_deliveries
        WHERE id = $1
        """,
        delivery_id,
    )
    if row is None:
        raise Absent(f"there is no delivery {delivery_id}")
    return _delivery(row)


async def attempts(sql: Sql, delivery_ids: list[UUID]) -> dict[UUID, tuple[LoggedAttempt, ...]]:
    """The attempts of each of these deliveries, oldest first; over all rounds, replays included."""
    rows = await sql.fetch(
        """
        SELECT delivery_id, started_at, attempt, outcome, status_code, error, duration_ms, address, response
        FROM webhook_delivery_log
        WHERE delivery_id = ANY ($1)
        ORDER BY delivery_id, started_at, id
        """,
        delivery_ids,
    )
    found: dict[UUID, tuple[LoggedAttempt, ...]] = dict.fromkeys(delivery_ids, ())
    for row in rows:
        found[row["delivery_id"]] += (_attempt(row),)
    return found


async def body(sql: Sql, event_id: str) -> bytes:
    """The bytes that were signed and sent. Raises Absent."""
    found: bytes | None = await sql.fetchval("SELECT body FROM events WHERE id = $1", event_id)
    if found is None:
        raise Absent(f"there is no event {event_id}")
    return found


async def backlog(sql: Sql, now: datetime) -> Backlog:
    rows = await sql.fetch(
        """
        SELECT state, count(*) AS messages
        FROM webhook_deliveries
        WHERE state IN ('pending', 'held', 'parked')
        GROUP BY state
        """
    )
    endpoints = await sql.fetchrow(
        """
        SELECT min(next_due_at) FILTER (WHERE circuit = 'closed' AND next_due_at <= $1) AS oldest_due_at,
               count(*) FILTER (WHERE circuit <> 'closed') AS open_circuits
        FROM tenant_webhooks w
        WHERE (next_due_at IS NOT NULL OR circuit <> 'closed')
          AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = w.tenant_id AND t.paused)
        """,
        now,
    )
    states = dict.fromkeys(OPEN_STATES, 0) | {row["state"]: row["messages"] for row in rows}
    if endpoints is None:
        return Backlog(states, None, 0)
    return Backlog(states, endpoints["oldest_due_at"], endpoints["open_circuits"])


def _cursor(delivery: Delivery) -> str:
    text = f"{delivery.created_at.isoformat()} {delivery.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
        position = datetime.fromisoformat(at), UUID(row_id)
    except (binascii.Error, ValueError):
        raise Refused("this cursor was not made here; start again without one") from None
    if position[0].tzinfo is None:
        raise Refused("this cursor was not made here; start again without one")
    return position


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        tenant_id=row["tenant_id"],
        event=row["event_type"],
        event_id=row["event_id"],
        subject=row["subject"],
        source=row["source"],
        state=row["state"],
        left_out=row["left_out"],
        superseded_by=row["superseded_by"],
        next_attempt_at=row["next_attempt_at"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


def _attempt(row: Row) -> LoggedAttempt:
    return LoggedAttempt(
        at=row["started_at"],
        number=row["attempt"],
        outcome=row["outcome"],
        status=row["status_code"],
        error=row["error"],
        duration_ms=row["duration_ms"],
        address=row["address"],
        response=row["response"],
    )
