"""The table of credentials follows the listing, of any length, and secrets that changed are noticed in turns."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.credentials import inventory
from alertd.db import Db
from alertd.model import CredentialRef, Reason
from tests.credentials.checking import Scene, scene


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few keys are a long listing."""
    monkeypatch.setattr(inventory, "STRETCH", 2)
    monkeypatch.setattr(inventory, "VERSIONS_EACH_TIME", 3)


async def keys(world: Scene, count: int, *, first: int = 0) -> list[CredentialRef]:
    return [await world.key(tenant=UUID(int=number)) for number in range(first, first + count)]


async def checked(world: Scene, count: int) -> list[CredentialRef]:
    """Keys that work, each with the version of its secret on file, in the order of their tenants and ids."""
    refs = await keys(world, count)
    await world.sweeper.inventory.discover(world.time)
    await world.db.execute("UPDATE credentials SET verdict = 'valid', secret_version = 'old'")
    return refs


async def due_again(world: Scene) -> int:
    return await world.sweeper.inventory.notice_changed_secrets(world.time)


async def test_a_long_listing_is_taken_in_whole(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await keys(world, 7)

        found = await world.sweeper.inventory.discover(now)

    assert (found.listed, found.added, found.retired, found.withheld) == (7, 7, 0, 0)


async def test_a_second_look_changes_nothing(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await keys(world, 7)
        await world.sweeper.inventory.discover(now)

        found = await world.sweeper.inventory.discover(now + timedelta(minutes=5))

    assert (found.listed, found.added, found.retired, found.withheld) == (7, 0, 0, 0)


async def test_what_is_gone_is_retired_wherever_it_stood(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        refs = await keys(world, 7)
        await world.sweeper.inventory.discover(now)
        for ref in (refs[0], refs[3], refs[6]):
            await world.store.remove(ref)

        found = await world.sweeper.inventory.discover(now)

    assert (found.listed, found.retired, found.withheld) == (4, 3, 0)


async def test_newcomers_between_the_others_are_added(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await keys(world, 3)
        await keys(world, 3, first=10)
        await world.sweeper.inventory.discover(now)
        await keys(world, 5, first=4)

        found = await world.sweeper.inventory.discover(now)

    assert (found.added, found.retired) == (5, 0)


async def test_what_comes_back_is_revived_and_due(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        ref, *_ = await keys(world, 5)
        await world.sweeper.inventory.discover(now)
        await world.store.remove(ref)
        await world.sweeper.inventory.discover(now)
        await world.store.write(ref, {"api_key": "k", "api_secret": "s"})
        later = now + timedelta(hours=1)

        found = await world.sweeper.inventory.discover(later)
        row = await world.row(ref)

    assert (found.added, row["retired_at"], row["next_check_at"]) == (1, None, later)


async def test_a_missing_key_that_is_listed_again_is_missing_no_more(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        refs = await keys(world, 14)
        await world.sweeper.inventory.discover(now)
        await db.execute("UPDATE credentials SET missing_since = $1", now)

        await world.sweeper.inventory.discover(now)

        row = await world.row(refs[0])
    assert row["missing_since"] is None


async def test_secrets_of_working_keys_are_looked_at_in_turns(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await checked(world, 7)

        noticed = [await due_again(world) for _ in range(4)]

    assert noticed == [3, 3, 1, 0]


async def test_the_turns_begin_anew(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await checked(world, 6)
        for _ in range(2):
            await due_again(world)
        await db.execute("UPDATE credentials SET secret_version = 'old'")

        noticed = [await due_again(world) for _ in range(2)]

    assert noticed == [3, 3]


async def test_broken_keys_are_looked_at_each_time(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        refs = await checked(world, 7)
        await db.execute(
            "UPDATE credentials SET verdict = 'invalid', reason = $1 WHERE tenant_id = $2",
            str(Reason.INVALID_KEY),
            refs[6].tenant_id,
        )

        await due_again(world)

        row = await world.row(refs[6])
    assert row["secret_version"] != "old"


async def test_many_broken_keys_leave_no_turn_to_the_others(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        await checked(world, 7)
        await db.execute("UPDATE credentials SET verdict = 'invalid'")

        noticed = await due_again(world)

    assert noticed == 3


async def test_what_the_store_goes_on_listing_after_its_deletion_stays_retired(
    db: Db, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(db, tmp_path, now) as world:
        [gone, _] = await keys(world, 2)
        await world.sweeper.inventory.discover(now)
        listing = await world.store.list_refs()
        await world.store.remove(gone)
        await world.sweeper.inventory.discover(now)

        async def still_listed() -> object:
            return listing

        monkeypatch.setattr(world.store, "list_refs", still_listed)
        found = await world.sweeper.inventory.discover(now + timedelta(minutes=5))

        assert found.added == 0
        assert (await world.row(gone))["retired_at"] == now


async def test_a_deleted_key_that_is_stored_again_comes_back(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        [ref] = await keys(world, 1)
        await world.sweeper.inventory.discover(now)
        await world.store.remove(ref)
        await world.sweeper.inventory.discover(now)

        await world.key(tenant=ref.tenant_id)
        await world.sweeper.inventory.discover(now + timedelta(minutes=5))

        assert (await world.row(ref))["retired_at"] is None
