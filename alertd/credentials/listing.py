"""Credentials and their checks as people read them: page by page, each page from an index. Reads only.

The text of each statement says only what is asked for, so that a rare reason is found by its index and
not by reading all keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from alertd.credentials import notices
from alertd.db import Row, Sql
from alertd.model import CheckResult, CredentialRef, CredentialType, EventType, Permissions, Reason, Verdict

COLUMNS: Final = """
  c.id, c.tenant_id, c.exchange, c.credential_type, c.label, c.verdict, c.reason, c.code, c.permissions, c.warnings,
  c.duration_ms, c.consecutive_failures, c.first_failure_at, c.last_success_at, c.last_checked_at, c.next_check_at,
  c.alerting, c.missing_since, c.retired_at, c.created_at
"""
# Whether somebody would hear that this key failed.
HEARD: Final = f"""
  coalesce((
    SELECT true
    FROM tenant_webhooks w
    WHERE w.tenant_id = c.tenant_id
      AND w.is_active
      AND (w.event_type IN ('*', '{EventType.CREDENTIAL_FAILED}')
           OR '{EventType.CREDENTIAL_FAILED}' = ANY (w.event_types))
    LIMIT 1
  ), false) AS endpoint_configured
"""  # noqa: S608 - a constant; EXISTS would have the planner look up the endpoints of all keys
KNOWN_PERMISSIONS: Final = tuple(field.name for field in fields(Permissions))


@dataclass(frozen=True, slots=True)
class Credential:
    """One key on file and how it stands; verdict and reason are None before its first check."""

    id: UUID
    tenant_id: UUID
    exchange: str
    credential_type: CredentialType
    label: str
    verdict: Verdict | None
    reason: Reason | None
    code: str
    permissions: Permissions
    warnings: tuple[str, ...]
    duration_ms: int | None
    consecutive_failures: int
    first_failure_at: datetime | None
    last_success_at: datetime | None
    last_checked_at: datetime | None
    next_check_at: datetime
    alerting: bool
    missing_since: datetime | None
    retired_at: datetime | None
    created_at: datetime
    endpoint_configured: bool

    @property
    def ref(self) -> CredentialRef:
        return CredentialRef(self.tenant_id, self.exchange, self.credential_type, self.label)

    @property
    def leaf(self) -> str:
        return self.ref.leaf

    @property
    def error(self) -> str | None:
        """One sentence of ours; None for a key that works, or that nobody has asked about."""
        if self.reason is None or self.verdict is Verdict.VALID:
            return None
        return notices.error(self.ref, CheckResult(self.reason, code=self.code))

    @property
    def what_to_do(self) -> str:
        """Empty where there is nothing that the tenant can mend."""
        return "" if self.reason is None else notices.what_to_do(self.ref, self.reason)


@dataclass(frozen=True, slots=True)
class PastCheck:
    """One finished check, as it was recorded."""

    id: UUID
    checked_at: datetime
    verdict: Verdict
    reason: Reason
    code: str
    error: str | None
    permissions: Permissions
    warnings: tuple[str, ...]
    consecutive_failures: int
    duration_ms: int
    sweep_id: UUID | None
    webhook_sent: bool
    webhook_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed down to; None does not narrow. Retired keys only when asked for."""

    tenant_id: UUID | None = None
    exchange: str | None = None
    credential_type: CredentialType | None = None
    label: str | None = None
    verdict: Verdict | None = None
    reason: Reason | None = None
    retired: bool = False


async def credentials_after(sql: Sql, after: UUID | None, wanted: Filter, *, limit: int) -> list[Credential]:
    """In the order in which they were found, those after the one with this id."""
    statement, values = page_of(after, wanted, limit=limit)
    return [_credential(row) for row in await sql.fetch(statement, *values)]


def page_of(after: UUID | None, wanted: Filter, *, limit: int) -> tuple[str, Sequence[object]]:
    """The statement of `credentials_after`, and its values."""
    conditions, values = _conditions(after, wanted)
    statement = f"""
        SELECT {COLUMNS}, {HEARD}
        FROM credentials c
        WHERE {" AND ".join(conditions)}
        ORDER BY c.id
        LIMIT ${len(values) + 1}
        """  # noqa: S608 - constants of ours; what is asked for travels apart
    return statement, (*values, limit)


