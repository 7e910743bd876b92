"""Too many keys of one exchange failing at once: a person is asked before tenants are told."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alertd.credentials.mass import Share
from alertd.db import Db
from alertd.model import Reason
from tests.credentials.checking import scene
from tests.credentials.test_sweep import swept

BAD, OK = Reason.INVALID_KEY, Reason.OK
QUARTER = 0.25


@pytest.mark.parametrize(
    ("share", "fraction", "exceeds"),
    [
        (Share(19, 20), QUARTER, False),
        (Share(20, 20), QUARTER, True),
        (Share(25, 100), QUARTER, False),
        (Share(26, 100), QUARTER, True),
        (Share(100, 100), 0.0, False),
    ],
)
def test_what_is_too_many(share: Share, fraction: float, *, exceeds: bool) -> None:
    assert share.exceeds(fraction) is exceeds


async def states(db: Db) -> list[str]:
    rows = await db.fetch("SELECT DISTINCT state FROM webhook_deliveries ORDER BY state")
    return [row["state"] for row in rows]


async def listen(db: Db, now: datetime) -> None:
    """Give every tenant an endpoint."""
    await db.execute(
        """
        INSERT INTO tenant_webhooks (tenant_id, webhook_url, webhook_secret, created_at)
        SELECT id, 'https://hooks.example/x', 'whsec_AAAA', $1 FROM tenants
        """,
        now,
    )


async def test_messages_of_a_mass_failure_are_held_and_operators_asked(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=2, mass=QUARTER) as world:
        for _ in range(20):
            await world.key(BAD)
        await swept(world)
        await listen(db, now)

        await swept(world)

        assert await states(db) == ["held"]
        assert await world.events() == ["system.alert"]


async def test_single_failures_among_many_keys_go_out(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=2, mass=QUARTER) as world:
        for _ in range(40):
            await world.key(OK)
        await world.key(BAD)
        await swept(world)
        await listen(db, now)

        await swept(world)

        assert await states(db) == ["pending"]
        assert await world.events() == []


async def test_another_exchange_is_not_held(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=1, mass=QUARTER) as world:
        for _ in range(20):
            await world.key(OK, BAD, exchange="okx")
        lone = await world.key(OK, BAD, exchange="kraken")
        await swept(world)
        await listen(db, now)

        await swept(world)

        held = await db.fetchval("SELECT state FROM webhook_deliveries WHERE tenant_id = $1", lone.tenant_id)
        assert (await states(db), held) == (["held", "pending"], "pending")


async def test_keys_that_work_again_are_never_announced(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=2, mass=QUARTER) as world:
        for _ in range(20):
            await world.key(BAD, BAD, OK)
        await swept(world)
        await listen(db, now)
        await swept(world)

        await swept(world, after=timedelta(hours=6))

        assert await states(db) == ["superseded"]
