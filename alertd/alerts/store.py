"""SQL of alerts: open one episode for each identity, keep it current, acknowledge it, close it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from alertd.alerts.identity import PLATFORM_CHECK, Identity
from alertd.alerts.inhibition import Standing
from alertd.db import Row, Sql, new_id
from alertd.model import Severity

COLUMNS: Final = """
  id, state, severity, streak, started_at, last_seen_at, flapping, good_since, announced_at, told_severity,
  last_event_id, held_count, acked_at IS NOT NULL AS acked
"""


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An episode that is not over; `announced_at` None means that nobody has been told.

    `held_count` messages were not sent since the last one; `opened`: it fires since this moment.
    """

    id: UUID
    pending: bool
    severity: Severity
    streak: int
    started_at: datetime
    last_seen_at: datetime
    flapping: bool
    good_since: datetime | None
    announced_at: datetime | None
    told: Severity | None
    last_event_id: str | None
    held_count: int
    acked: bool
    opened: bool = False


async def alone(tx: Sql, lock: int) -> bool:
    """Whether nobody else holds this lock, which is ours then until the transaction ends."""
    return bool(await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock))


async def find_open(sql: Sql, identity: Identity) -> OpenAlert | None:
    """The open episode of this identity, locked until the transaction ends."""
    found = await find_open_of(sql, [identity.fingerprint])
    return found.get(identity.fingerprint)


async def find_open_of(sql: Sql, fingerprints: Sequence[str]) -> Mapping[str, OpenAlert]:
    """The open episodes by their fingerprints, locked in a fixed order."""
    rows = await sql.fetch(
        f"""
        SELECT fingerprint, {COLUMNS}
        FROM alerts
        WHERE fingerprint = ANY ($1) AND state <> 'resolved'
        ORDER BY fingerprint
        FOR UPDATE
        """,  # noqa: S608 - a constant
        list(fingerprints),
    )
    return {row["fingerprint"]: _open_alert(row) for row in rows}


async def put(
    sql: Sql,
    identity: Identity,
    *,
    firing: bool = True,
    severity: Severity,
    details: Mapping[str, Any],
    exchange: str | None = None,
    streak: int = 1,
    began_at: datetime,
    seen_at: datetime | None = None,
    now: datetime,
) -> OpenAlert:
    """Open the episode, or bring the open one up to date; one that fires goes on firing.

    A severity that is not critical any more is not waited for any longer.
    """
    row = await sql.fetchrow(
        f"""
        INSERT INTO alerts (id, fingerprint, tenant_id, check_name, subject, rule, severity, state, details,
                            started_at, fired_at, last_seen_at, created_at, exchange, streak)
        VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $13 THEN 'firing' ELSE 'pending' END, $8,
                $9, CASE WHEN $13 THEN $10::timestamptz END, $12, $10, $11, $14)
        ON CONFLICT (fingerprint) WHERE state <> 'resolved'
        DO UPDATE SET state = CASE alerts.state WHEN 'firing' THEN 'firing' ELSE EXCLUDED.state END,
                      fired_at = coalesce(alerts.fired_at, EXCLUDED.fired_at),
                      severity = EXCLUDED.severity,
                      details = EXCLUDED.details,
                      streak = EXCLUDED.streak,
                      good_since = NULL,
                      last_seen_at = EXCLUDED.last_seen_at,
                      ack_awaited_since = CASE WHEN EXCLUDED.severity IN ('critical', 'emergency')
                                            THEN alerts.ack_awaited_since END
        RETURNING {COLUMNS}, xmax = 0 AS opened
        """,  # noqa: S608 - a constant
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
        seen_at or now,
        firing,
        streak,
    )
    assert row is not None  # noqa: S101 - RETURNING of an upsert always has a row
    return _open_alert(row)


