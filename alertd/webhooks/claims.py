"""SQL of taking: endpoints that have something due, and a few deliveries of each.

The lease is on the endpoint, so that 1,500 messages to one receiver cost another at most one claim. An
attempt that is found open under a run-out lease is closed as 'unknown', and its message is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Db, Row, Sql, new_id
from alertd.model import EventType
from alertd.webhooks.message import Message
from alertd.webhooks.parking import draw_probes, refresh_due, supersede_stale

BATCH: Final = 8  # deliveries of one endpoint in one claim
# A delivery whose attempts keep dying with their process is left to a person.
MOST_ATTEMPTS: Final = 20

# A lease that a power cut undoes fences off its own holder, so nobody waits for the disk to take or to give one.
UNHURRIED: Final = "SET LOCAL synchronous_commit = off"

# Longest unserved first. Also commits a rotation whose time is over, so that nothing is signed with the old
# secret after it.
LEASE_ENDPOINTS: Final = """
WITH due AS (
  SELECT w.id
  FROM tenant_webhooks w
  WHERE w.next_due_at <= $2
    AND (w.lease_until IS NULL OR w.lease_until <= $2)
    AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = w.tenant_id AND t.paused)
  ORDER BY w.lease_until NULLS FIRST, w.next_due_at
  LIMIT $4
  FOR NO KEY UPDATE OF w SKIP LOCKED
)
UPDATE tenant_webhooks w
SET lease_id = $1,
    lease_until = $3,
    webhook_secret = CASE WHEN w.rotation_ends_at <= $2 THEN coalesce(w.next_secret, w.webhook_secret)
                          ELSE w.webhook_secret END,
    next_secret = CASE WHEN w.rotation_ends_at <= $2 THEN NULL ELSE w.next_secret END,
    rotation_ends_at = CASE WHEN w.rotation_ends_at <= $2 THEN NULL ELSE w.rotation_ends_at END
FROM due
WHERE w.id = due.id
RETURNING w.id, w.tenant_id, w.channel, w.webhook_url, w.webhook_secret, w.next_secret, w.headers,
          w.circuit, w.is_active AND w.circuit <> 'closed' AND w.circuit_until <= $2 AS cooled_down
