"""SQL of tenants' endpoints: what a person adds, changes, switches, tests and removes, and new secrets.

URLs come here reviewed by the guard. A secret is answered once, where it is made, and sealed in the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.cipher import Cipher
from alertd.db import Row, Sql, new_id
from alertd.errors import Absent, Conflict, Refused
from alertd.model import Event, EventType
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id
from alertd.webhooks.parking import park, refresh_due, unpark
from alertd.webhooks.requirements import ALL, event_type_problems, header_problems
from alertd.webhooks.seals import seal, seal_headers
from alertd.webhooks.signing import PREFIX, new_secret

COLUMNS: Final = """
  id, tenant_id, webhook_url, event_type, event_types, description, headers, is_active, disabled_reason, circuit,
  circuit_until, consecutive_failures, rotation_ends_at, created_at
"""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint as people see it; never its secrets, and its headers only as they are sealed."""

    id: UUID
    tenant_id: UUID
    url: str = field(repr=False)  # a path or a query may be a secret
    event_types: tuple[str, ...]
    description: str
    sealed_headers: str | None = field(repr=False)
    is_active: bool
    disabled_reason: str | None
    circuit: str
    circuit_until: datetime | None
    consecutive_failures: int
    rotation_ends_at: datetime | None
    created_at: datetime

    @property
    def has_headers(self) -> bool:
        return self.sealed_headers is not None

    def hears(self, event_type: EventType) -> bool:
        """Whether it asked for messages of this type."""
        return ALL in self.event_types or event_type in self.event_types


@dataclass(frozen=True, slots=True)
class Added:
    """A new endpoint, and its secret for the only time."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person asked for. `event_types` empty means all."""

    tenant_id: UUID
    url: str = field(repr=False)
    event_types: tuple[str, ...] = ()
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """None leaves as it is; empty `headers` removes them, empty `event_types` means all."""

    url: str | None = field(default=None, repr=False)
    event_types: tuple[str, ...] | None = None
    description: str | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    is_active: bool | None = None


async def add(tx: Sql, draft: Draft, *, cipher: Cipher, now: datetime, prefix: str = PREFIX) -> Added:
    """Raises Refused for types or headers that cannot be, Absent for a tenant that nobody knows.

    The caller enqueues what fails at the moment to this endpoint alone: `enqueue(..., webhook_id=...)`.
    """
    _require(event_type_problems(draft.event_types) + header_problems(draft.headers, prefix))
    if await tx.fetchval("SELECT id FROM tenants WHERE id = $1 FOR KEY SHARE", draft.tenant_id) is None:
        raise Absent(f"there is no tenant {draft.tenant_id}")
    webhook_id, secret = new_id(), new_secret()
    first, *others = draft.event_types or (ALL,)
    await tx.execute(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, event_type, event_types, webhook_url, webhook_secret,
                                     headers, description, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        webhook_id,
        draft.tenant_id,
        first,
        others,
        draft.url,
        seal(cipher, webhook_id, secret),
        seal_headers(cipher, webhook_id, draft.headers),
        draft.description,
        now,
    )
    return Added(await get(tx, webhook_id), secret)


async def find(
    sql: Sql, *, tenant_id: UUID | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[Webhook, ...]:
    """Endpoints of one tenant or of all, by id, those after `after`; operators' notifiers are not among them."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM tenant_webhooks
        WHERE tenant_id IS NOT NULL
          AND ($1::uuid IS NULL OR tenant_id = $1)
          AND ($2::uuid IS NULL OR id > $2)
        ORDER BY id
        LIMIT $3
        """,  # noqa: S608 - a constant
        tenant_id,
        after,
        limit,
    )
    return tuple(_webhook(row) for row in rows)


async def get(sql: Sql, webhook_id: UUID) -> Webhook:
    """Raises Absent."""
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM tenant_webhooks WHERE id = $1 AND tenant_id IS NOT NULL",  # noqa: S608 - a constant
        webhook_id,
    )
    if row is None:
        raise Absent(f"there is no webhook {webhook_id}")
    return _webhook(row)


async def update(
    tx: Sql, webhook_id: UUID, changes: Changes, *, cipher: Cipher, now: datetime, prefix: str = PREFIX
) -> Webhook:
    """Raises Absent, Refused. A new URL is a new receiver, so the circuit closes."""
    types, headers = changes.event_types, changes.headers
    _require(event_type_problems(types or ()) + header_problems(headers or {}, prefix))
    first, *others = types or (ALL,)
    changed = await tx.execute(
        """
        UPDATE tenant_webhooks
        SET webhook_url = coalesce($2, webhook_url),
            event_type = CASE WHEN $3 THEN $4 ELSE event_type END,
            event_types = CASE WHEN $3 THEN $5::text[] ELSE event_types END,
            description = coalesce($6, description),
            headers = CASE WHEN $7 THEN $8 ELSE headers END
        WHERE id = $1 AND tenant_id IS NOT NULL
        """,
        webhook_id,
        changes.url,
        types is not None,
        first,
        others,
        changes.description,
        headers is not None,
        seal_headers(cipher, webhook_id, headers or {}),
    )
    if not changed:
        raise Absent(f"there is no webhook {webhook_id}")
    if changes.url is not None:
        await reset(tx, webhook_id, now=now)
    if changes.is_active is not None:
        await (enable if changes.is_active else disable)(tx, webhook_id, now=now)
    return await get(tx, webhook_id)