async def announced(
    sql: Sql, alert_id: UUID, event_id: str, *, severity: Severity, awaits: bool, operators: bool, now: datetime
) -> None:
    """Remember that a message went out, so that the next one knows what it need not repeat.

    `awaits`: somebody should acknowledge it; the wait begins with the first such message, and once it
    was escalated there is none. `operators`: they are to be told as well.
    """
    await sql.execute(
        """
        UPDATE alerts
        SET announced_at = $2,
            last_event_id = $3,
            told_severity = $4,
            held_count = 0,
            ack_awaited_since = CASE WHEN $5 AND acked_at IS NULL AND escalated_at IS NULL
                                  THEN coalesce(ack_awaited_since, $2) END,
            operators_due = CASE WHEN $6 THEN coalesce(operators_due, $2) ELSE operators_due END
        WHERE id = $1
        """,
        alert_id,
        now,
        event_id,
        str(severity),
        awaits,
        operators,
    )


async def hold(sql: Sql, alert_id: UUID) -> None:
    """Count a message that was not sent."""
    await sql.execute("UPDATE alerts SET held_count = held_count + 1 WHERE id = $1", alert_id)


async def mark_flapping(sql: Sql, alert_id: UUID) -> None:
    await sql.execute("UPDATE alerts SET flapping = true WHERE id = $1", alert_id)


async def calm(sql: Sql, alert_id: UUID, *, since: datetime, seen_at: datetime) -> None:
    """Good for the moment, and not over."""
    await sql.execute(
        "UPDATE alerts SET good_since = $2, last_seen_at = $3, streak = 0 WHERE id = $1", alert_id, since, seen_at
    )


async def acknowledge(sql: Sql, alert_id: UUID, *, by: str, comment: str, now: datetime) -> bool:
    """Somebody looks after it; False if it is over, or somebody did so before."""
    changed = await sql.execute(
        """
        UPDATE alerts
        SET acked_at = $2, acked_by = $3, ack_comment = $4, ack_awaited_since = NULL
        WHERE id = $1 AND state <> 'resolved' AND acked_at IS NULL
        """,
        alert_id,
        now,
        by,
        comment,
    )
    return changed == 1


async def resolve(sql: Sql, alert_id: UUID, now: datetime, *, seen_at: datetime | None = None) -> None:
    """Close it; operators who were told of a tenant's alert are due to hear of its end."""
    await sql.execute(
        """
        UPDATE alerts
        SET state = 'resolved',
            resolved_at = $2,
            last_seen_at = $3,
            ack_awaited_since = NULL,
            operators_due = CASE WHEN operators_told_at IS NOT NULL THEN $2::timestamptz END
        WHERE id = $1
        """,
        alert_id,
        now,
        seen_at or now,
    )


async def fired_since(sql: Sql, identity: Identity, since: datetime) -> int:
    """How many episodes of this identity fired after `since`."""
    return int(
        await sql.fetchval(
            "SELECT count(*) FROM alerts WHERE fingerprint = $1 AND fired_at > $2", identity.fingerprint, since
        )
    )


async def last_seen_of(sql: Sql, fingerprints: Sequence[str]) -> Mapping[str, datetime]:
    """As of when the latest thing that is on file about each of these was found; resolved ones too."""
    rows = await sql.fetch(
        """
        SELECT fingerprint, max(last_seen_at) AS seen_at
        FROM alerts
        WHERE fingerprint = ANY ($1)
        GROUP BY fingerprint
        """,
        list(fingerprints),
    )
    return {row["fingerprint"]: row["seen_at"] for row in rows}


async def standing(sql: Sql, tenant_ids: Sequence[UUID]) -> list[Standing]:
    """What fires of the platform and of these tenants."""
    rows = await sql.fetch(
        """
        SELECT id, tenant_id, check_name, subject, rule, told_severity
        FROM alerts
        WHERE state = 'firing'
          AND (tenant_id = ANY ($1) OR (tenant_id IS NULL AND check_name = $2))
        ORDER BY id
        """,
        list(tenant_ids),
        PLATFORM_CHECK,
    )
    return [
        Standing(
            row["id"],
            Identity(row["tenant_id"], row["check_name"], row["subject"], row["rule"]),
            None if row["told_severity"] is None else Severity(row["told_severity"]),
        )
        for row in rows
    ]


def _open_alert(row: Row) -> OpenAlert:
    known = {name: value for name, value in row.items() if name not in {"fingerprint", "state", "told_severity"}}
    known["severity"] = Severity(row["severity"])
    told = None if row["told_severity"] is None else Severity(row["told_severity"])
    return OpenAlert(**known, pending=row["state"] == "pending", told=told)