"""

# Nobody knows how these ended: the attempt counts, and the message is sent again.
CLOSE_INTERRUPTED: Final = """
UPDATE webhook_delivery_log
SET finished_at = $2, outcome = 'unknown'
WHERE webhook_id = ANY ($1) AND finished_at IS NULL
RETURNING delivery_id
"""

# The due messages of each endpoint, of one subject only the oldest.
HEADS: Final = """
SELECT d.id, d.webhook_id, d.event_id, d.event_type, d.left_out, d.source, d.attempts, e.body
FROM unnest($1::uuid[]) AS w (id)
CROSS JOIN LATERAL (
  SELECT h.id, h.webhook_id, h.event_id, h.event_type, h.left_out, h.source, h.attempts,
         h.next_attempt_at, h.created_at
  FROM webhook_deliveries h
  WHERE h.webhook_id = w.id
    AND h.state = 'pending'
    AND h.next_attempt_at <= $2
    AND NOT EXISTS (
      SELECT
      FROM webhook_deliveries o
      WHERE o.webhook_id = h.webhook_id
        AND o.subject = h.subject
        AND o.state = 'pending'
        AND (o.created_at, o.id) < (h.created_at, h.id)
        AND (o.attempts > 0 OR o.next_attempt_at <= $2))
  ORDER BY h.next_attempt_at, h.created_at, h.id
  LIMIT $3
) d
JOIN events e ON e.id = d.event_id
ORDER BY d.next_attempt_at, d.created_at, d.id
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint as its row has it: `secret`, `next_secret` and `headers` may be sealed.

    `cooled_down`: its circuit is to be tried with one message; a half-open one lost its probe with the process
    that made it.
    """

    id: UUID
    tenant_id: UUID | None
    channel: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    next_secret: str | None = field(repr=False)
    headers: str | None = field(repr=False)
    circuit: str
    cooled_down: bool


@dataclass(frozen=True, slots=True)
class Due:
    """One message on its way to one endpoint."""

    id: UUID
    message: Message
    source: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An endpoint that is ours to send to until the lease ends."""

    lease_id: UUID
    target: Target
    deliveries: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one claim took, and what it found: attempts left open by a dead process, messages too old to send."""

    claims: tuple[Claim, ...] = ()
    interrupted: int = 0
    held: int = 0


async def claim(
    db: Db, *, now: datetime, lease: timedelta, limit: int, max_age: timedelta, batch: int = BATCH
) -> Harvest:
    """Take up to `limit` endpoints that have something due, longest unserved first, and their due messages.

    An endpoint whose circuit is open and whose cool-down is over gives one message, the probe.
    """
    lease_id = new_id()
    async with db.transaction() as tx:
        await tx.execute(UNHURRIED)
        targets = await _lease_endpoints(tx, lease_id, now=now, until=now + lease, limit=limit)
        if not targets:
            return Harvest()
        ids = list(targets)
        interrupted = await _close_interrupted(tx, ids, now)
        held = await _hold_old(tx, ids, now=now, before=now - max_age)
        probing = [target.id for target in targets.values() if target.cooled_down]
        if probing:
            await draw_probes(tx, probing, now)
        due = await _heads(tx, ids, now=now, batch=batch)
        for webhook_id in set(probing) & set(due):
            targets[webhook_id] = replace(targets[webhook_id], circuit="half_open")
            due[webhook_id] = due[webhook_id][:1]
        await _probe(tx, set(probing) & set(due))
        await _give_back(tx, set(ids) - set(due), now)
    claims = (Claim(lease_id, target, tuple(due[key])) for key, target in targets.items() if key in due)
    return Harvest(tuple(claims), interrupted=interrupted, held=held)


async def next_due(db: Sql, now: datetime) -> datetime | None:
    """When an endpoint that is not due now will be."""
    due: datetime | None = await db.fetchval(
        """
        SELECT min(next_due_at)
        FROM tenant_webhooks
        WHERE next_due_at > $1
        """,
        now,
    )
    return due


async def _lease_endpoints(
    tx: Sql, lease_id: UUID, *, now: datetime, until: datetime, limit: int
) -> dict[UUID, Target]:
    rows = await tx.fetch(
        LEASE_ENDPOINTS,
        lease_id,
        now,
        until,
        limit,
    )
    return {row["id"]: _target(row) for row in rows}


async def _close_interrupted(tx: Sql, webhook_ids: Sequence[UUID], now: datetime) -> int:
    rows = await tx.fetch(
        CLOSE_INTERRUPTED,
        list(webhook_ids),
        now,
    )
    if rows:
        await tx.execute(
            """
            UPDATE webhook_deliveries
            SET state = 'held', next_attempt_at = NULL
            WHERE id = ANY ($1) AND state = 'pending' AND attempts >= $2
            """,
            [row["delivery_id"] for row in rows],
            MOST_ATTEMPTS,
        )
    return len(rows)


async def _hold_old(tx: Sql, webhook_ids: Sequence[UUID], *, now: datetime, before: datetime) -> int:
    """What is this old and still due was in a backup, or nobody ran us: a person decides about it.

    What a window put off is as old as the end of that window.
    """
    held = await tx.execute(
        """
        UPDATE webhook_deliveries
        SET state = 'held', next_attempt_at = NULL
        WHERE webhook_id = ANY ($1)
          AND state = 'pending'
          AND source = 'event'
          AND next_attempt_at <= $2
          AND CASE attempts WHEN 0 THEN next_attempt_at ELSE created_at END < $3
        """,
        list(webhook_ids),
        now,
        before,
    )
    if held:
        await supersede_stale(tx, webhook_ids, now)
    return held


async def _heads(tx: Sql, webhook_ids: Sequence[UUID], *, now: datetime, batch: int) -> dict[UUID, list[Due]]:
    rows = await tx.fetch(
        HEADS,
        list(webhook_ids),
        now,
        batch,
    )
    heads: dict[UUID, list[Due]] = {}
    for row in rows:
        heads.setdefault(row["webhook_id"], []).append(_due(row))
    return heads


async def _probe(tx: Sql, webhook_ids: set[UUID]) -> None:
    if webhook_ids:
        await tx.execute(
            """
            UPDATE tenant_webhooks
            SET circuit = 'half_open'
            WHERE id = ANY ($1)
            """,
            list(webhook_ids),
        )


async def _give_back(tx: Sql, webhook_ids: set[UUID], now: datetime) -> None:
    """Endpoints that turned out to have nothing due."""
    if webhook_ids:
        await tx.execute(
            """
            UPDATE tenant_webhooks
            SET lease_id = NULL, lease_until = $2
            WHERE id = ANY ($1)
            """,
            list(webhook_ids),
            now,
        )
        await refresh_due(tx, list(webhook_ids))


def _target(row: Row) -> Target:
    return Target(
        id=row["id"],
        tenant_id=row["tenant_id"],
        channel=row["channel"],
        url=row["webhook_url"],
        secret=row["webhook_secret"],
        next_secret=row["next_secret"],
        headers=row["headers"],
        circuit=row["circuit"],
        cooled_down=bool(row["cooled_down"]),
    )


def _due(row: Row) -> Due:
    return Due(
        id=row["id"],
        message=Message(row["event_id"], EventType(row["event_type"]), row["body"], left_out=row["left_out"]),
        source=row["source"],
        attempts=row["attempts"],
    )