async def remove(tx: Sql, webhook_id: UUID) -> None:
    """Also removes its deliveries. Raises Absent."""
    if not await tx.execute("DELETE FROM tenant_webhooks WHERE id = $1 AND tenant_id IS NOT NULL", webhook_id):
        raise Absent(f"there is no webhook {webhook_id}")


async def enable(tx: Sql, webhook_id: UUID, *, now: datetime) -> int:
    """Switch on, close the circuit, queue what was parked; answers how many messages. Raises Absent."""
    return await _reopen(tx, webhook_id, switch_on=True, now=now)


async def disable(tx: Sql, webhook_id: UUID, *, now: datetime) -> int:
    """Switch off by a person; answers how many messages are parked for it. Raises Absent."""
    switched = await tx.execute(
        """
        UPDATE tenant_webhooks
        SET is_active = false, disabled_reason = coalesce(disabled_reason, 'person')
        WHERE id = $1 AND tenant_id IS NOT NULL
        """,
        webhook_id,
    )
    if not switched:
        raise Absent(f"there is no webhook {webhook_id}")
    parked = await park(tx, webhook_id, now)
    await refresh_due(tx, [webhook_id])
    return parked


async def reset(tx: Sql, webhook_id: UUID, *, now: datetime) -> int:
    """Close the circuit by hand; queues what was parked, unless the endpoint is switched off. Raises Absent."""
    return await _reopen(tx, webhook_id, switch_on=False, now=now)


async def _reopen(tx: Sql, webhook_id: UUID, *, switch_on: bool, now: datetime) -> int:
    active = await tx.fetchval(
        """
        UPDATE tenant_webhooks
        SET is_active = is_active OR $2,
            disabled_reason = CASE WHEN $2 THEN NULL ELSE disabled_reason END,
            circuit = 'closed',
            circuit_until = NULL,
            cooldown_seconds = 0,
            consecutive_failures = 0
        WHERE id = $1 AND tenant_id IS NOT NULL
        RETURNING is_active
        """,
        webhook_id,
        switch_on,
    )
    if active is None:
        raise Absent(f"there is no webhook {webhook_id}")
    queued = await unpark(tx, webhook_id, now) if active else 0
    await refresh_due(tx, [webhook_id])
    return queued


async def test(tx: Sql, webhook_id: UUID, *, now: datetime) -> str:
    """Queue a `webhook.test`, sent whatever the endpoint listens to; answers the event's id.

    Raises Absent, and Conflict where the tenant is paused.
    """
    webhook = await get(tx, webhook_id)
    event = Event(
        id=new_event_id(now),
        type=EventType.WEBHOOK_TEST,
        tenant_id=webhook.tenant_id,
        at=now,
        subject=f"webhook:{webhook_id}",
        fields={"webhook_id": str(webhook_id), "message": "This is a test. Nothing is wrong."},
    )
    if not await outbox.enqueue(tx, event, now=now, window=None, webhook_id=webhook_id):
        raise Conflict(f"tenant {webhook.tenant_id} is paused: nothing is sent")
    return event.id


async def rotate_secret(tx: Sql, webhook_id: UUID, *, overlap: timedelta, cipher: Cipher, now: datetime) -> str:
    """A new secret, answered this once. Raises Absent.

    For `overlap` both sign; then, or with `commit_secret`, the new one alone. A rotation that is under
    way is replaced; one whose time is over was committed, also if no message has gone out since.
    """
    secret = new_secret()
    rotating = await tx.execute(
        """
        UPDATE tenant_webhooks
        SET webhook_secret = CASE WHEN rotation_ends_at <= $4 THEN coalesce(next_secret, webhook_secret)
                                  ELSE webhook_secret END,
            next_secret = $2,
            rotation_ends_at = $3
        WHERE id = $1 AND tenant_id IS NOT NULL
        """,
        webhook_id,
        seal(cipher, webhook_id, secret),
        now + overlap,
        now,
    )
    if not rotating:
        raise Absent(f"there is no webhook {webhook_id}")
    if overlap <= timedelta(0):
        await commit_secret(tx, webhook_id)
    return secret


async def commit_secret(tx: Sql, webhook_id: UUID) -> None:
    """The new secret signs alone from now on. Raises Absent; Conflict if none is waiting."""
    committed = await tx.execute(
        """
        UPDATE tenant_webhooks
        SET webhook_secret = next_secret, next_secret = NULL, rotation_ends_at = NULL
        WHERE id = $1 AND tenant_id IS NOT NULL AND next_secret IS NOT NULL
        """,
        webhook_id,
    )
    if not committed:
        await get(tx, webhook_id)
        raise Conflict(f"webhook {webhook_id} has no new secret waiting; rotate first")


def _require(problems: Sequence[str]) -> None:
    if problems:
        raise Refused("; ".join(problems))


def _webhook(row: Row) -> Webhook:
    return Webhook(
        id=row["id"],
        tenant_id=row["tenant_id"],
        url=row["webhook_url"],
        event_types=tuple(dict.fromkeys((row["event_type"], *row["event_types"]))),
        description=row["description"],
        sealed_headers=row["headers"],
        is_active=row["is_active"],
        disabled_reason=row["disabled_reason"],
        circuit=row["circuit"],
        circuit_until=row["circuit_until"],
        consecutive_failures=row["consecutive_failures"],
        rotation_ends_at=row["rotation_ends_at"],
        created_at=row["created_at"],
    )
