"""How keys stand: counts and lists for gauges, newcomers and the guard against mass accusations. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alertd.alerts.lifecycle import Memory
from alertd.credentials.store import memory_of, ref_of
from alertd.db import Sql
from alertd.model import CredentialRef


async def count_by_verdict(sql: Sql) -> dict[str, int]:
    """How many credentials have which last verdict; `unchecked` for those without."""
    rows = await sql.fetch(
        """
        SELECT coalesce(verdict, 'unchecked') AS verdict, count(*) AS count
        FROM credentials
        WHERE retired_at IS NULL
        GROUP BY 1
        """
    )
    return {row["verdict"]: row["count"] for row in rows}


async def count_invalid_since(sql: Sql, exchange: str, since: datetime) -> tuple[int, int]:
    """How many keys of an exchange became invalid since then and still are, and how many keys it has."""
    row = await sql.fetchrow(
        """
        SELECT count(*) FILTER (WHERE verdict = 'invalid' AND first_failure_at >= $2) AS affected, count(*) AS total
        FROM credentials
        WHERE exchange = $1 AND retired_at IS NULL
        """,
        exchange,
        since,
    )
    return (0, 0) if row is None else (row["affected"], row["total"])


@dataclass(frozen=True, slots=True)
class Failing:
    """A key with an open alert, as a newcomer is told of it."""

    id: UUID
    ref: CredentialRef
    reason: str
    code: str
    memory: Memory


async def failing_of(sql: Sql, tenant_id: UUID) -> list[Failing]:
    """The tenant's keys that people would have been told of."""
    rows = await sql.fetch(
        """
        SELECT id, tenant_id, exchange, credential_type, label, reason, code, consecutive_failures,
               first_failure_at, last_success_at
        FROM credentials
        WHERE tenant_id = $1 AND retired_at IS NULL AND alerting AND verdict = 'invalid'
        ORDER BY first_failure_at, id
        """,
        tenant_id,
    )
    return [Failing(row["id"], ref_of(row), row["reason"], row["code"], memory_of(row, alerting=True)) for row in rows]
