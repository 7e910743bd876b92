"""SQL of credentials: claim what is due under a lease, record what was found, fenced by that lease."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alertd.alerts.lifecycle import Memory
from alertd.db import Row, Sql, new_id
from alertd.model import (
    UNKNOWN_PERMISSIONS,
    CheckResult,
    CredentialRef,
    CredentialType,
    Permissions,
    Verdict,
    iso_utc,
)

COLUMNS: Final = """
  c.id, c.tenant_id, c.exchange, c.credential_type, c.label, c.secret_version, c.phase, c.lease_id,
  c.consecutive_failures, c.first_failure_at, c.last_success_at, c.alerting, c.notices, c.next_check_at
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


@dataclass(frozen=True, slots=True)
class Check:
    """One finished check, ready to be recorded. `error` is our sentence, None for a valid key."""

    id: UUID
    claim: Claim
    result: CheckResult
    error: str | None
    secret_version: str
    checked_at: datetime
    sweep_id: UUID | None
    next_check_at: datetime
    lengthens: bool = True  # an invalid answer counts as a strike
    held: bool = False  # one accusation of too many: its message waits for a person


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
    """Keep claims that are still ours for longer."""
    await sql.execute(
        """
        UPDATE credentials c
        SET lease_until = $3
        FROM unnest($1::uuid[], $2::uuid[]) AS mine (id, lease_id)
        WHERE c.id = mine.id AND c.lease_id = mine.lease_id
        """,
        [claim.id for claim in claims],
        [claim.lease_id for claim in claims],
        until,
    )


async def due_exchanges(sql: Sql, now: datetime) -> dict[str, datetime]:
    """Exchanges with something due, and since when. Steps from exchange to exchange on the index."""
    rows = await sql.fetch(
        """
        WITH RECURSIVE listed (exchange) AS (
          (SELECT exchange FROM credentials WHERE retired_at IS NULL ORDER BY exchange LIMIT 1)
          UNION ALL
          SELECT (SELECT c.exchange FROM credentials c
                  WHERE c.retired_at IS NULL AND c.exchange > listed.exchange
                  ORDER BY c.exchange LIMIT 1)
          FROM listed
          WHERE listed.exchange IS NOT NULL
        )
        SELECT listed.exchange, earliest.next_check_at
        FROM listed
        CROSS JOIN LATERAL (
          SELECT c.next_check_at
          FROM credentials c
          WHERE c.exchange = listed.exchange AND c.retired_at IS NULL AND c.next_check_at <= $1
          ORDER BY c.next_check_at
          LIMIT 1
        ) AS earliest
        """,
        now,
    )
    return {row["exchange"]: row["next_check_at"] for row in rows}


