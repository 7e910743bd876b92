"""SQL of finished checks: history and standing, in batches or one by one, fenced by the lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from alertd.alerts.lifecycle import Memory
from alertd.credentials.store import Claim
from alertd.db import Sql
from alertd.model import UNKNOWN_PERMISSIONS, CheckResult, Permissions, Verdict, iso_utc

RIGHTS: Final = tuple(right.name for right in fields(Permissions))


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


async def record_quiet(sql: Sql, checks: Sequence[Check]) -> set[UUID]:
    """Record many unremarkable results at once; ids of the checks whose lease still held.

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
          RETURNING seen.check_id, c.id, c.tenant_id, c.exchange, c.credential_type, c.label, c.consecutive_failures,
                    c.last_success_at
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
        JOIN seen ON seen.check_id = settled.check_id
        RETURNING id
        """,
        *_columns(checks),
    )
    return {row["id"] for row in rows}


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


def permissions_json(permissions: Permissions) -> dict[str, Any]:
    """As stored and sent: what the exchange does not say is null, `expires_at` is ISO 8601."""
    told = {name: getattr(permissions, name) for name in RIGHTS}
    return {**told, "expires_at": iso_utc(permissions.expires_at)}


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


def _told(permissions: Permissions) -> dict[str, Any] | None:
    """What this check learned; None when the exchange said nothing at all, and then the old is kept."""
    return None if permissions == UNKNOWN_PERMISSIONS else permissions_json(permissions)


def _milliseconds(result: CheckResult) -> int:
    return round(result.exchange_seconds * 1000)
