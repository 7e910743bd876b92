"""The delivery log as people read it: pages, one delivery with its attempts, and how much waits. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.db import Row, Sql
from alertd.errors import Absent

COLUMNS: Final = """
  id, webhook_id, tenant_id, event_type AS event, event_id, subject, source, state, left_out, superseded_by,
  next_attempt_at, created_at, finished_at
"""
OPEN_STATES: Final = ("pending", "held", "parked")
# As SQL has them: the indexes of some states are chosen by the text of a statement.
STATES: Final = {state: f"'{state}'" for state in (*OPEN_STATES, "delivered", "failed", "superseded")}


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
class Filter:
    """What a list is narrowed down to; None does not narrow. `since` is included, `until` is not."""

    tenant_id: UUID | None = None
    webhook_id: UUID | None = None
    state: str | None = None
    event: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: open deliveries by state, since when the longest-waiting has been due, circuits not closed."""

    states: Mapping[str, int]
    oldest_due_at: datetime | None
    open_circuits: int


async def deliveries_before(
    sql: Sql, mark: tuple[datetime, UUID] | None, narrowed: Filter, *, limit: int
) -> Sequence[Delivery]:
    """The newest first, those made before the one at the mark (its time and id)."""
    conditions, values = _conditions(narrowed, mark)
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM webhook_deliveries
        WHERE {" AND ".join(conditions)}
        ORDER BY created_at DESC, id DESC
        LIMIT ${len(values) + 1}
        """,  # noqa: S608 - constants of ours; what is asked for travels apart
        *values,
        limit,
    )
    return [_delivery(row) for row in rows]


async def get(sql: Sql, delivery_id: UUID) -> Delivery:
    """Raises Absent."""
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM webhook_deliveries WHERE id = $1",  # noqa: S608 - a constant
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


def _conditions(narrowed: Filter, before: tuple[datetime, UUID] | None) -> tuple[Sequence[str], Sequence[object]]:
    """The terms of WHERE that are asked for, and their values: only so a few failed ones are found by their index."""
    asked = {
        "tenant_id = {}": narrowed.tenant_id,
        "webhook_id = {}": narrowed.webhook_id,
        "event_type = {}": narrowed.event,
        "event_id = {}": narrowed.event_id,
        "created_at >= {}": narrowed.since,
        "created_at < {}": narrowed.until,
    }
    terms = {term: value for term, value in asked.items() if value is not None}
    conditions = ["true", *(term.format(f"${number}") for number, term in enumerate(terms, 1))]
    values = list(terms.values())
    if narrowed.state is not None:
        conditions.append(f"state = {STATES[narrowed.state]}" if narrowed.state in STATES else "false")
    if before is not None:
        conditions.append(f"(created_at, id) < (${len(values) + 1}, ${len(values) + 2})")
        values += before
    return conditions, values


def _delivery(row: Row) -> Delivery:
    return Delivery(**dict(row))


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