async def in_scope(sql: Sql, *, tenant_id: UUID | None, exchange: str | None) -> dict[str, list[UUID]]:
    """Ids of the credentials that a sweep covers, by exchange."""
    rows = await sql.fetch(
        """
        SELECT c.exchange, array_agg(c.id ORDER BY c.next_check_at) AS ids
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
    return {row["exchange"]: row["ids"] for row in rows}


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


async def lock_claim(sql: Sql, claim: Claim) -> bool:
    """Whether this lease still holds; keeps the row until the transaction ends."""
    row = await sql.fetchrow(
        "SELECT FROM credentials WHERE id = $1 AND lease_id = $2 FOR UPDATE", claim.id, claim.lease_id
    )
    return row is not None


async def record_quiet(sql: Sql, checks: Sequence[Check]) -> set[UUID]:
    """Record many unremarkable results at once; ids of those whose lease still held.

    Unremarkable: the verdict moves no streak and no alert, so it needs neither the alert's row nor a
    message. One statement for a whole batch is what makes a sweep cheap.
    """
    rows = await sql.fetch(
        """
        WITH seen AS (
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                               $7::jsonb[], $8::text[], $9::integer[], $10::timestamptz[], $11::text[],
                               $12::uuid[], $13::uuid[], $14::text[])
            AS seen (id, lease_id, checked_at, verdict, reason, code, permissions, warnings, duration_ms,
                     next_check_at, secret_version, check_id, sweep_id, error)
        ),
        settled AS (
          UPDATE credentials c
          SET verdict = seen.verdict,
              reason = seen.reason,
              code = seen.code,
              permissions = coalesce(seen.permissions, c.permissions),
              warnings = coalesce(string_to_array(nullif(seen.warnings, ''), ','), '{}'),
              duration_ms = seen.duration_ms,
              last_success_at = CASE WHEN seen.verdict = 'valid' THEN seen.checked_at ELSE c.last_success_at END,
              last_checked_at = seen.checked_at,
              next_check_at = seen.next_check_at,
              secret_version = seen.secret_version,
              lease_id = NULL,
              lease_until = NULL
          FROM seen
          WHERE c.id = seen.id AND c.lease_id = seen.lease_id
          RETURNING c.id, c.tenant_id, c.exchange, c.credential_type, c.label, c.consecutive_failures, c.last_success_at
        )
        INSERT INTO credential_health_checks (
          id, credential_id, tenant_id, exchange, credential_type, label, check_timestamp, is_valid, verdict, reason,
          code, validation_error, permissions, warnings, consecutive_failures, last_success_at, duration_ms,
          sweep_id, created_at)
        SELECT seen.check_id, settled.id, settled.tenant_id, settled.exchange, settled.credential_type, settled.label,
               seen.checked_at, seen.verdict = 'valid', seen.verdict, seen.reason, seen.code, seen.error,
               seen.permissions, coalesce(string_to_array(nullif(seen.warnings, ''), ','), '{}'),
               settled.consecutive_failures, settled.last_success_at, seen.duration_ms, seen.sweep_id, seen.checked_at
        FROM settled
        JOIN seen ON seen.id = settled.id
        RETURNING credential_id
        """,
        *_columns(checks),
    )
    return {row["credential_id"] for row in rows}


def _columns(checks: Sequence[Check]) -> tuple[list[Any], ...]:
    """The batch as one array for each column of `seen`."""
    return (
        [c.claim.id for c in checks],
        [c.claim.lease_id for c in checks],
        [c.checked_at for c in checks],
        [str(c.result.verdict) for c in checks],
        [str(c.result.reason) for c in checks],
        [c.result.code for c in checks],
        [_told(c.result.permissions) for c in checks],
        [",".join(c.result.warnings) for c in checks],
        [_milliseconds(c.result) for c in checks],
        [c.next_check_at for c in checks],
        [c.secret_version for c in checks],
        [c.id for c in checks],
        [c.sweep_id for c in checks],
        [c.error for c in checks],
    )


async def record(sql: Sql, check: Check, memory: Memory, *, notices: Mapping[str, Any]) -> None:
    """Record one remarkable result with the memory that follows from it. The claim must be locked."""
    result = check.result
    permissions = _told(result.permissions)
    await sql.execute(
        """
        UPDATE credentials
        SET verdict = $2, reason = $3, code = $4, permissions = coalesce($5, permissions), warnings = $6,
            duration_ms = $7, consecutive_failures = $8, first_failure_at = $9, last_success_at = $10,
            last_checked_at = $11, alerting = $12, next_check_at = $13, secret_version = $14, notices = $15,
            lease_id = NULL, lease_until = NULL
        WHERE id = $1
        """,
        check.claim.id,
        str(result.verdict),
        str(result.reason),
        result.code,
        permissions,
        [str(w) for w in result.warnings],
        _milliseconds(result),
        memory.streak,
        memory.first_bad_at,
        memory.last_good_at,
        check.checked_at,
        memory.alerting,
        check.next_check_at,
        check.secret_version,
        dict(notices),
    )


async def insert_check(sql: Sql, check: Check, memory: Memory) -> None:
    """The history row of one check, with the streak that it led to."""
    result, ref = check.result, check.claim.ref
    await sql.execute(
        """
        INSERT INTO credential_health_checks (
          id, credential_id, tenant_id, exchange, credential_type, label, check_timestamp, is_valid, verdict, reason,
          code, validation_error, permissions, warnings, consecutive_failures, last_success_at, duration_ms,
          sweep_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $7)
        """,
        check.id,
        check.claim.id,
        ref.tenant_id,
        ref.exchange,
        str(ref.credential_type),
        ref.label,
        check.checked_at,
        result.verdict is Verdict.VALID,
        str(result.verdict),
        str(result.reason),
        result.code,
        check.error,
        _told(result.permissions),
        [str(w) for w in result.warnings],
        memory.streak,
        memory.last_good_at,
        _milliseconds(result),
        check.sweep_id,
    )


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
    return [Failing(row["id"], ref_of(row), row["reason"], row["code"], _memory(row, alerting=True)) for row in rows]


def permissions_json(permissions: Permissions) -> dict[str, Any]:
    """As stored and sent: what the exchange does not say is null, `expires_at` is ISO 8601."""
    return {**asdict(permissions), "expires_at": iso_utc(permissions.expires_at)}


def _told(permissions: Permissions) -> dict[str, Any] | None:
    """What this check learned; None when the exchange said nothing at all, and then the old is kept."""
    return None if permissions == UNKNOWN_PERMISSIONS else permissions_json(permissions)


def _milliseconds(result: CheckResult) -> int:
    return round(result.exchange_seconds * 1000)


def _claim(row: Row) -> Claim:
    return Claim(
        id=row["id"],
        ref=ref_of(row),
        lease_id=row["lease_id"],
        secret_version=row["secret_version"],
        phase=row["phase"],
        memory=_memory(row, alerting=row["alerting"]),
        notices=row["notices"],
        next_check_at=row["next_check_at"],
    )


def ref_of(row: Row) -> CredentialRef:
    return CredentialRef(row["tenant_id"], row["exchange"], CredentialType(row["credential_type"]), row["label"])


def _memory(row: Row, *, alerting: bool) -> Memory:
    return Memory(
        streak=row["consecutive_failures"],
        first_bad_at=row["first_failure_at"],
        last_good_at=row["last_success_at"],
        alerting=alerting,
    )
