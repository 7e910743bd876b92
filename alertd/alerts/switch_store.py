"""SQL of switches: which schedules people have turned off, and since when each is as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alertd.db import Sql


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether a schedule is on, and since when; no catch-up reaches further back."""

    enabled: bool
    since: datetime


async def switch(sql: Sql, schedule: str, now: datetime) -> Switch:
    """The persisted switch; a schedule that was never seen is on from now. Locks it in a transaction."""
    row = await sql.fetchrow(
        """
        INSERT INTO schedules AS s (name, enabled, changed_at)
        VALUES ($1, true, $2)
        ON CONFLICT (name) DO UPDATE SET name = s.name
        RETURNING enabled, changed_at
        """,
        schedule,
        now,
    )
    assert row is not None  # noqa: S101 - RETURNING of an upsert always has a row
    return Switch(row["enabled"], row["changed_at"])


async def turn(tx: Sql, schedule: str, *, enabled: bool, by: str, now: datetime) -> bool:
    """Turn it on or off; False if it was so already, and then nothing is forgotten that is still owed."""
    before = await switch(tx, schedule, now)
    if before.enabled == enabled:
        return False
    await tx.execute(
        "UPDATE schedules SET enabled = $2, changed_at = $3, changed_by = $4 WHERE name = $1",
        schedule,
        enabled,
        now,
        by,
    )
    return True


async def switches(sql: Sql) -> Mapping[str, bool]:
    """Which schedules are on; one that was never seen is not among them, and on."""
    rows = await sql.fetch("SELECT name, enabled FROM schedules")
    return {row["name"]: row["enabled"] for row in rows}
