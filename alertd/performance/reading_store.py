"""SQL of accounts whose equity we read ourselves: one for each that a valid key can read, claimed when due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alertd.db import Sql, new_id
from alertd.model import CredentialRef, CredentialType
from alertd.performance.subject_store import MOST_SUBJECTS


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account to be read, and the key that reads it."""

    subject_id: UUID
    ref: CredentialRef


async def adopt_accounts(sql: Sql, exchanges: Sequence[str], *, every: timedelta, now: datetime) -> int:
    """Make an account of every valid key of these exchanges that has none; how many were new.

    A read-only key is preferred to a trading key of the same account. It is called after exchange and label; where
    a subject of that name is there already, it is left to whoever sends its equity.
    """
    rows = await sql.fetch(
        """
        SELECT DISTINCT ON (c.tenant_id, called.name) c.id, c.tenant_id, called.name
        FROM credentials c
        JOIN tenants t ON t.id = c.tenant_id,
        LATERAL (SELECT c.exchange || CASE WHEN c.label = '' THEN '' ELSE '.' || c.label END AS name) called
        WHERE c.exchange = ANY ($1) AND c.retired_at IS NULL AND c.verdict = 'valid' AND NOT t.paused
          AND NOT EXISTS (SELECT FROM performance_subjects s WHERE s.tenant_id = c.tenant_id AND s.name = called.name)
          AND (SELECT count(*) FROM performance_subjects s WHERE s.tenant_id = c.tenant_id) < $2
        ORDER BY c.tenant_id, called.name, c.credential_type
        """,
        list(exchanges),
        MOST_SUBJECTS,
    )
    return await sql.execute(
        """
        INSERT INTO performance_subjects (id, tenant_id, kind, name, returns_from, equity_every, credential_id,
                                          read_due_at, created_at)
        SELECT sent.id, sent.tenant_id, 'account', sent.name, 'equity', $5, sent.credential_id, $6, $6
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) AS sent (id, tenant_id, name, credential_id)
        ON CONFLICT DO NOTHING
        """,
        [new_id() for _ in rows],
        [row["tenant_id"] for row in rows],
        [row["name"] for row in rows],
        [row["id"] for row in rows],
        every,
        now,
    )


async def unread_exchanges(sql: Sql, read: Sequence[str]) -> list[str]:
    """Exchanges with valid keys whose equity nobody can read."""
    rows = await sql.fetch(
        """
        SELECT DISTINCT exchange
        FROM credentials
        WHERE retired_at IS NULL AND verdict = 'valid' AND NOT exchange = ANY ($1)
        ORDER BY exchange
        """,
        list(read),
    )
    return [row["exchange"] for row in rows]


async def claim_due(sql: Sql, *, every: timedelta, limit: int, now: datetime) -> list[DueAccount]:
    """Take what is due, and put it off until its next time at once: a process that dies leaves out one reading.

    Whichever key of the account is valid reads it; an account without one waits until it has one.
    """
    rows = await sql.fetch(
        """
        WITH due AS (
          SELECT s.id, key.*
          FROM performance_subjects s
          JOIN tenants t ON t.id = s.tenant_id
          CROSS JOIN LATERAL (
            SELECT c.tenant_id, c.exchange, c.credential_type, c.label
            FROM credentials own
            JOIN credentials c USING (tenant_id, exchange, label)
            WHERE own.id = s.credential_id AND c.retired_at IS NULL AND c.verdict = 'valid'
            ORDER BY c.credential_type
            LIMIT 1
          ) key
          WHERE s.read_due_at <= $1 AND NOT t.paused
          ORDER BY s.read_due_at
          LIMIT $2
          FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE performance_subjects s
        SET read_due_at = $1::timestamptz + $3::interval, equity_every = $3
        FROM due
        WHERE s.id = due.id
        RETURNING due.*
        """,
        now,
        limit,
        every,
    )
    return [DueAccount(subject_id, _ref(*key)) for subject_id, *key in rows]


def _ref(tenant_id: UUID, exchange: str, credential_type: str, label: str) -> CredentialRef:
    return CredentialRef(tenant_id, exchange, CredentialType(credential_type), label)


async def read_again(sql: Sql, subject_id: UUID, at: datetime) -> None:
    """Sooner than usual."""
    await sql.execute(
        "UPDATE performance_subjects SET read_due_at = least(read_due_at, $2) WHERE id = $1", subject_id, at
    )
