"""SQL of tenants: listed, added, named, paused, and erased with everything that is theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.db import Row, Sql
from alertd.errors import Busy

COLUMNS: Final = """
  t.id, t.name, t.paused, t.created_at,
  (SELECT count(*) FROM credentials c WHERE c.tenant_id = t.id AND c.retired_at IS NULL) AS credentials
"""

# What is erased. Rows that hang on these go with them.
PURGED: Final[Mapping[str, str]] = {
    "checks": """
        DELETE FROM credential_health_checks
        WHERE credential_id IN (SELECT id FROM credentials WHERE tenant_id = $1)
        """,
    "windows": """
        DELETE FROM webhook_windows
        WHERE subject IN (SELECT id::text FROM credentials WHERE tenant_id = $1
                          UNION SELECT subject FROM events WHERE tenant_id = $1)
        """,
    "alerts": "DELETE FROM alerts WHERE tenant_id = $1",
    "subjects": "DELETE FROM performance_subjects WHERE tenant_id = $1",
    "credentials": "DELETE FROM credentials WHERE tenant_id = $1",
    "deliveries": "DELETE FROM webhook_deliveries WHERE tenant_id = $1",
    "webhooks": "DELETE FROM tenant_webhooks WHERE tenant_id = $1",
    "events": "DELETE FROM events WHERE tenant_id = $1",
    "sweeps": "DELETE FROM sweeps WHERE tenant_id = $1",
    "answers": """
        DELETE FROM idempotency_keys
        WHERE principal IN (SELECT 'key:' || id FROM api_keys WHERE tenant_id = $1)
        """,
    "keys": "DELETE FROM api_keys WHERE tenant_id = $1",
    "tenants": "DELETE FROM tenants WHERE id = $1",
}
# In the order in which whoever records a check locks them too: the key, then who is to be told of it.
LOCKED_FIRST: Final = (
    "SELECT id FROM credentials WHERE tenant_id = $1 ORDER BY id FOR UPDATE",
    "SELECT id FROM tenant_webhooks WHERE tenant_id = $1 ORDER BY id FOR UPDATE",
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the platform; `credentials` are the keys that are checked."""

    id: UUID
    name: str | None
    paused: bool
    created_at: datetime
    credentials: int


async def tenants_after(sql: Sql, after: UUID | None, *, limit: int, only: UUID | None = None) -> list[Tenant]:
    """In the order of their ids, those after this one; `only` narrows down to one."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM tenants t
        WHERE ($1::uuid IS NULL OR t.id > $1)
          AND ($2::uuid IS NULL OR t.id = $2)
        ORDER BY t.id
        LIMIT $3
        """,  # noqa: S608 - a constant
        after,
        only,
        limit,
    )
    return [_tenant(row) for row in rows]


async def find(sql: Sql, tenant_id: UUID) -> Tenant | None:
    row = await sql.fetchrow(
        f"SELECT {COLUMNS} FROM tenants t WHERE t.id = $1",  # noqa: S608 - a constant
        tenant_id,
    )
    return None if row is None else _tenant(row)


async def lock(tx: Sql, tenant_id: UUID) -> Tenant | None:
    """Until the transaction ends, nobody changes this tenant, or gives it something new."""
    await tx.fetchval("SELECT id FROM tenants WHERE id = $1 FOR UPDATE", tenant_id)
    return await find(tx, tenant_id)


async def add(tx: Sql, tenant_id: UUID, name: str | None, now: datetime) -> bool:
    """False when there is one with this id."""
    added = await tx.execute(
        "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        tenant_id,
        name,
        now,
    )
    return added == 1


async def rename(tx: Sql, tenant_id: UUID, name: str | None) -> None:
    await tx.execute("UPDATE tenants SET name = $2 WHERE id = $1", tenant_id, name)


async def set_paused(tx: Sql, tenant_id: UUID, *, paused: bool) -> None:
    await tx.execute("UPDATE tenants SET paused = $2 WHERE id = $1", tenant_id, paused)


async def purge(tx: Sql, tenant_id: UUID) -> Mapping[str, int]:
    """Erase the tenant, which is locked, and what is its; how many rows of each kind.

    The audit log stays. Raises Busy while a sweep of this tenant runs, which would stumble.
    """
    if await tx.fetchval("SELECT EXISTS (SELECT FROM sweeps WHERE tenant_id = $1 AND state = 'running')", tenant_id):
        raise Busy("A sweep of this tenant is in progress; wait for it to end, or cancel it.")
    for statement in LOCKED_FIRST:
        await tx.fetch(statement, tenant_id)
    return {what: await tx.execute(statement, tenant_id) for what, statement in PURGED.items()}


def _tenant(row: Row) -> Tenant:
    return Tenant(**row)