async def find(sql: Sql, ref: CredentialRef) -> Credential | None:
    """Also one that is retired."""
    row = await sql.fetchrow(
        f"""
        SELECT {COLUMNS}, {HEARD}
        FROM credentials c
        WHERE c.tenant_id = $1 AND c.exchange = $2 AND c.credential_type = $3 AND c.label = $4
        """,  # noqa: S608 - constants
        ref.tenant_id,
        ref.exchange,
        str(ref.credential_type),
        ref.label,
    )
    return None if row is None else _credential(row)


async def checks_before(
    sql: Sql, credential_id: UUID, before: tuple[datetime, UUID] | None, *, limit: int
) -> list[PastCheck]:
    """The history of one key, the newest first, those before this place."""
    earlier = "" if before is None else "AND (check_timestamp, id) < ($3, $4)"
    rows = await sql.fetch(
        f"""
        SELECT id, check_timestamp, verdict, reason, code, validation_error, permissions, warnings,
               consecutive_failures, duration_ms, sweep_id, webhook_sent, webhook_sent_at
        FROM credential_health_checks
        WHERE credential_id = $1 {earlier}
        ORDER BY check_timestamp DESC, id DESC
        LIMIT $2
        """,  # noqa: S608 - a constant
        credential_id,
        limit,
        *(before or ()),
    )
    return [_past_check(row) for row in rows]


def _conditions(after: UUID | None, wanted: Filter) -> tuple[Sequence[str], Sequence[object]]:
    """The terms of WHERE that are asked for, and their values."""
    # A reason has one verdict, and by verdicts there is an index.
    verdict = wanted.verdict or (wanted.reason and wanted.reason.verdict)
    asked = {
        "c.id > {}": after,
        "c.tenant_id = {}": wanted.tenant_id,
        "c.exchange = {}": wanted.exchange,
        "c.credential_type = {}": wanted.credential_type and str(wanted.credential_type),
        "c.label = {}": wanted.label,
        "c.verdict = {}": verdict and str(verdict),
        "c.reason = {}": wanted.reason and str(wanted.reason),
    }
    terms = {term: value for term, value in asked.items() if value is not None}
    conditions = ["true" if wanted.retired else "c.retired_at IS NULL"]
    conditions += [term.format(f"${number}") for number, term in enumerate(terms, 1)]
    if verdict not in {None, Verdict.VALID}:
        conditions.append("c.verdict <> 'valid'")  # the index is for those alone
    return conditions, list(terms.values())


def _credential(row: Row) -> Credential:
    return Credential(
        id=row["id"],
        tenant_id=row["tenant_id"],
        exchange=row["exchange"],
        credential_type=CredentialType(row["credential_type"]),
        label=row["label"],
        verdict=row["verdict"] and Verdict(row["verdict"]),
        reason=row["reason"] and Reason(row["reason"]),
        code=row["code"],
        permissions=_permissions(row["permissions"]),
        warnings=tuple(row["warnings"]),
        duration_ms=row["duration_ms"],
        consecutive_failures=row["consecutive_failures"],
        first_failure_at=row["first_failure_at"],
        last_success_at=row["last_success_at"],
        last_checked_at=row["last_checked_at"],
        next_check_at=row["next_check_at"],
        alerting=row["alerting"],
        missing_since=row["missing_since"],
        retired_at=row["retired_at"],
        created_at=row["created_at"],
        endpoint_configured=row["endpoint_configured"],
    )


def _past_check(row: Row) -> PastCheck:
    return PastCheck(
        id=row["id"],
        checked_at=row["check_timestamp"],
        verdict=Verdict(row["verdict"]),
        reason=Reason(row["reason"]),
        code=row["code"],
        error=row["validation_error"],
        permissions=_permissions(row["permissions"]),
        warnings=tuple(row["warnings"]),
        consecutive_failures=row["consecutive_failures"],
        duration_ms=row["duration_ms"],
        sweep_id=row["sweep_id"],
        webhook_sent=row["webhook_sent"],
        webhook_sent_at=row["webhook_sent_at"],
    )


def _permissions(stored: Mapping[str, Any] | None) -> Permissions:
    """What a check learned, as `permissions_json` wrote it; a name that we do not know is left out."""
    known: dict[str, Any] = {name: (stored or {}).get(name) for name in KNOWN_PERMISSIONS}
    if known["expires_at"] is not None:
        known["expires_at"] = datetime.fromisoformat(known["expires_at"])
    return Permissions(**known)
