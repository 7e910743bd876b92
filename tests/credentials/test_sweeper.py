"""The checking loop: what is due is checked at its time, by one process at a time, whatever else breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alertd.credentials import leases, store, sweeper, watch
from alertd.credentials.look import Looked
from alertd.credentials.passes import begin_pass, keep_discovering
from alertd.credentials.timetable import next_due
from alertd.credentials.watch import StoreWatch
from alertd.db import Db
from alertd.errors import StoreDown, StoreFault, Transient
from alertd.model import CheckResult, CredentialRef, Reason, Secret
from tests.credentials.checking import SIX_HOURS, Scene, scene

BAD, OK = Reason.INVALID_KEY, Reason.OK
SEALED = StoreDown(StoreFault.SEALED, "the secret store is sealed")


@pytest.fixture
async def world(db: Db, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(sweeper, "POLL", timedelta(seconds=0.02))
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=0.1))
    async with scene(db, tmp_path, now) as made:
        yield made


@asynccontextmanager
async def checking(world: Scene) -> AsyncIterator[None]:
    """The loop, running."""
    stop = asyncio.Event()
    running = asyncio.create_task(world.sweeper.run(stop))
    yield
    stop.set()
    await running


def hanging(world: Scene, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The exchange answers no earlier than this is set."""
    answered = asyncio.Event()
    ask = world.ask

    async def hang(ref: CredentialRef, secret: Secret) -> CheckResult:
        await answered.wait()
        return await ask(ref, secret)

    monkeypatch.setattr(world, "ask", hang)
    return answered


async def leased_until(db: Db, at: datetime) -> bool:
    return bool(await db.fetchval("SELECT lease_until = $1 FROM credentials", at))


async def until(condition: object, *, seconds: float = 10) -> None:
    """Wait for an awaited condition to come true."""
    async with asyncio.timeout(seconds):
        while not await condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_new_credentials_are_checked_at_once_and_then_at_their_phase(world: Scene) -> None:
    ref = await world.key()
    await world.sweeper.inventory.discover(world.time)

    async with checking(world):
        await until(lambda: checked(world, 1))

    row = await world.row(ref)
    assert row["next_check_at"] == next_due(world.time, SIX_HOURS, row["phase"])


async def test_nothing_is_checked_before_it_is_due(world: Scene) -> None:
    first = await world.key()
    await world.sweeper.inventory.discover(world.time)

    async with checking(world):
        await until(lambda: checked(world, 1))
        world.time = (await world.row(first))["next_check_at"]
        await until(lambda: checked(world, 2))

    assert world.asked == [first, first]


async def test_a_first_invalid_answer_is_confirmed_soon(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, confirm=(timedelta(minutes=1), timedelta(minutes=5))) as world:
        ref = await world.key(BAD)
        await world.sweeper.inventory.discover(now)

        async with checking(world):
            await until(lambda: checked(world, 1))
            world.time += timedelta(minutes=1)
            world.sweeper.wake()
            await until(lambda: checked(world, 2))
            world.time += timedelta(minutes=5)
            world.sweeper.wake()
            await until(lambda: checked(world, 3))

        assert await world.events(ref) == ["credential.failed"]


async def test_two_processes_never_check_the_same_key_twice(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now) as one, scene(db, tmp_path, now) as two:
        refs = [await one.key() for _ in range(40)]
        await one.sweeper.inventory.discover(now)

        async with checking(one), checking(two):
            await until(lambda: recorded(db, 40))

        assert sorted(ref.path for ref in one.asked + two.asked) == sorted(ref.path for ref in refs)


async def test_a_result_after_the_lease_was_lost_is_thrown_away(world: Scene, db: Db, now: datetime) -> None:
    await world.key(BAD)
    await world.sweeper.inventory.discover(now)
    [claim] = await store.claim_due(db, "kraken", now=now, lease=timedelta(seconds=1), limit=5)
    looked = await world.sweeper.look_at(claim)
    assert looked is not None

    later = now + timedelta(minutes=1)
    await store.claim_due(db, "kraken", now=later, lease=timedelta(minutes=9), limit=5)

    assert await world.sweeper.record(claim, looked) is None
    assert await db.fetchval("SELECT count(*) FROM credential_health_checks") == 0


