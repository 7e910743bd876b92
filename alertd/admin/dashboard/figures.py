"""What the overview counts, in few statements, for everybody or for one tenant. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from alertd.credentials.store import EXCHANGES
from alertd.db import Row, Sql

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExchangeFigures:
    """The keys of one exchange by their last verdict, and what is known of the exchange.

    `risky` are valid with warnings. `due_at`: when the next check of any is due, paused tenants aside; it may
    have passed. `checked` counts the last minute. `reserved_until`: up to when requests are spoken for.
    """

    exchange: str
    total: int
    valid: int
    invalid: int
    inconclusive: int
    unchecked: int
    risky: int
    due_at: datetime | None
    checked: int
    reserved_until: datetime | None
    backed_off_until: datetime | None
    backed_off_reason: str | None


@dataclass(frozen=True, slots=True)
class MessageFigures:
    """Deliveries that wait, by what for, those that failed within a day, and the endpoints."""

    pending: int
    held: int
    parked: int
    failed: int
    due_at: datetime | None
    endpoints: int
    open_circuits: int
    switched_off: int


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """Alerts that fire: those nobody looks after by severity, and those that somebody does."""

    info: int
    warning: int
    critical: int
    emergency: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class ComingCheck:
    """A key and when it is checked next."""

    tenant_id: UUID
    exchange: str
    credential_type: str
    label: str
    at: datetime


Figures = TypeVar("Figures", ExchangeFigures, MessageFigures, AlertFigures, ComingCheck)


async def exchange_figures(sql: Sql, tenant_id: UUID | None, now: datetime) -> Sequence[ExchangeFigures]:
    rows = await sql.fetch(
        """
        WITH kept AS (
          SELECT c.exchange,
                 count(*) AS total,
                 count(*) FILTER (WHERE c.verdict = 'valid') AS valid,
                 count(*) FILTER (WHERE c.verdict = 'invalid') AS invalid,
                 count(*) FILTER (WHERE c.verdict = 'inconclusive') AS inconclusive,
                 count(*) FILTER (WHERE c.verdict IS NULL) AS unchecked,
                 count(*) FILTER (WHERE c.verdict = 'valid' AND c.warnings <> '{}') AS risky,
                 min(c.next_check_at) FILTER (WHERE c.tenant_id NOT IN (SELECT id FROM tenants WHERE paused)) AS due_at
          FROM credentials c
          WHERE c.retired_at IS NULL
            AND ($1::uuid IS NULL OR c.tenant_id = $1)
          GROUP BY c.exchange),
        lately AS (
          SELECT exchange, count(*) AS checked
          FROM credential_health_checks
          WHERE check_timestamp > $2
            AND ($1::uuid IS NULL OR tenant_id = $1)
          GROUP BY exchange)
        SELECT k.exchange, k.total, k.valid, k.invalid, k.inconclusive, k.unchecked, k.risky, k.due_at,
               coalesce(l.checked, 0) AS checked,
               b.reserved_until, b.backed_off_until, b.backed_off_reason
        FROM kept k
        LEFT JOIN lately l ON l.exchange = k.exchange
        LEFT JOIN exchange_budgets b ON b.exchange = k.exchange
        ORDER BY k.exchange
        """,
        tenant_id,
        now - MINUTE,
    )
    return [_filled(ExchangeFigures, row) for row in rows]


async def message_figures(sql: Sql, tenant_id: UUID | None, now: datetime) -> MessageFigures:
    row = await sql.fetchrow(
        """
        WITH messages AS (
          SELECT count(*) FILTER (WHERE state = 'pending') AS pending,
                 count(*) FILTER (WHERE state = 'held') AS held,
                 count(*) FILTER (WHERE state = 'parked') AS parked
          FROM webhook_deliveries
          WHERE state IN ('pending', 'held', 'parked')
            AND ($1::uuid IS NULL OR tenant_id = $1)),
        lately AS (
          SELECT count(*) AS failed
          FROM webhook_deliveries
          WHERE state = 'failed'
            AND created_at > $3
            AND ($1::uuid IS NULL OR tenant_id = $1)),
        receivers AS (
          SELECT count(*) AS endpoints,
                 count(*) FILTER (WHERE w.circuit <> 'closed') AS open_circuits,
                 count(*) FILTER (WHERE NOT w.is_active) AS switched_off,
                 min(w.next_due_at) FILTER (WHERE w.circuit = 'closed' AND w.next_due_at <= $2
                                              AND t.paused IS NOT TRUE) AS due_at
          FROM tenant_webhooks w
          LEFT JOIN tenants t ON t.id = w.tenant_id
          WHERE $1::uuid IS NULL OR w.tenant_id = $1)
        SELECT m.pending, m.held, m.parked, l.failed, r.due_at, r.endpoints, r.open_circuits, r.switched_off
        FROM messages m, lately l, receivers r
        """,
        tenant_id,
        now,
        now - DAY,
    )
    return _filled(MessageFigures, _one(row))


async def alert_figures(sql: Sql) -> AlertFigures:
    row = await sql.fetchrow(
        """
        SELECT count(*) FILTER (WHERE acked_at IS NULL AND severity = 'info') AS info,
               count(*) FILTER (WHERE acked_at IS NULL AND severity = 'warning') AS warning,
               count(*) FILTER (WHERE acked_at IS NULL AND severity = 'critical') AS critical,
               count(*) FILTER (WHERE acked_at IS NULL AND severity = 'emergency') AS emergency,
               count(*) FILTER (WHERE acked_at IS NOT NULL) AS acknowledged
        FROM alerts
        WHERE state = 'firing'
        """
    )
    return _filled(AlertFigures, _one(row))


async def coming_checks(sql: Sql, tenant_id: UUID | None, *, limit: int) -> Sequence[ComingCheck]:
    """The soonest first; what is overdue is sooner still."""
    rows = await sql.fetch(
        f"""
        {EXCHANGES}
        SELECT soonest.tenant_id, soonest.exchange, soonest.credential_type, soonest.label, soonest.at
        FROM listed e
        CROSS JOIN LATERAL (
          SELECT c.tenant_id, c.exchange, c.credential_type, c.label, c.next_check_at AS at
          FROM credentials c
          WHERE c.exchange = e.exchange
            AND c.retired_at IS NULL
            AND ($1::uuid IS NULL OR c.tenant_id = $1)
            AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = c.tenant_id AND t.paused)
          ORDER BY c.next_check_at
          LIMIT $2) soonest
        ORDER BY soonest.at
        LIMIT $2
        """,  # noqa: S608 - a constant
        tenant_id,
        limit,
    )
    return [_filled(ComingCheck, row) for row in rows]


def _one(row: Row | None) -> Row:
    if row is None:
        raise AssertionError("a count always has a row")
    return row


def _filled(shape: type[Figures], row: Row) -> Figures:
    return shape(**{field.name: row[field.name] for field in fields(shape)})
