"""Rows for tests: each function inserts one plausible row and answers its id."""

from datetime import UTC, datetime
from uuid import UUID

from alertd.db import Sql, new_id

LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)


async def tenant(db: Sql, *, name: str = "Acme", paused: bool = False, at: datetime = LONG_AGO) -> UUID:
    tenant_id = new_id()
    await db.execute(
        "INSERT INTO tenants (id, name, paused, created_at) VALUES ($1, $2, $3, $4)",
        tenant_id,
        name,
        paused,
        at,
    )
    return tenant_id
