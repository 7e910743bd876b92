"""SQL of subjects themselves: made when first named, locked while their data changes, and their terms."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Sql, new_id
from alertd.performance.rows import SubjectName, TermsRow
from alertd.performance.store import COLUMNS, watched_of
from alertd.performance.subject import LimitTerms
from alertd.performance.watched import Kind, ReturnsFrom, Watched

MOST_SUBJECTS: Final = 1000  # of one tenant


async def missing_tenants(tx: Sql, tenants: Collection[UUID]) -> set[UUID]:
    """Those that there are not; the others stay until the transaction ends."""
    rows = await tx.fetch("SELECT id FROM tenants WHERE id = ANY ($1) ORDER BY id FOR SHARE", list(tenants))
    return set(tenants) - {row["id"] for row in rows}


async def crowded_tenants(tx: Sql, names: Collection[SubjectName]) -> set[UUID]:
    """Those that would have more subjects than there may be."""
    rows = await tx.fetch(
        """
        SELECT tenant_id
        FROM (
          SELECT tenant_id, name FROM performance_subjects WHERE tenant_id = ANY ($1)
          UNION
          SELECT * FROM unnest($1::uuid[], $2::text[])
        ) AS wanted (tenant_id, name)
        GROUP BY tenant_id
        HAVING count(*) > $3
        """,
        [name.tenant_id for name in names],
        [name.name for name in names],
        MOST_SUBJECTS,
    )
    return {row["tenant_id"] for row in rows}


async def locked(tx: Sql, names: Collection[SubjectName], kind: Kind, now: datetime) -> Mapping[SubjectName, Watched]:
    """These subjects of tenants that there are; those named for the first time are made, of this kind.

    They are locked in the order of their ids, as everywhere: who locks several waits for nobody who waits for him.
    """
    ordered = sorted(names)
    tenants, texts = [name.tenant_id for name in ordered], [name.name for name in ordered]
    await tx.execute(
        """
        INSERT INTO performance_subjects (id, tenant_id, name, kind, created_at)
        SELECT sent.*, $4, $5
        FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS sent
        ON CONFLICT (tenant_id, name) DO NOTHING
        """,
        [new_id() for _ in ordered],
        tenants,
        texts,
        kind,
        now,
    )
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS}
        FROM performance_subjects s
        JOIN unnest($1::uuid[], $2::text[]) AS wanted (tenant_id, name) USING (tenant_id, name)
        ORDER BY s.id
        FOR UPDATE OF s
        """,  # noqa: S608 - a constant
        tenants,
        texts,
    )
    found = [watched_of(row) for row in rows]
    return {SubjectName(watched.tenant_id, watched.name): watched for watched in found}


async def typical_returns(tx: Sql, ids: Collection[UUID]) -> Mapping[UUID, float]:
    """The median size of the days on which a subject moved."""
    rows = await tx.fetch(
        """
        SELECT subject_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(value)) AS typical
        FROM performance_returns
        WHERE subject_id = ANY ($1) AND value <> 0
        GROUP BY subject_id
        """,
        list(ids),
    )
    return {row["subject_id"]: row["typical"] for row in rows}


async def latest_days(tx: Sql, ids: Collection[UUID]) -> Mapping[UUID, date]:
    """The latest day that has a return, of those that have any."""
    rows = await tx.fetch(
        """
        SELECT subject_id, max(day) AS latest
        FROM performance_returns
        WHERE subject_id = ANY ($1)
        GROUP BY subject_id
        """,
        list(ids),
    )
    return {row["subject_id"]: row["latest"] for row in rows}


async def with_equity(tx: Sql, ids: Collection[UUID]) -> set[UUID]:
    rows = await tx.fetch(
        """
        SELECT s.id
        FROM performance_subjects s
        WHERE s.id = ANY ($1) AND EXISTS (SELECT FROM performance_equity e WHERE e.subject_id = s.id)
        """,
        list(ids),
    )
    return {row["id"] for row in rows}


async def stored_flows(tx: Sql, ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """The ids of the flows of these subjects."""
    rows = await tx.fetch("SELECT subject_id, flow_id FROM performance_flows WHERE subject_id = ANY ($1)", list(ids))
    return {(row["subject_id"], row["flow_id"]) for row in rows}


async def decide_source(tx: Sql, ids: Collection[UUID], source: ReturnsFrom) -> None:
    """Where daily returns come from is decided by what comes first."""
    await tx.execute(
        "UPDATE performance_subjects SET returns_from = $2 WHERE id = ANY ($1) AND returns_from IS NULL",
        list(ids),
        source,
    )


async def expect_equity(tx: Sql, currencies: Mapping[UUID, str | None], every: timedelta) -> None:
    """Readings have come: in this currency, which stays, and so often unless that was said."""
    await tx.executemany(
        """
        UPDATE performance_subjects
        SET currency = coalesce(currency, $2), equity_every = coalesce(equity_every, $3)
        WHERE id = $1
        """,
        [(subject_id, currency, every) for subject_id, currency in currencies.items()],
    )


async def describe(tx: Sql, subject_id: UUID, row: TermsRow) -> None:
    """What a row says about its subject besides limits."""
    await tx.execute(
        """
        UPDATE performance_subjects
        SET kind = coalesce($2, kind),
            timezone = coalesce($3, timezone),
            cutoff = coalesce($4, cutoff),
            equity_every = coalesce($5, equity_every),
            counts_from = coalesce($6, counts_from)
        WHERE id = $1
        """,
        subject_id,
        row.kind,
        row.timezone,
        row.cutoff,
        row.equity_every,
        row.counts_from,
    )


async def agree(tx: Sql, subject_id: UUID, limits: LimitTerms, *, by: str, now: datetime) -> None:
    """These limits in place of the earlier ones."""
    await tx.execute(
        """
        INSERT INTO performance_limits (subject_id, mode, basis, initial_capital, drawdown_warning, drawdown_critical,
                                        daily_loss_warning, daily_loss_critical, updated_at, updated_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (subject_id) DO UPDATE
        SET mode = excluded.mode,
            basis = excluded.basis,
            initial_capital = excluded.initial_capital,
            drawdown_warning = excluded.drawdown_warning,
            drawdown_critical = excluded.drawdown_critical,
            daily_loss_warning = excluded.daily_loss_warning,
            daily_loss_critical = excluded.daily_loss_critical,
            updated_at = excluded.updated_at,
            updated_by = excluded.updated_by
        """,
        subject_id,
        limits.mode,
        limits.basis,
        limits.initial_capital,
        limits.drawdown_warning,
        limits.drawdown_critical,
        limits.daily_loss_warning,
        limits.daily_loss_critical,
        now,
        by,
    )
