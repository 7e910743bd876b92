"""SQL of the inventory: which credentials exist, appeared, vanished, or changed their secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.credentials.store import ref_of
from alertd.db import Row, Sql, Tx
from alertd.model import CredentialRef

# A vanished listing retires nobody by itself: more than this share of the known, and more than this many.
MASS_SHARE: Final = 0.2
MASS_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class Known:
    """One credential on file; `missing` from a listing since it was there."""

    id: UUID
    ref: CredentialRef
    missing: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A listed credential, with the id and phase it gets if it is new."""

    id: UUID
    ref: CredentialRef
    phase: float


async def add(sql: Sql, found: Sequence[Found], now: datetime) -> int:
    """Add what is new and revive what had been retired, both due at once; how many that were.

    A tenant that is erased at this very moment is left for the next time.
    """
    await sql.execute(
        """
        INSERT INTO tenants (id, created_at)
        SELECT DISTINCT tenant_id, $2::timestamptz
        FROM unnest($1::uuid[]) AS t (tenant_id)
        ON CONFLICT (id) DO NOTHING
        """,
        [f.ref.tenant_id for f in found],
        now,
    )
    return await sql.execute(
        """
        INSERT INTO credentials AS c (id, tenant_id, exchange, credential_type, label, phase, next_check_at, created_at)
        SELECT f.id, f.tenant_id, f.exchange, f.credential_type, f.label, f.phase, $7, $7
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::double precision[])
          AS f (id, tenant_id, exchange, credential_type, label, phase)
        JOIN tenants t ON t.id = f.tenant_id
        FOR KEY SHARE OF t
        ON CONFLICT (tenant_id, exchange, credential_type, label)
        DO UPDATE SET retired_at = NULL,
                      missing_since = NULL,
                      next_check_at = CASE WHEN c.retired_at IS NULL THEN c.next_check_at
                                           ELSE EXCLUDED.next_check_at END
        WHERE c.retired_at IS NOT NULL OR c.missing_since IS NOT NULL
        """,
        [f.id for f in found],
        [f.ref.tenant_id for f in found],
        [f.ref.exchange for f in found],
        [str(f.ref.credential_type) for f in found],
        [f.ref.label for f in found],
        [f.phase for f in found],
        now,
    )


async def add_tenant(sql: Sql, tenant_id: UUID, name: str, now: datetime) -> None:
    """A tenant by a person's hand; one that discovery found first only gets its name."""
    await sql.execute(
        """
        INSERT INTO tenants (id, name, created_at)
        VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name
        """,
        tenant_id,
        name,
        now,
    )


async def retired_of(sql: Sql, first: UUID, last: UUID) -> frozenset[CredentialRef]:
    """The retired credentials of the tenants from `first` to `last`."""
    rows = await sql.fetch(
        """
        SELECT tenant_id, exchange, credential_type, label
        FROM credentials
        WHERE tenant_id BETWEEN $1 AND $2 AND retired_at IS NOT NULL
        """,
        first,
        last,
    )
    return frozenset(ref_of(row) for row in rows)


async def known_of(sql: Sql, first: UUID, last: UUID, *, listed_at: datetime) -> list[Known]:
    """Every credential that is not retired of the tenants from `first` to `last`, and could be in a listing of then."""
    rows = await sql.fetch(
        """
        SELECT id, tenant_id, exchange, credential_type, label, missing_since IS NOT NULL AS missing
        FROM credentials
        WHERE tenant_id BETWEEN $1 AND $2 AND retired_at IS NULL AND created_at <= $3
        """,
        first,
        last,
        listed_at,
    )
    return [_known(row) for row in rows]


async def unsettled_after(sql: Sql, after: UUID, limit: int) -> list[Known]:
    """The next credentials whose last verdict was not `valid`: somebody waits for a change of their secret."""
    rows = await sql.fetch(
        """
        SELECT id, tenant_id, exchange, credential_type, label, missing_since IS NOT NULL AS missing
        FROM credentials
        WHERE id > $1 AND retired_at IS NULL AND verdict <> 'valid' AND secret_version <> ''
        ORDER BY id
        LIMIT $2
        """,
        after,
        limit,
    )
    return [_known(row) for row in rows]


