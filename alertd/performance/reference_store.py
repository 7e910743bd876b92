"""SQL of references: added as new versions, never changed; only the report on the newest follows its limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from alertd.db import Sql
from alertd.performance.reference import BASELINES, Reference
from alertd.performance.registration import Registration
from alertd.performance.store import reference_of

# To and from JSON.
REGISTRATIONS: Final = TypeAdapter(Registration)


@dataclass(frozen=True, slots=True)
class Filed:
    """A reference on file; the same `digest` is the same reference."""

    reference: Reference
    digest: str
    registration: Registration
    created_at: datetime
    created_by: str


async def newest(sql: Sql, subject_id: UUID) -> Filed | None:
    row = await sql.fetchrow(
        """
        SELECT version, kind, active_from, baseline, returns, digest, registration, created_at, created_by
        FROM performance_references
        WHERE subject_id = $1
        ORDER BY version DESC
        LIMIT 1
        """,
        subject_id,
    )
    if row is None:
        return None
    return Filed(
        reference=reference_of(row),
        digest=row["digest"],
        registration=REGISTRATIONS.validate_python(row["registration"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


async def add(tx: Sql, subject_id: UUID, filed: Filed) -> None:
    reference = filed.reference
    await tx.execute(
        """
        INSERT INTO performance_references (subject_id, version, kind, active_from, baseline, returns, digest,
                                            registration, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        subject_id,
        reference.version,
        reference.kind,
        reference.active_from,
        BASELINES.dump_python(reference.baseline, mode="json"),
        None if reference.returns is None else reference.returns.tolist(),
        filed.digest,
        REGISTRATIONS.dump_python(filed.registration, mode="json"),
        filed.created_at,
        filed.created_by,
    )


async def report_again(tx: Sql, subject_id: UUID, version: int, registration: Registration) -> None:
    """Its limits are others now."""
    await tx.execute(
        "UPDATE performance_references SET registration = $3 WHERE subject_id = $1 AND version = $2",
        subject_id,
        version,
        REGISTRATIONS.dump_python(registration, mode="json"),
    )