async def test_of_two_results_at_once_only_that_with_the_lease_is_recorded(world: Scene, db: Db, now: datetime) -> None:
    await world.key(OK)
    await world.sweeper.inventory.discover(now)
    [late] = await store.claim_due(db, "kraken", now=now, lease=timedelta(seconds=1), limit=5)
    [claim] = await store.claim_due(db, "kraken", now=now + SIX_HOURS, lease=timedelta(minutes=1), limit=5)
    looked = Looked(CheckResult(OK), "v1")

    lost, recorded = await asyncio.gather(world.sweeper.record(late, looked), world.sweeper.record(claim, looked))

    assert (lost, recorded is None) == (None, False)
    assert await db.fetchval("SELECT count(*) FROM credential_health_checks") == 1


async def test_the_work_of_a_killed_process_is_taken_over_when_its_lease_ends(
    world: Scene, db: Db, now: datetime
) -> None:
    await world.key()
    await world.sweeper.inventory.discover(now)
    await store.claim_due(db, "kraken", now=now, lease=timedelta(minutes=5), limit=5)

    async with checking(world):
        world.time = now + timedelta(minutes=5)
        await until(lambda: checked(world, 1))

    assert len(world.asked) == 1


async def test_a_look_that_takes_long_keeps_its_lease(
    world: Scene, db: Db, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "EXTENDED_EVERY", timedelta(seconds=0.02))
    answered = hanging(world, monkeypatch)
    await world.key()
    await world.sweeper.inventory.discover(now)

    async with checking(world):
        await until(lambda: leased_until(db, now + leases.LEASE))
        world.time = now + timedelta(minutes=10)
        await until(lambda: leased_until(db, world.time + leases.LEASE))
        answered.set()
        await until(lambda: recorded(db, 1))


async def test_a_lease_that_was_lost_is_not_extended(db: Db, world: Scene, now: datetime) -> None:
    await world.key()
    await world.sweeper.inventory.discover(now)
    lost = await store.claim_due(db, "kraken", now=now, lease=timedelta(seconds=1), limit=5)
    later = now + timedelta(minutes=1)
    await store.claim_due(db, "kraken", now=later, lease=timedelta(minutes=1), limit=5)

    await store.extend(db, lost, until=later + timedelta(hours=1))

    assert await leased_until(db, later + timedelta(minutes=1))


async def test_extending_waits_for_nobody(db: Db, world: Scene, now: datetime) -> None:
    await world.key()
    await world.sweeper.inventory.discover(now)
    claims = await store.claim_due(db, "kraken", now=now, lease=timedelta(minutes=1), limit=5)

    async with db.transaction() as settling, asyncio.timeout(10):
        assert await store.lock_claim(settling, claims[0])
        await store.extend(db, claims, until=now + timedelta(hours=1))

    assert await leased_until(db, now + timedelta(minutes=1))


async def test_a_lost_store_stops_the_loop_and_its_return_starts_it_again(world: Scene, db: Db) -> None:
    ref = await world.key()
    await world.sweeper.inventory.discover(world.time)
    world.store.lost = SEALED

    async with checking(world):
        await until(lambda: told_operators(world, 1))
        world.store.lost = None
        await until(lambda: checked(world, 1))

    assert await world.events() == ["system.alert", "system.alert"]
    assert (await world.row(ref))["verdict"] == "valid"


async def test_a_lost_store_holds_up_neither_the_loop_nor_its_end(
    world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(hours=1))
    world.sweeper.watch = StoreWatch(db, world.store, world.now)
    world.store.lost = SEALED
    await world.sweeper.watch.lost(SEALED)
    stop, beats = asyncio.Event(), asyncio.Semaphore(0)

    async with asyncio.timeout(10):
        running = asyncio.create_task(world.sweeper.run(stop, beats.release))
        for _ in range(3):
            await beats.acquire()
        stop.set()
        await running