async def settled_after(sql: Sql, after: UUID, limit: int) -> list[Known]:
    """The next credentials whose last verdict was `valid`, in the order of their ids."""
    rows = await sql.fetch(
        """
        SELECT id, tenant_id, exchange, credential_type, label, missing_since IS NOT NULL AS missing
        FROM credentials
        WHERE id > $1 AND retired_at IS NULL AND verdict = 'valid'
        ORDER BY id
        LIMIT $2
        """,
        after,
        limit,
    )
    return [_known(row) for row in rows]


async def mark_missing(sql: Sql, ids: Sequence[UUID], now: datetime) -> None:
    await sql.execute(
        """
        UPDATE credentials
        SET missing_since = $2
        WHERE id = ANY($1) AND missing_since IS NULL AND retired_at IS NULL
        """,
        list(ids),
        now,
    )


async def retire(tx: Tx, ids: Sequence[UUID], now: datetime) -> int:
    """Stop checking these; their history stays. Open alerts of theirs close without a word to the tenant."""
    rows = await tx.fetch(
        """
        UPDATE credentials
        SET retired_at = $2, missing_since = NULL, lease_id = NULL, lease_until = NULL,
            alerting = false, consecutive_failures = 0, first_failure_at = NULL
        WHERE id = ANY($1) AND retired_at IS NULL
        RETURNING id
        """,
        list(ids),
        now,
    )
    # After the keys, whose rows a check holds while it opens an alert: none can be opened any more.
    await tx.execute(
        """
        UPDATE alerts
        SET state = 'resolved',
            resolved_at = $2,
            ack_awaited_since = NULL,
            operators_due = CASE WHEN operators_told_at IS NOT NULL THEN $2::timestamptz END
        WHERE state <> 'resolved' AND subject = ANY($1::text[])
        """,
        [str(row["id"]) for row in rows],
        now,
    )
    return len(rows)


async def is_missing(tx: Tx, credential_id: UUID) -> bool:
    """Whether listings lack this one, and nobody believes it yet; keeps the row until the transaction ends."""
    return (
        await tx.fetchrow(
            "SELECT FROM credentials WHERE id = $1 AND missing_since IS NOT NULL FOR UPDATE", credential_id
        )
        is not None
    )


async def missing_longer_than_a_day(sql: Sql, now: datetime) -> list[UUID]:
    rows = await sql.fetch(
        """
        SELECT id
        FROM credentials
        WHERE retired_at IS NULL AND missing_since <= $1::timestamptz - interval '1 day'
        """,
        now,
    )
    return [row["id"] for row in rows]


async def secrets_changed(tx: Tx, versions: Mapping[UUID, str], now: datetime) -> int:
    """Make credentials due at once whose secret is another now; a new secret starts a new streak.

    A check of the old one that is under way loses its lease, and so its result.
    """
    rows = await tx.fetch(
        """
        UPDATE credentials c
        SET secret_version = v.version, next_check_at = $3, consecutive_failures = 0, first_failure_at = NULL,
            lease_id = NULL, lease_until = NULL
        FROM unnest($1::uuid[], $2::text[]) AS v (id, version)
        WHERE c.id = v.id AND c.secret_version <> v.version AND c.retired_at IS NULL
        RETURNING c.id
        """,
        list(versions.keys()),
        list(versions.values()),
        now,
    )
    await end_pending(tx, [row["id"] for row in rows], now)
    return len(rows)


async def end_pending(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """The streaks of these begin anew, so alerts that they had not brought to fire are over."""
    await tx.execute(
        """
        WITH over AS (
          UPDATE alerts
          SET state = 'resolved', resolved_at = $2
          WHERE state = 'pending' AND subject = ANY($1::text[])
          RETURNING id)
        INSERT INTO alert_log (alert_id, at, last_at, decision)
        SELECT id, $2, $2, 'subsided'
        FROM over
        """,
        [str(each) for each in ids],
        now,
    )


def _known(row: Row) -> Known:
    return Known(row["id"], ref_of(row), row["missing"])
