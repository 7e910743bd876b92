"""Sweeps on demand: what they check, count, announce, and leave alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alertd.credentials import leases, sweep, sweep_store
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Origin, Sweep, SweepState
from alertd.db import Db, new_id
from alertd.errors import Busy, StoreDown, StoreFault
from alertd.model import Reason
from tests.credentials.checking import Scene, scene
from tests.credentials.test_keeping import WAITING
from tests.credentials.test_sweeper import hanging, leased_until, until

HOUR = timedelta(hours=1)
EVERYTHING = Scope()
BAD, OK, DOWN = Reason.INVALID_KEY, Reason.OK, Reason.EXCHANGE_DOWN


@pytest.fixture
async def world(db: Db, tmp_path: Path, now: datetime) -> AsyncIterator[Scene]:
    async with scene(db, tmp_path, now) as made:
        yield made


async def swept(world: Scene, scope: Scope = EVERYTHING, *, after: timedelta = HOUR) -> Sweep:
    """One sweep, an hour after the one before."""
    world.time += after
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.COMMAND, requested_by="test", scope=scope)
    return await sweep.run(world.sweeper, sweep_id, scope)


async def test_every_verdict_is_counted_and_kept(world: Scene) -> None:
    good, bad, unclear = await world.key(OK), await world.key(BAD), await world.key(DOWN)

    done = await swept(world)

    assert (done.state, done.tally.checked, done.tally.valid, done.tally.invalid, done.tally.inconclusive) == (
        SweepState.COMPLETED,
        3,
        1,
        1,
        1,
    )
    assert [(await world.row(ref))["verdict"] for ref in (good, bad, unclear)] == ["valid", "invalid", "inconclusive"]


async def test_every_check_has_a_history_row(world: Scene, db: Db) -> None:
    ref = await world.key(BAD, DOWN, OK)

    for _ in range(3):
        await swept(world)

    rows = await db.fetch("SELECT * FROM credential_health_checks ORDER BY check_timestamp")
    assert [(r["verdict"], r["is_valid"], r["consecutive_failures"]) for r in rows] == [
        ("invalid", False, 1),
        ("inconclusive", False, 1),
        ("valid", True, 0),
    ]
    assert rows[0]["tenant_id"] == ref.tenant_id
    assert "Kraken does not accept this API key" in rows[0]["validation_error"]


async def test_three_strikes_announce_once_and_recovery_once(world: Scene) -> None:
    ref = await world.key(BAD, BAD, BAD, BAD, OK, OK)

    for _ in range(6):
        await swept(world)

    assert await world.events(ref) == ["credential.failed", "credential.recovered"]


async def test_an_outage_moves_no_streak_and_accuses_nobody(world: Scene) -> None:
    ref = await world.key(BAD, BAD, DOWN, DOWN, DOWN)

    for _ in range(5):
        await swept(world)

    assert (await world.row(ref))["consecutive_failures"] == 2
    assert await world.events(ref) == []


async def test_a_reminder_comes_after_a_day(world: Scene, db: Db) -> None:
    ref = await world.key(BAD)

    for _ in range(3):
        await swept(world)
    await swept(world, after=25 * HOUR)

    bodies = [row["body"] for row in await db.fetch("SELECT body FROM events ORDER BY created_at")]
    assert await world.events(ref) == ["credential.failed", "credential.failed"]
    assert [b'"reminder":true' in body.replace(b" ", b"") for body in bodies] == [False, True]


async def test_a_new_secret_starts_a_new_streak(world: Scene) -> None:
    ref = await world.key(BAD)
    await swept(world)
    await swept(world)

    await world.store.write(ref, {"api_key": "k2", "api_secret": "s2"})
    await swept(world)

    assert (await world.row(ref))["consecutive_failures"] == 1
    assert await world.events(ref) == []


async def test_only_the_scope_is_checked(world: Scene) -> None:
    mine = await world.key(exchange="okx")
    await world.key(exchange="kraken")
    await world.key(exchange="okx")

    await swept(world, Scope(tenant_id=mine.tenant_id))
    await swept(world, Scope(exchange="kraken"))

    assert [ref.exchange for ref in world.asked] == ["okx", "kraken"]


async def test_paused_tenants_are_left_alone(world: Scene, db: Db) -> None:
    ref = await world.key()
    await swept(world)
    await db.execute("UPDATE tenants SET paused = true WHERE id = $1", ref.tenant_id)

    done = await swept(world)

    assert (done.tally.total, len(world.asked)) == (0, 1)


async def test_inconclusive_answers_are_tried_again_within_the_check(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, tries=3) as world:
        ref = await world.key(DOWN, DOWN, OK)

        await swept(world)

        assert (len(world.asked), (await world.row(ref))["verdict"]) == (3, "valid")


async def test_a_refused_key_is_not_asked_again_within_the_check(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, tries=3) as world:
        ref = await world.key(BAD)
        await swept(world)

        assert world.asked == [ref]


async def test_two_sweeps_never_overlap(world: Scene) -> None:
    await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())

    with pytest.raises(Busy, match="in progress"):
        await sweep.begin(world.sweeper, origin=Origin.COMMAND, requested_by="test", scope=Scope())


async def test_a_sweep_whose_process_died_does_not_block(world: Scene, db: Db) -> None:
    dead = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())

    done = await swept(world)

    closed = await sweep_store.get(db, dead)
    assert closed is not None
    assert (done.state, closed.state) == (SweepState.COMPLETED, SweepState.FAILED)


async def test_a_sweep_keeps_the_keys_that_it_looks_at(world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "EXTENDED_EVERY", timedelta(seconds=0.02))
    answered = hanging(world, monkeypatch)
    await world.key(OK)
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())

    running = asyncio.create_task(sweep.run(world.sweeper, sweep_id, Scope()))
    await until(lambda: leased_until(db, world.time + leases.LEASE))
    world.time += HOUR
    await until(lambda: leased_until(db, world.time + leases.LEASE))
    answered.set()

    assert (await running).tally.valid == 1


async def test_a_store_lost_in_the_middle_fails_the_sweep_and_moves_no_streak(world: Scene, db: Db) -> None:
    refs = [await world.key(BAD) for _ in range(60)]
    await swept(world)

    world.store.reads_until_lost = 30
    done = await swept(world)

    assert (done.state, done.error) == (SweepState.FAILED, "the secret store is sealed")
    assert len(world.asked) < 2 * len(refs)
    assert await db.fetch("SELECT DISTINCT consecutive_failures, lease_id FROM credentials") == [(1, None)]
    assert await world.events() == ["system.alert"]


async def test_a_store_lost_after_the_last_secret_was_read_fails_the_sweep_too(world: Scene) -> None:
    ref = await world.key(BAD)

    def lose(_ref: object) -> None:
        world.store.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")

    world.on_ask = lose
    done = await swept(world)

    assert (done.state, done.error) == (SweepState.FAILED, "the secret store is sealed")
    assert (await world.row(ref))["consecutive_failures"] == 0


async def test_operators_hear_of_a_lost_store_once_and_of_its_return(world: Scene) -> None:
    await world.key()
    world.store.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")
    await swept(world)
    await swept(world)

    world.store.lost = None
    await swept(world)

    assert await world.events() == ["system.alert", "system.alert"]


async def test_a_deleted_secret_is_retired_with_its_history(world: Scene, db: Db) -> None:
    ref = await world.key(BAD)
    await swept(world)

    await world.store.remove(ref)
    done = await swept(world)

    assert (done.tally.total, (await world.row(ref))["retired_at"]) == (0, world.time)
    assert await db.fetchval("SELECT count(*) FROM credential_health_checks") == 1


async def test_many_missing_at_once_retire_nobody(world: Scene) -> None:
    refs = [await world.key() for _ in range(30)]
    await swept(world)

    for ref in refs[:15]:
        await world.store.remove(ref)
    await world.sweeper.inventory.discover(world.time)

    assert [(await world.row(ref))["retired_at"] for ref in refs[:15]] == [None] * 15
    assert await world.events() == ["system.alert"]


async def test_many_missing_for_a_day_are_retired(world: Scene) -> None:
    refs = [await world.key() for _ in range(30)]
    await swept(world)
    for ref in refs[:15]:
        await world.store.remove(ref)

    await world.sweeper.inventory.discover(world.time)
    await world.sweeper.inventory.discover(world.time + timedelta(days=1))

    assert None not in [(await world.row(ref))["retired_at"] for ref in refs[:15]]


async def test_a_key_held_by_another_process_is_skipped(world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "HELD_ELSEWHERE_WAIT", timedelta(0))
    await world.key()
    await world.sweeper.inventory.discover(world.time)
    await db.execute("UPDATE credentials SET lease_id = $1, lease_until = $2", new_id(), world.time + 24 * HOUR)

    done = await swept(world)

    assert (done.state, done.tally.skipped, world.asked) == (SweepState.COMPLETED, 1, [])


async def test_a_cancelled_sweep_stops_and_gives_its_keys_back(
    world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "REPORT_EVERY", timedelta(seconds=0.02))
    await world.key()
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())
    asked = asyncio.Event()

    async def hang(_ref: object, _secret: object) -> object:
        asked.set()
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(world, "ask", hang)
    running = asyncio.create_task(sweep.run(world.sweeper, sweep_id, Scope()))
    await asked.wait()
    await sweep_store.cancel(db, sweep_id, world.time)
    done = await running

    assert done.state is SweepState.CANCELLED
    assert await db.fetchval("SELECT count(*) FROM credentials WHERE lease_id IS NOT NULL") == 0


async def test_a_sweep_that_is_long_in_recording_its_accusations_is_not_taken_for_dead(
    world: Scene, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "REPORT_EVERY", timedelta(seconds=0.02))
    await world.key(BAD)
    sweep_id = await sweep.begin(world.sweeper, origin=Origin.API, requested_by="test", scope=Scope())

    async with db.transaction() as tx, asyncio.timeout(10):
        await tx.execute("LOCK TABLE alerts IN SHARE MODE")  # nobody can be accused meanwhile
        running = asyncio.create_task(sweep.run(world.sweeper, sweep_id, Scope()))
        while not await db.fetchval(WAITING):
            await asyncio.sleep(0.01)
        world.time += HOUR
        while await db.fetchval("SELECT lease_until <= $1 FROM sweeps", world.time):
            await asyncio.sleep(0.01)

    assert (await running).state is SweepState.COMPLETED


async def test_quiet_mode_records_and_tells_nobody(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, strikes=1, aloud=False) as world:
        ref = await world.key(BAD, OK)

        await swept(world)
        await swept(world)

        assert await world.events(ref) == []
        assert await db.fetchval("SELECT state FROM alerts") == "resolved"
