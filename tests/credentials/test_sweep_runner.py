"""Sweeps that run beside everything else: nothing that befalls them is lost in the background."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alertd.credentials import sweep, sweep_store
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_runner import open_sweep_runner
from alertd.credentials.sweep_store import Origin, SweepState
from alertd.db import Db
from alertd.model import Reason
from tests.credentials.checking import Scene, scene


@pytest.fixture
async def world(db: Db, tmp_path: Path, now: datetime) -> AsyncIterator[Scene]:
    async with scene(db, tmp_path, now) as made:
        yield made


@pytest.fixture
def reached(world: Scene) -> asyncio.Event:
    """Set when the exchange is asked."""
    event = asyncio.Event()
    world.on_ask = lambda _ref: event.set()
    return event


async def test_sweep_that_breaks_says_so(world: Scene, db: Db, reached: asyncio.Event) -> None:
    await world.key()
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())
    await db.execute("ALTER TABLE sweeps RENAME COLUMN total TO elsewhere")

    with capture_logs() as logs:
        async with open_sweep_runner(world.sweeper) as runner:
            runner.launch(sweep_id, Scope())
            await reached.wait()

    assert [line["sweep"] for line in logs if line["event"] == "Sweep broke"] == [f"sweep {sweep_id}"]


async def test_leaving_cuts_off_what_is_under_way(world: Scene, db: Db, reached: asyncio.Event) -> None:
    ref = await world.key(Reason.INVALID_KEY)
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())

    async with open_sweep_runner(world.sweeper) as runner:
        runner.launch(sweep_id, Scope())
        await reached.wait()

    done = await sweep_store.get(db, sweep_id)
    row = await world.row(ref)
    assert done is not None
    assert (done.state, done.error) == (SweepState.FAILED, "interrupted")
    assert (row["lease_id"], row["consecutive_failures"], row["last_checked_at"]) == (None, 0, None)
