"""SQL of queueing: an event and its deliveries, inside the transaction that changes what they tell of.

Three rules keep a receiver from hearing too much and from hearing what is no longer so. A window lets
one message of a type and subject through and puts later ones off to its end. A newer message of the
same matter replaces what was put off or is held. An ending (recovered, resolved) always goes out at
once, unless all that it would end was held and the receiver never heard of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alertd import metrics
from alertd.db import Sql, new_id
from alertd.model import Event, EventType
from alertd.webhooks.message import body
from alertd.webhooks.parking import ENDINGS, coalesce, matter, refresh_due


@dataclass(frozen=True, slots=True)
class _Recipient:
    """`ready`: switched on, and its circuit closed."""

    webhook_id: UUID
    ready: bool


@dataclass(frozen=True, slots=True)
class _Overtaken:
    """An older message that was not attempted yet and need not be any more; `due` None: it is held."""

    id: UUID
    webhook_id: UUID
    due: datetime | None
    left_out: int


async def enqueue(
    tx: Sql,
    event: Event,
    *,
    now: datetime,
    window: timedelta | None,
    held: bool = False,
    webhook_id: UUID | None = None,
    notifiers: Collection[str] | None = None,
) -> int:
    """Store the event and a delivery to each endpoint that wants it; answers how many those are.

    `window` allows one message of this type and subject in that time; None exempts. `held` makes the
    deliveries wait for a person. `webhook_id` and `notifiers` (names) narrow the recipients down; a
    `webhook.test` goes to its endpoint whatever that listens to, and also while it is switched off.
    Nobody listening, or a paused tenant: the event is recorded, nothing is queued.
    """
    recipients = await _recipients(tx, event, webhook_id, notifiers)
    ids = [recipient.webhook_id for recipient in recipients]
    overtaken = await _overtaken(tx, event, ids) if ids else []
    quiet = await _unaware(tx, event, overtaken)
    chosen = [recipient for recipient in recipients if recipient.webhook_id not in quiet]
    await _record(tx, event, recipients=len(chosen), now=now)
    due = now
    if chosen and window and not held:
        was_due = {message.webhook_id for message in overtaken if message.due is not None and message.due <= now}
        in_turn = was_due.issuperset(recipient.webhook_id for recipient in chosen)
        due = await _due_in_window(tx, event, now, window, in_turn=in_turn)
    replacements = await _insert(tx, event, chosen, overtaken, due=due, held=held, now=now)
    await _supersede(tx, event, overtaken, replacements, now)
    parked = [recipient.webhook_id for recipient in chosen if not recipient.ready and not held]
    if parked:
        await coalesce(tx, parked, now, subject=event.subject)
    if ids:
        await refresh_due(tx, ids)
    return len(chosen)


async def announcement_failed(tx: Sql, event_id: str) -> bool:
    """Whether every endpoint that should have had this event was given up on, for now at least.

    An event that nobody listened to did not fail, and neither did one that waits untried or was replaced.
    """
    found = await tx.fetchval(
        """
        SELECT bool_and(d.state = 'failed' OR (d.state = 'parked' AND d.attempts > 0))
        FROM webhook_deliveries d
        JOIN events e ON e.id = d.event_id
        WHERE d.event_id = $1 AND e.accepted_at IS NULL
        """,
        event_id,
    )
    return bool(found)


async def _recipients(
    tx: Sql, event: Event, webhook_id: UUID | None, notifiers: Collection[str] | None
) -> list[_Recipient]:
    """Locked in a fixed order, so that neither a claim nor an opening circuit can come in between."""
    rows = await tx.fetch(
        """
        SELECT w.id, w.is_active AND w.circuit = 'closed' AS ready
        FROM tenant_webhooks w
        LEFT JOIN tenants t ON t.id = w.tenant_id
        WHERE (w.tenant_id = $1 OR (w.tenant_id IS NULL AND $1::uuid IS NULL))
          AND t.paused IS NOT TRUE
          AND ($2 = $3 OR w.event_type IN ('*', $2) OR $2 = ANY (w.event_types))
          AND ($4::uuid IS NULL OR w.id = $4)
          AND ($5::text[] IS NULL OR w.webhook_url = ANY ($5))
        ORDER BY w.id
        FOR NO KEY UPDATE OF w
        """,
        event.tenant_id,
        str(event.type),
        str(EventType.WEBHOOK_TEST),
        webhook_id,
        None if notifiers is None else sorted(notifiers),
    )
    return [_Recipient(row["id"], row["ready"] or event.type is EventType.WEBHOOK_TEST) for row in rows]


async def _overtaken(tx: Sql, event: Event, webhook_ids: Sequence[UUID]) -> list[_Overtaken]:
    """Older messages of the same matter that were put off by a window, or are held."""
    rows = await tx.fetch(
        """
        SELECT id, webhook_id, next_attempt_at AS due, left_out
        FROM webhook_deliveries
        WHERE webhook_id = ANY ($1)
          AND subject = $2
          AND event_type = ANY ($3)
          AND source = 'event'
          AND (state = 'held'
               OR (state = 'pending' AND attempts = 0 AND next_attempt_at > created_at))
        """,
        list(webhook_ids),
        event.subject,
        [str(kind) for kind in matter(event.type)],
    )
    return [_Overtaken(row["id"], row["webhook_id"], row["due"], row["left_out"]) for row in rows]


async def _unaware(tx: Sql, event: Event, overtaken: Sequence[_Overtaken]) -> set[UUID]:
    """Endpoints that never heard of what this event ends, because a person was still asked about it.

    What was given up may have been heard, and goes out again when the endpoint answers.
    """
    held = {message.webhook_id for message in overtaken if message.due is None}
    if event.type not in ENDINGS or not held:
        return set()
    rows = await tx.fetch(
        """
        SELECT DISTINCT ON (webhook_id) webhook_id, event_type
        FROM webhook_deliveries
        WHERE webhook_id = ANY ($1)
          AND subject = $2
          AND event_type = ANY ($3)
          AND (state IN ('delivered', 'parked', 'failed')
               OR (state = 'pending' AND (attempts > 0 OR next_attempt_at <= created_at)))
        ORDER BY webhook_id, created_at DESC, id DESC
        """,
        sorted(held),
        event.subject,
        [str(kind) for kind in matter(event.type)],
    )
    return held - {row["webhook_id"] for row in rows if row["event_type"] == ENDINGS[event.type]}


async def _record(tx: Sql, event: Event, *, recipients: int, now: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO events (id, type, tenant_id, subject, body, check_id, alert_id, created_at, recipients)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        event.id,
        str(event.type),
        event.tenant_id,
        event.subject,
        body(event),
        event.check_id,
        event.alert_id,
        now,
        recipients,
    )


async def _due_in_window(tx: Sql, event: Event, now: datetime, window: timedelta, *, in_turn: bool) -> datetime:
    """Now if the window is free, which this opens; else its end.

    A message that was put off opens the next window when it goes out, so that two of them are never
    closer than `window`. `in_turn`: this one goes in the place of one that was due, wherever it goes.
    """
    row = await tx.fetchrow(
        """
        INSERT INTO webhook_windows AS w (subject, event_type, open_until, suppressed)
        VALUES ($1, $2, $3::timestamptz + $4::interval, 0)
        ON CONFLICT (subject, event_type) DO UPDATE
        SET open_until = CASE
              WHEN w.open_until > $3 THEN w.open_until
              WHEN w.suppressed > 0 AND w.open_until + $4 > $3 THEN w.open_until + $4
              ELSE EXCLUDED.open_until
            END,
            suppressed = CASE
              WHEN w.open_until > $3 THEN w.suppressed + 1
              WHEN w.suppressed > 0 AND w.open_until + $4 > $3 AND NOT $5 THEN 1
              ELSE 0
            END
        RETURNING open_until, suppressed
        """,
        event.subject,
        str(event.type),
        now,
        window,
        in_turn,
    )
    if row is None or row["suppressed"] == 0:
        return now
    metrics.SUPPRESSED.labels(kind="window").inc()
    due: datetime = row["open_until"]
    return due


async def _insert(
    tx: Sql,
    event: Event,
    recipients: Sequence[_Recipient],
    overtaken: Sequence[_Overtaken],
    *,
    due: datetime,
    held: bool,
    now: datetime,
) -> dict[UUID, UUID]:
    """One delivery for each recipient, due no later than what it replaces there; answers them by endpoint."""
    made = {recipient.webhook_id: new_id() for recipient in recipients}
    left_out = dict.fromkeys(made, 0)
    for message in overtaken:
        if message.webhook_id in left_out:
            left_out[message.webhook_id] += message.left_out + 1
    turns = {message.webhook_id: message.due for message in overtaken if message.due is not None}
    await tx.execute(
        """
        INSERT INTO webhook_deliveries (id, event_id, webhook_id, tenant_id, event_type, subject, source,
                                        state, next_attempt_at, left_out, created_at)
        SELECT n.id, $5, n.webhook_id, $6, $7, $8, $9,
               n.state, CASE n.state WHEN 'pending' THEN n.due END, n.left_out, $11
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $10::timestamptz[])
          AS n (id, webhook_id, state, left_out, due)
        """,
        list(made.values()),
        list(made),
        [_state(recipient, held=held) for recipient in recipients],
        list(left_out.values()),
        event.id,
        event.tenant_id,
        str(event.type),
        event.subject,
        "test" if event.type is EventType.WEBHOOK_TEST else "event",
        [max(now, min(due, turns.get(webhook_id, due))) for webhook_id in made],
        now,
    )
    return made


def _state(recipient: _Recipient, *, held: bool) -> str:
    if held:
        return "held"
    return "pending" if recipient.ready else "parked"


async def _supersede(
    tx: Sql,
    event: Event,
    overtaken: Sequence[_Overtaken],
    replacements: dict[UUID, UUID],
    now: datetime,
) -> None:
    """Close what was overtaken; an ending also closes the window's account, for nothing is put off any more."""
    if not overtaken:
        return
    await tx.execute(
        """
        UPDATE webhook_deliveries d
        SET state = 'superseded',
            superseded_by = n.superseded_by,
            next_attempt_at = NULL,
            finished_at = $3
        FROM unnest($1::uuid[], $2::uuid[]) AS n (id, superseded_by)
        WHERE d.id = n.id
        """,
        [message.id for message in overtaken],
        [replacements.get(message.webhook_id) for message in overtaken],
        now,
    )
    if event.type in ENDINGS:
        await tx.execute(
            """
            UPDATE webhook_windows
            SET suppressed = 0
            WHERE subject = $1 AND event_type = $2
            """,
            event.subject,
            str(ENDINGS[event.type]),
        )
