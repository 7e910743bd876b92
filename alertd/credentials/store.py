"""SQL of credentials: claim what is due under a lease, record what was found, fenced by that lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alertd.alerts.lifecycle import Memory
from alertd.credentials.packed import PackedIds
from alertd.db import Row, Sql, new_id
from alertd.model import (
    CredentialRef,
    CredentialType,
)

COLUMNS: Final = """
  c.id, c.tenant_id, c.exchange, c.credential_type, c.label, c.secret_version, c.phase, c.lease_id,
  c.consecutive_failures, c.first_failure_at, c.last_success_at, c.alerting, c.notices, c.next_check_at
"""
# The exchanges that have keys, as `listed`, the last row NULL: steps on the index instead of reading all keys.
EXCHANGES: Final = """
  WITH RECURSIVE listed (exchange) AS (
    (SELECT exchange FROM credentials WHERE retired_at IS NULL ORDER BY exchange LIMIT 1)
    UNION ALL
    SELECT (SELECT c.exchange FROM credentials c
            WHERE c.retired_at IS NULL AND c.exchange > listed.exchange
            ORDER BY c.exchange LIMIT 1)
    FROM listed
    WHERE listed.exchange IS NOT NULL
  )
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One credential that this process may check until its lease ends."""

    id: UUID
    ref: CredentialRef
    lease_id: UUID
    secret_version: str
    phase: float
    memory: Memory
    notices: dict[str, Any]
    next_check_at: datetime


async def claim_due(sql: Sql, exchange: str, *, now: datetime, lease: timedelta, limit: int) -> list[Claim]:
    """Take up to `limit` due credentials of one exchange, the longest due first."""
    rows = await sql.fetch(
        f"""
        WITH due AS (
          SELECT id
          FROM credentials
          WHERE exchange = $1
            AND retired_at IS NULL
            AND next_check_at <= $2
            AND (lease_until IS NULL OR lease_until <= $2)
            AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = credentials.tenant_id AND t.paused)
          ORDER BY next_check_at
          LIMIT $4
          FOR UPDATE SKIP LOCKED
        )
        UPDATE credentials c
        SET lease_id = $5, lease_until = $2::timestamptz + $3::interval
        FROM due
        WHERE c.id = due.id
        RETURNING {COLUMNS}
        """,  # noqa: S608 - a constant
        exchange,
        now,
        lease,
        limit,
        new_id(),
    )
    return [_claim(row) for row in rows]


async def claim_these(sql: Sql, ids: Sequence[UUID], *, now: datetime, lease: timedelta) -> list[Claim]:
    """Take these credentials, due or not, as far as nobody else holds them."""
    rows = await sql.fetch(
        f"""
        WITH free AS (
          SELECT id
          FROM credentials
          WHERE id = ANY($1)
            AND retired_at IS NULL
            AND (lease_until IS NULL OR lease_until <= $2)
          FOR UPDATE SKIP LOCKED
        )
        UPDATE credentials c
        SET lease_id = $4, lease_until = $2::timestamptz + $3::interval
        FROM free
        WHERE c.id = free.id
        RETURNING {COLUMNS}
        """,  # noqa: S608 - a constant
        list(ids),
        now,
        lease,
        new_id(),
    )
    return [_claim(row) for row in rows]


async def release(sql: Sql, claims: Sequence[Claim]) -> None:
    """Give claims back unchecked, so that another process need not wait for their leases."""
    await sql.execute(
        """
        UPDATE credentials c
        SET lease_id = NULL, lease_until = NULL
        FROM unnest($1::uuid[], $2::uuid[]) AS mine (id, lease_id)
        WHERE c.id = mine.id AND c.lease_id = mine.lease_id
        """,
        [claim.id for claim in claims],
        [claim.lease_id for claim in claims],
    )


async def extend(sql: Sql, claims: Sequence[Claim], *, until: datetime) -> None:
    """Keep claims that are still ours for longer. One that is being settled needs it no more: nobody waits for it."""
    await sql.execute(
        """
        WITH held AS (
          SELECT c.id
          FROM unnest($1::uuid[], $2::uuid[]) AS mine (id, lease_id)
          JOIN credentials c ON c.id = mine.id AND c.lease_id = mine.lease_id
          FOR NO KEY UPDATE OF c SKIP LOCKED
        )
        UPDATE credentials c
        SET lease_until = $3
        FROM held
        WHERE c.id = held.id
        """,
        [claim.id for claim in claims],
        [claim.lease_id for claim in claims],
        until,
    )


async def due_exchanges(sql: Sql, now: datetime) -> dict[str, datetime]:
    """Exchanges with something due, and since when; keys of paused tenants are not waited for."""
    rows = await sql.fetch(
        f"""
        {EXCHANGES}
        SELECT listed.exchange, earliest.next_check_at
        FROM listed
        CROSS JOIN LATERAL (
          SELECT c.next_check_at
          FROM credentials c
          WHERE c.exchange = listed.exchange
            AND c.retired_at IS NULL
            AND c.next_check_at <= $1
            AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = c.tenant_id AND t.paused)
          ORDER BY c.next_check_at
          LIMIT 1
        ) AS earliest
        """,  # noqa: S608 - a constant
        now,
    )
    return {row["exchange"]: row["next_check_at"] for row in rows}


async def in_scope(sql: Sql, *, tenant_id: UUID | None, exchange: str | None) -> dict[str, PackedIds]:
    """Ids of the credentials that a sweep covers, by exchange, the longest due first."""
    rows = await sql.fetch(
        """
        SELECT c.exchange, string_agg(uuid_send(c.id), '' ORDER BY c.next_check_at) AS ids
        FROM credentials c
        JOIN tenants t ON t.id = c.tenant_id AND NOT t.paused
        WHERE c.retired_at IS NULL
          AND ($1::uuid IS NULL OR c.tenant_id = $1)
          AND ($2::text IS NULL OR c.exchange = $2)
        GROUP BY c.exchange
        """,
        tenant_id,
        exchange,
    )
    return {row["exchange"]: PackedIds(row["ids"]) for row in rows}


async def lock_claim(sql: Sql, claim: Claim) -> bool:
    """Whether this lease still holds; keeps the row until the transaction ends."""
    row = await sql.fetchrow(
        "SELECT FROM credentials WHERE id = $1 AND lease_id = $2 FOR UPDATE", claim.id, claim.lease_id
    )
    return row is not None


def ref_of(row: Row) -> CredentialRef:
    return CredentialRef(row["tenant_id"], row["exchange"], CredentialType(row["credential_type"]), row["label"])


def memory_of(row: Row, *, alerting: bool) -> Memory:
    return Memory(
        streak=row["consecutive_failures"],
        first_bad_at=row["first_failure_at"],
        last_good_at=row["last_success_at"],
        alerting=alerting,
    )


def _claim(row: Row) -> Claim:
    return Claim(
        id=row["id"],
        ref=ref_of(row),
        lease_id=row["lease_id"],
        secret_version=row["secret_version"],
        phase=row["phase"],
        memory=memory_of(row, alerting=row["alerting"]),
        notices=row["notices"],
        next_check_at=row["next_check_at"],
    )
