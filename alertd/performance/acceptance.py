"""Who acknowledges a drift accepts it: what was lost is known, and only what comes now counts."""

from datetime import datetime
from uuid import UUID

from alertd.db import Sql
from alertd.performance.checks import daily_pnl_check
from alertd.performance.evaluation_store import accept_drift
from alertd.performance.findings import Rule
from alertd.performance.store import COLUMNS, watched_of


async def acknowledged(
    tx: Sql, tenant_id: UUID | None, *, check: str, subject: str, rule: str, seen_at: datetime
) -> None:
    """An alert about what was found as of `seen_at`. In those of other rules than drift there is nothing to accept."""
    if (check, rule) != (daily_pnl_check.NAME, Rule.DRIFT):
        return
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM performance_subjects s WHERE s.tenant_id = $1 AND s.name = $2",  # noqa: S608 - a constant
        tenant_id,
        subject,
    )
    if row is not None:
        watched = watched_of(row)
        await accept_drift(tx, watched.id, watched.boundary.last_complete(seen_at))
