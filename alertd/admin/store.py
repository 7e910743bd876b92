"""SQL of the admin port: its keys, the audit log, and values that must outlive a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from alertd.admin.access import Role
from alertd.db import Row, Sql, new_id
from alertd.errors import Absent

# Any number, as long as every alertd takes the same one: two daemons must not both make the first key.
_FIRST_KEY_LOCK: Final = 0x616C6B6579


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of `api_keys`; `digest` is all that is kept of the key."""

    id: UUID
    lookup: str
    digest: bytes = field(repr=False)
    role: Role
    name: str
    tenant_id: UUID | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did. `before` and `after` hold what changed, never a secret."""

    at: datetime
    actor: str
    action: str
    object: str
    tenant_id: UUID | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    peer: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDeed(Deed):
    """A row of `audit_log`."""

    id: UUID


@dataclass(frozen=True, slots=True)
class DeedFilter:
    """What the audit log is narrowed down to. `since` is included, `until` is not."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    tenant_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def add_key(tx: Sql, key: StoredKey) -> None:
    """Raises Absent for a tenant that nobody knows."""
    if (
        key.tenant_id is not None
        and await tx.fetchval("SELECT id FROM tenants WHERE id = $1 FOR SHARE", key.tenant_id) is None
    ):
        raise Absent("There is no tenant with this id.")
    await tx.execute(
        """
        INSERT INTO api_keys (id, lookup, digest, role, name, tenant_id, created_by, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        key.id,
        key.lookup,
        key.digest,
        key.role,
        key.name,
        key.tenant_id,
        key.created_by,
        key.created_at,
        key.expires_at,
    )


async def key_by_lookup(sql: Sql, lookup: str) -> StoredKey | None:
    row = await sql.fetchrow(
        """
        SELECT id, lookup, digest, role, name, tenant_id, created_by, created_at, expires_at, last_used_at, revoked_at
        FROM api_keys
        WHERE lookup = $1
        """,
        lookup,
    )
    return None if row is None else _key(row)


async def key_by_id(sql: Sql, key_id: UUID) -> StoredKey | None:
    row = await sql.fetchrow(
        """
        SELECT id, lookup, digest, role, name, tenant_id, created_by, created_at, expires_at, last_used_at, revoked_at
        FROM api_keys
        WHERE id = $1
        """,
        key_id,
    )
    return None if row is None else _key(row)


async def keys_after(
    sql: Sql, after: UUID | None, *, limit: int, tenant_id: UUID | None = None, revoked: bool = False
) -> list[StoredKey]:
    """The newest first, those older than `after`; revoked ones only when asked for."""
    rows = await sql.fetch(
        """
        SELECT id, lookup, digest, role, name, tenant_id, created_by, created_at, expires_at, last_used_at, revoked_at
        FROM api_keys
        WHERE ($1::uuid IS NULL OR id < $1)
          AND ($2::uuid IS NULL OR tenant_id = $2)
          AND ($3 OR revoked_at IS NULL)
        ORDER BY id DESC
        LIMIT $4
        """,
        after,
        tenant_id,
        revoked,
        limit,
    )
    return [_key(row) for row in rows]


async def working_admins(tx: Sql, now: datetime) -> list[UUID]:
    """The admin keys that work now; nobody else can change any of them until this transaction ends."""
    rows = await tx.fetch(
        """
        SELECT id
        FROM api_keys
        WHERE role = 'admin'
          AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > $1)
        ORDER BY id
        FOR UPDATE
        """,
        now,
    )
    return [row["id"] for row in rows]


async def revoke_key(tx: Sql, key_id: UUID, *, by: str, now: datetime) -> StoredKey | None:
    """The key as it was; None when there is none that could be revoked."""
    row = await tx.fetchrow(
        """
        UPDATE api_keys
        SET revoked_at = $2, revoked_by = $3
        WHERE id = $1 AND revoked_at IS NULL
        RETURNING id, lookup, digest, role, name, tenant_id, created_by, created_at, expires_at, last_used_at,
                  NULL::timestamptz AS revoked_at
        """,
        key_id,
        now,
        by,
    )
    return None if row is None else _key(row)


async def touch_key(sql: Sql, key_id: UUID, now: datetime) -> None:
    await sql.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", key_id, now)


async def lock_first_key(tx: Sql) -> None:
    """Until the transaction ends, no other daemon makes a first key."""
    await tx.fetchval("SELECT pg_advisory_xact_lock($1)", _FIRST_KEY_LOCK)


async def add_deed(tx: Sql, deed: Deed) -> None:
    await tx.execute(
        """
        INSERT INTO audit_log (id, at, actor, action, tenant_id, object, before, after, peer, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        new_id(),
        deed.at,
        deed.actor,
        deed.action,
        deed.tenant_id,
        deed.object,
        deed.before,
        deed.after,
        deed.peer,
        deed.request_id,
    )


async def deeds_before(
    sql: Sql, mark: tuple[datetime, UUID] | None, wanted: DeedFilter, *, limit: int
) -> list[LoggedDeed]:
    """The newest first, those before `mark`."""
    at, deed_id = mark or (None, None)
    rows = await sql.fetch(
        """
        SELECT id, at, actor, action, tenant_id, object, before, after, peer, request_id
        FROM audit_log
        WHERE ($1::timestamptz IS NULL OR (at, id) < ($1, $2::uuid))
          AND ($3::text IS NULL OR actor = $3)
          AND ($4::text IS NULL OR action = $4)
          AND ($5::text IS NULL OR object = $5)
          AND ($6::uuid IS NULL OR tenant_id = $6)
          AND ($7::timestamptz IS NULL OR at >= $7)
          AND ($8::timestamptz IS NULL OR at < $8)
        ORDER BY at DESC, id DESC
        LIMIT $9
        """,
        at,
        deed_id,
        wanted.actor,
        wanted.action,
        wanted.object,
        wanted.tenant_id,
        wanted.since,
        wanted.until,
        limit,
    )
    return [LoggedDeed(**row) for row in rows]


async def keep_value(tx: Sql, name: str, value: str, now: datetime) -> str:
    """The value that is kept under this name: the one that was there, else this one."""
    await tx.execute(
        "INSERT INTO alertd_values (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        name,
        value,
        now,
    )
    kept: str = await tx.fetchval("SELECT value FROM alertd_values WHERE name = $1", name)
    return kept


async def value_of(tx: Sql, name: str) -> str | None:
    """The value that is kept under this name, held until the transaction ends."""
    value: str | None = await tx.fetchval("SELECT value FROM alertd_values WHERE name = $1 FOR UPDATE", name)
    return value


async def replace_value(tx: Sql, name: str, value: str, now: datetime) -> None:
    await tx.execute("UPDATE alertd_values SET value = $2, updated_at = $3 WHERE name = $1", name, value, now)


async def any_sealed(sql: Sql) -> bool:
    """Whether something here can be read with our encryption keys alone; then no new one may be made."""
    return bool(await sql.fetchval("SELECT EXISTS (SELECT FROM alertd_values WHERE value LIKE 'v1.%')"))


def _key(row: Row) -> StoredKey:
    return StoredKey(**{**row, "role": Role(row["role"])})
