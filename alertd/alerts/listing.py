"""Alerts as people read them: page by page, newest first, and which of them a silence would cover. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alertd.alerts.silences import Labels, Matchers, Silence, first_match, fits, labels_of
from alertd.db import Row, Sql

COLUMNS: Final = """
  id, tenant_id, check_name AS check, subject, rule, exchange, severity, state, details, started_at, fired_at,
  resolved_at, last_seen_at, announced_at, held_count, flapping, acked_at, acked_by, ack_comment,
  ack_awaited_since, escalated_at
"""
PORTION: Final = 1000  # alerts that are matched between two turns of the loop


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode. `announced_at` None: nobody was told; `held_count`: messages not sent since then.

    The last two are not on file: they depend on the settings and on the silences (`at_present`).
    """

    id: UUID
    tenant_id: UUID | None
    check: str
    subject: str
    rule: str
    exchange: str | None
    severity: str
    state: str
    details: Mapping[str, Any]
    started_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    last_seen_at: datetime
    announced_at: datetime | None
    held_count: int
    flapping: bool
    acked_at: datetime | None
    acked_by: str | None
    ack_comment: str | None
    ack_awaited_since: datetime | None
    escalated_at: datetime | None
    escalates_at: datetime | None = None
    silenced_by: UUID | None = None

    @property
    def labels(self) -> Labels:
        return labels_of(self.tenant_id, self.check, self.subject, self.exchange)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed down to; None does not narrow."""

    state: str | None = None
    tenant_id: UUID | None = None
    check: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Covered:
    """How many alerts fire that a silence would cover, and the newest of them."""

    count: int
    newest: Sequence[Alert]


async def alerts_before(sql: Sql, mark: tuple[datetime, UUID] | None, wanted: Filter, *, limit: int) -> Sequence[Alert]:
    """Those that began before the one at the mark (its start and id)."""
    started_at, alert_id = mark or (None, None)
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM alerts
        WHERE ($1::text IS NULL OR state = $1)
          AND ($2::uuid IS NULL OR tenant_id = $2)
          AND ($3::text IS NULL OR check_name = $3)
          AND ($4::text IS NULL OR severity = $4)
          AND ($5::timestamptz IS NULL OR (started_at, id) < ($5, $6::uuid))
        ORDER BY started_at DESC, id DESC
        LIMIT $7
        """,  # noqa: S608 - constants
        wanted.state,
        wanted.tenant_id,
        wanted.check,
        wanted.severity,
        started_at,
        alert_id,
        limit,
    )
    return [_alert(row) for row in rows]


async def find(sql: Sql, alert_id: UUID) -> Alert | None:
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM alerts WHERE id = $1",  # noqa: S608 - constants
        alert_id,
    )
    return None if row is None else _alert(row)


async def alerts_of(sql: Sql, alert_ids: Sequence[UUID]) -> Sequence[Alert]:
    """Those of these ids that are on file, in the order in which they began."""
    rows = await sql.fetch(
        f"SELECT {COLUMNS} FROM alerts WHERE id = ANY ($1) ORDER BY started_at, id",  # noqa: S608 - constants
        list(alert_ids),
    )
    return [_alert(row) for row in rows]


async def unheard_for_silence(
    sql: Sql, checks: Sequence[str], *, holding: Sequence[UUID], limit: int
) -> Sequence[Alert]:
    """Alerts of these checks that fire, of which nobody was told because of a silence that is not `holding`; locked.

    Those of paused tenants wait on: now their messages would go to nobody.
    """
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM alerts a
        WHERE state = 'firing'
          AND announced_at IS NULL
          AND check_name = ANY ($1)
          AND (SELECT l.decision = 'silenced' AND l.silence_id <> ALL ($2)
               FROM alert_log l
               WHERE l.alert_id = a.id
               ORDER BY l.id DESC
               LIMIT 1)
          AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = a.tenant_id AND t.paused)
        ORDER BY id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
        """,  # noqa: S608 - constants
        list(checks),
        list(holding),
        limit,
    )
    return [_alert(row) for row in rows]


def at_present(
    alerts: Sequence[Alert], silences: Sequence[Silence], *, delay: timedelta, now: datetime
) -> Sequence[Alert]:
    """With when they will be escalated if nobody acknowledges, and the silence that keeps them quiet now."""
    return [_at_present(alert, silences, delay, now) for alert in alerts]


def _at_present(alert: Alert, silences: Sequence[Silence], delay: timedelta, now: datetime) -> Alert:
    silence = None if alert.state == "resolved" else first_match(silences, alert.labels, now)
    return replace(
        alert,
        escalates_at=None if alert.ack_awaited_since is None else alert.ack_awaited_since + delay,
        silenced_by=None if silence is None else silence.id,
    )


async def covered(sql: Sql, matchers: Matchers, *, shown: int) -> Covered:
    """What a silence with these matchers would keep quiet if it held now."""
    count, newest, mark = 0, list[Alert](), None
    while True:
        portion = await alerts_before(sql, mark, Filter(state="firing"), limit=PORTION)
        fitting = [alert for alert in portion if fits(matchers, alert.labels)]
        count += len(fitting)
        newest += fitting[: shown - len(newest)]
        if len(portion) < PORTION:
            return Covered(count, newest)
        mark = portion[-1].started_at, portion[-1].id


def _alert(row: Row) -> Alert:
    return Alert(**dict(row))
