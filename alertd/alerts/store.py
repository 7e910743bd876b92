"""SQL of alerts: open one episode for each identity, keep it current, acknowledge it, close it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from alertd.db import Row, Sql, new_id
from alertd.model import Severity


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two alerts the same alert: never severity, values, or time."""

    tenant_id: UUID | None
    check: str
    subject: str
    rule: str

    @property
    def fingerprint(self) -> str:
        parts = (str(self.tenant_id or ""), self.check, self.subject, self.rule)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An episode that is not over; `announced_at` None means that nobody has been told.

    `held_count` messages were not sent since the last one; `opened`: it is this moment's.
    """

    id: UUID
    announced_at: datetime | None
    last_event_id: str | None
    held_count: int
    acked: bool = False
    opened: bool = False


async def find_open(sql: Sql, identity: Identity) -> OpenAlert | None:
    """The open episode of this identity, locked until the transaction ends."""
    row = await sql.fetchrow(
        """
        SELECT id, announced_at, last_event_id, held_count, acked_at IS NOT NULL AS acked, false AS opened
        FROM alerts
        WHERE fingerprint = $1 AND state <> 'resolved'
        FOR UPDATE
        """,
        identity.fingerprint,
    )
    return None if row is None else _open_alert(row)


async def fire(
    sql: Sql,
    identity: Identity,
    *,
    severity: Severity,
    details: Mapping[str, Any],
    exchange: str | None = None,
    began_at: datetime,
    now: datetime,
) -> OpenAlert:
    """Open the episode, or bring the open one up to date."""
    row = await sql.fetchrow(
        """
        INSERT INTO alerts (id, fingerprint, tenant_id, check_name, subject, rule, severity, state, details,
                            started_at, fired_at, last_seen_at, created_at, exchange)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'firing', $8, $9, $10, $10, $10, $11)
        ON CONFLICT (fingerprint) WHERE state <> 'resolved'
        DO UPDATE SET state = 'firing',
                      severity = EXCLUDED.severity,
                      details = EXCLUDED.details,
                      last_seen_at = EXCLUDED.last_seen_at
        RETURNING id, announced_at, last_event_id, held_count, acked_at IS NOT NULL AS acked, xmax = 0 AS opened
        """,
        new_id(),
        identity.fingerprint,
        identity.tenant_id,
        identity.check,
        identity.subject,
        identity.rule,
        str(severity),
        dict(details),
        began_at,
        now,
        exchange,
    )
    assert row is not None  # noqa: S101 - RETURNING of an upsert always has a row
    return _open_alert(row)


async def announced(sql: Sql, alert_id: UUID, event_id: str, now: datetime) -> None:
    """Remember that a message went out, so that the next one knows what it need not repeat."""
    await sql.execute(
        """
        UPDATE alerts
        SET announced_at = $2, last_event_id = $3, held_count = 0
        WHERE id = $1
        """,
        alert_id,
        now,
        event_id,
    )


async def hold(sql: Sql, alert_id: UUID) -> None:
    """Count a message that was not sent."""
    await sql.execute("UPDATE alerts SET held_count = held_count + 1 WHERE id = $1", alert_id)


async def acknowledge(sql: Sql, alert_id: UUID, *, by: str, comment: str, now: datetime) -> bool:
    """Somebody looks after it; False if it is over, or somebody did so before."""
    changed = await sql.execute(
        """
        UPDATE alerts
        SET acked_at = $2, acked_by = $3, ack_comment = $4
        WHERE id = $1 AND state <> 'resolved' AND acked_at IS NULL
        """,
        alert_id,
        now,
        by,
        comment,
    )
    return changed == 1


async def resolve(sql: Sql, alert_id: UUID, now: datetime) -> None:
    await sql.execute(
        """
        UPDATE alerts
        SET state = 'resolved', resolved_at = $2, last_seen_at = $2
        WHERE id = $1
        """,
        alert_id,
        now,
    )


def _open_alert(row: Row) -> OpenAlert:
    return OpenAlert(**dict(row))
