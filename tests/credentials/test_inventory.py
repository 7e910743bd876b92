"""The table of credentials follows the listing, of any length, and secrets that changed are noticed in turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.alerts import store as alert_store
from alertd.alerts.identity import Identity
from alertd.credentials import inventory, inventory_store, store
from alertd.credentials.look import Looked
from alertd.credentials.recorder import CHECK_NAME, RULE
from alertd.credentials.spot_check import check_now
from alertd.db import Db
from alertd.model import CheckResult, CredentialRef, CredentialType, Reason, Severity
from alertd.secretstore import Listing
from tests.credentials.checking import Scene, scene
from tests.credentials.test_keeping import WAITING, kept
from tests.credentials.test_sweep import swept


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


@pytest.fixture
async def vanished(db: Db, tmp_path: Path, now: datetime) -> AsyncIterator[tuple[Scene, CredentialRef]]:
    """Eleven of a dozen keys are gone from the store at once, which a listing has noticed; one of them."""
    async with scene(db, tmp_path, now) as world:
        refs = await checked(world, 12)
        await asyncio.gather(*(world.store.remove(ref) for ref in refs[1:]))
        found = await world.sweeper.inventory.discover(now)
        assert (found.retired, found.withheld) == (0, 11)
        yield world, refs[1]


async def test_keys_that_vanished_together_are_not_retired_one_by_one(
    vanished: tuple[Scene, CredentialRef], db: Db
) -> None:
    world, _ = vanished

    await due_again(world)

    assert await db.fetchval("SELECT count(*) FROM credentials WHERE retired_at IS NOT NULL") == 0


async def test_a_check_of_a_key_that_vanished_with_others_says_nothing_about_it(
    vanished: tuple[Scene, CredentialRef],
) -> None:
    world, ref = vanished

    [seen] = await check_now(world.sweeper, [(await world.row(ref))["id"]])

    row = await world.row(ref)
    assert (seen.check.result.reason, row["verdict"], row["retired_at"]) == (Reason.SECRET_STORE, "inconclusive", None)


async def test_a_key_that_vanishes_alone_is_retired_by_its_check(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        [ref] = await checked(world, 1)
        await world.store.remove(ref)

        assert await check_now(world.sweeper, [(await world.row(ref))["id"]]) == []

        assert (await world.row(ref))["retired_at"] == now


async def test_a_key_that_is_stored_during_a_listing_is_not_taken_for_gone(
    db: Db, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(db, tmp_path, now) as world:
        await keys(world, 1)
        ref = CredentialRef(UUID(int=9), "kraken", CredentialType.TRADING)
        list_refs = world.store.list_refs

        async def slowly() -> Listing:
            listing = await list_refs()
            await kept(db, ref, now + timedelta(seconds=1))
            return listing

        monkeypatch.setattr(world.store, "list_refs", slowly)
        found = await world.sweeper.inventory.discover(now)

        assert (found.retired, (await world.row(ref))["retired_at"]) == (0, None)


async def test_very_many_broken_keys_are_looked_at_in_turns_before_the_others(
    db: Db, tmp_path: Path, now: datetime
) -> None:
    async with scene(db, tmp_path, now) as world:
        await checked(world, 7)
        await db.execute("UPDATE credentials SET verdict = 'invalid'")

        noticed = [await due_again(world) for _ in range(4)]

    assert noticed == [3, 3, 1, 0]


async def test_a_check_of_a_secret_that_was_replaced_meanwhile_is_thrown_away(
    db: Db, tmp_path: Path, now: datetime
) -> None:
    async with scene(db, tmp_path, now) as world:
        [ref] = await checked(world, 1)
        [claim] = await store.claim_these(db, [(await world.row(ref))["id"]], now=now, lease=timedelta(minutes=1))
        looked = Looked(CheckResult(Reason.INVALID_KEY), "old")

        assert await due_again(world) == 1

        assert await world.sweeper.record(claim, looked) is None


async def test_a_new_secret_ends_the_alert_that_was_pending(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as world:
        ref = await world.key(Reason.INVALID_KEY, Reason.OK)
        await swept(world)
        await world.store.write(ref, {"api_key": "new", "api_secret": "new"})

        await due_again(world)

        alerts = await db.fetch(
            "SELECT state, decision FROM alerts a JOIN alert_log l ON l.alert_id = a.id ORDER BY l.id"
        )
        assert [tuple(row) for row in alerts] == [("resolved", "pending"), ("resolved", "subsided")]


async def test_an_alert_that_fires_while_its_key_is_retired_is_closed(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=1) as world:
        ref = await world.key(Reason.INVALID_KEY)
        await world.sweeper.inventory.discover(now)
        [claim] = await store.claim_due(db, "kraken", now=now, lease=timedelta(minutes=1), limit=1)
        identity = Identity(ref.tenant_id, CHECK_NAME, str(claim.id), RULE)

        async def retire() -> None:
            async with db.transaction() as tx:
                await inventory_store.retire(tx, [claim.id], now)

        async with db.transaction() as recording:
            await store.lock_claim(recording, claim)
            retiring = asyncio.create_task(retire())
            while not await db.fetchval(WAITING):
                await asyncio.sleep(0.01)
            await alert_store.put(recording, identity, severity=Severity.CRITICAL, details={}, began_at=now, now=now)
        await retiring

        assert await db.fetchval("SELECT state FROM alerts") == "resolved"
