"""The secret store is lost while the database is away too: operators hear of it later, and once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alertd.credentials import watch
from alertd.credentials.watch import StoreWatch
from alertd.db import Db, open_db
from alertd.errors import StoreDown, StoreFault
from tests.credentials.checking import Scene, scene
from tests.webhooks.relay import Door, a_door

SEALED = StoreDown(StoreFault.SEALED, "the secret store is sealed")


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Door]:
    async with a_door(dsn) as opened:
        yield opened


@pytest.fixture
async def world(
    db: Db, door: Door, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """The watch reaches its database through the door."""
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(0))
    async with scene(db, tmp_path, now) as made, open_db(door.dsn, pool_size=1) as own:
        made.sweeper.watch = StoreWatch(own, made.store, made.now)
        made.store.lost = SEALED
        yield made


async def test_it_is_told_when_the_database_is_back(world: Scene, door: Door) -> None:
    await door.shut()
    await world.sweeper.watch.lost(SEALED)
    before = await world.events()

    await door.open()
    assert not await world.sweeper.watch.ask_again()
    assert not await world.sweeper.watch.ask_again()

    assert (before, await world.events()) == ([], ["system.alert"])


async def test_it_is_not_told_of_a_store_that_was_back_first(world: Scene, door: Door) -> None:
    await door.shut()
    await world.sweeper.watch.lost(SEALED)
    await door.open()
    world.store.lost = None

    assert await world.sweeper.watch.ask_again()

    assert await world.events() == []