async def test_a_lost_store_is_asked_less_and_less_often(world: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONGEST_WAIT", timedelta(hours=1))
    world.store.lost = SEALED
    await world.sweeper.watch.lost(SEALED)
    assert not await world.sweeper.watch.ask_again()
    world.store.lost = None

    assert not await world.sweeper.watch.ask_again()


async def test_a_database_that_is_lost_during_a_look_is_no_bug_of_ours(world: Scene, db: Db) -> None:
    await world.key()
    await world.sweeper.inventory.discover(world.time)
    [claim] = await store.claim_due(db, "kraken", now=world.time, lease=timedelta(minutes=1), limit=1)

    def lose(_ref: object) -> None:
        raise Transient("the database is gone")

    world.on_ask = lose
    with capture_logs() as logs, pytest.raises(Transient):
        await world.sweeper.look_at(claim)

    assert logs == []


async def test_keys_of_a_paused_tenant_are_never_late(world: Scene, db: Db) -> None:
    await world.key()
    await world.sweeper.inventory.discover(world.time)

    await db.execute("UPDATE tenants SET paused = true")

    assert await store.due_exchanges(db, world.time + timedelta(days=1)) == {}


async def test_a_check_that_breaks_costs_only_itself(world: Scene) -> None:
    broken, fine = await world.key(), await world.key()
    await world.sweeper.inventory.discover(world.time)

    def explode(ref: object) -> None:
        if ref == broken:
            raise RuntimeError("https://exchange/?signature=abc")

    world.on_ask = explode
    async with checking(world):
        await until(lambda: recorded(world.db, 2))

    assert [(await world.row(ref))["reason"] for ref in (broken, fine)] == ["internal_error", "ok"]


async def test_stopping_gives_back_what_is_not_finished(world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def hang(_ref: object, _secret: object) -> object:
        asked.set()
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(world, "ask", hang)
    monkeypatch.setattr(sweeper, "GRACE", timedelta(seconds=0.05))
    await world.key()
    await world.sweeper.inventory.discover(world.time)

    async with checking(world):
        await asked.wait()

    assert await db.fetchval("SELECT lease_id FROM credentials") is None


async def test_a_pass_counts_what_was_checked_in_its_interval(world: Scene, db: Db) -> None:
    await world.key(OK)
    await world.key(BAD)
    await begin_pass(world.sweeper, world.time)

    async with checking(world):
        await until(lambda: recorded(db, 2))
    world.time += SIX_HOURS
    await begin_pass(world.sweeper, world.time)

    rows = await db.fetch("SELECT state, checked, valid, invalid FROM sweeps ORDER BY started_at")
    assert [tuple(row) for row in rows] == [("completed", 2, 1, 1), ("running", 0, 0, 0)]


async def test_a_pass_that_two_processes_begin_is_one(world: Scene, db: Db) -> None:
    first = await begin_pass(world.sweeper, world.time)
    due, world.time = world.time, world.time + timedelta(minutes=1)

    second = await begin_pass(world.sweeper, due)

    assert second["sweep_id"] == first["sweep_id"]
    assert await db.fetchval("SELECT count(*) FROM sweeps") == 1


async def test_a_pass_without_a_store_fails(world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    await begin_pass(world.sweeper, world.time)

    async def sealed() -> object:
        raise SEALED

    monkeypatch.setattr(world.store, "list_refs", sealed)
    with pytest.raises(StoreDown):
        await begin_pass(world.sweeper, world.time)

    assert await db.fetchval("SELECT state FROM sweeps") == "failed"


async def test_a_replaced_secret_of_a_broken_key_is_noticed_and_checked(world: Scene) -> None:
    ref = await world.key(BAD)
    stop = asyncio.Event()
    discovering = asyncio.create_task(keep_discovering(world.sweeper, lambda: timedelta(seconds=0.05), stop))

    async with checking(world):
        await until(lambda: checked(world, 1))
        world.says[ref] = [OK]
        await world.store.write(ref, {"api_key": "new", "api_secret": "new"})
        await until(lambda: checked(world, 2))
    stop.set()
    await discovering

    assert (await world.row(ref))["verdict"] == "valid"


async def checked(world: Scene, count: int) -> bool:
    return await recorded(world.db, count)


async def recorded(db: Db, count: int) -> bool:
    return bool(await db.fetchval("SELECT count(*) >= $1 FROM credential_health_checks", count))


async def told_operators(world: Scene, count: int) -> bool:
    return len(await world.events()) >= count
