"""Checks on request, newcomers' catch-up, and answers that nobody knows."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alertd.alerts import silence_store
from alertd.alerts.silences import Silence
from alertd.credentials import store
from alertd.credentials.catch_up import send_current_failures
from alertd.credentials.spot_check import check_now
from alertd.db import Db, new_id
from alertd.errors import Busy, StoreDown, StoreFault
from alertd.model import CheckResult, Reason
from tests import factories
from tests.credentials.checking import Scene, scene
from tests.credentials.test_sweep import HOUR, swept

BAD, OK, ODD = Reason.INVALID_KEY, Reason.OK, Reason.BAD_RESPONSE


@pytest.fixture
async def world(db: Db, tmp_path: Path, now: datetime) -> AsyncIterator[Scene]:
    async with scene(db, tmp_path, now, strikes=2, tries=3) as made:
        yield made


async def test_a_spot_check_never_lengthens_a_streak(world: Scene, db: Db) -> None:
    ref = await world.key(BAD)
    await swept(world)
    row = await world.row(ref)

    [seen] = await check_now(world.sweeper, [row["id"]])

    assert (seen.check.result.reason, seen.memory.streak) == (BAD, 1)
    assert (await world.row(ref))["consecutive_failures"] == 1
    assert await db.fetchval("SELECT count(*) FROM credential_health_checks") == 2


async def test_a_spot_check_may_end_a_streak_and_tell_of_it(world: Scene) -> None:
    ref = await world.key(BAD, BAD, OK)
    await swept(world)
    await swept(world)

    world.time += HOUR
    await check_now(world.sweeper, [(await world.row(ref))["id"]])

    assert await world.events(ref) == ["credential.failed", "credential.recovered"]


async def test_a_spot_check_makes_one_try_and_keeps_the_timetable(world: Scene) -> None:
    ref = await world.key(Reason.NETWORK)
    await world.sweeper.inventory.discover(world.time)
    due = (await world.row(ref))["next_check_at"]

    await check_now(world.sweeper, [(await world.row(ref))["id"]])

    assert (len(world.asked), (await world.row(ref))["next_check_at"]) == (1, due)


async def test_a_key_that_is_being_checked_is_busy(world: Scene, db: Db) -> None:
    ref = await world.key()
    await world.sweeper.inventory.discover(world.time)
    await store.claim_due(db, "kraken", now=world.time, lease=HOUR, limit=1)

    with pytest.raises(Busy, match="under way"):
        await check_now(world.sweeper, [(await world.row(ref))["id"]])


async def test_a_store_that_is_found_lost_by_a_spot_check_is_told_to_operators_and_counts_against_nobody(
    world: Scene,
) -> None:
    ref = await world.key(BAD)
    await swept(world)
    row = await world.row(ref)
    world.store.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")

    with pytest.raises(StoreDown):
        await check_now(world.sweeper, [row["id"]])

    assert not world.sweeper.watch.usable
    assert await world.events() == ["system.alert"]
    after = await world.row(ref)
    assert (after["consecutive_failures"], after["lease_id"]) == (1, None)


async def test_a_store_that_is_lost_in_the_middle_lets_the_other_checks_be_recorded(world: Scene, db: Db) -> None:
    tenant = new_id()
    refs = [await world.key(OK, tenant=tenant, leaf=f"n{number}") for number in range(3)]
    await world.sweeper.inventory.discover(world.time)
    ids = [(await world.row(ref))["id"] for ref in refs]
    world.store.reads_until_lost = 3

    with pytest.raises(StoreDown):
        await check_now(world.sweeper, ids)

    assert await db.fetchval("SELECT count(*) FROM credential_health_checks WHERE is_valid") == 2


async def test_a_new_endpoint_hears_of_what_fails_now_and_once(world: Scene, db: Db) -> None:
    failing = await world.key(BAD)
    await world.key(OK, tenant=failing.tenant_id, exchange="okx")
    await swept(world)
    await swept(world)
    webhook_id = new_id()
    await db.execute(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, webhook_url, webhook_secret, created_at)
        VALUES ($1, $2, 'https://hooks.example/x', 'whsec_AAAA', $3)
        """,
        webhook_id,
        failing.tenant_id,
        world.time,
    )

    async with db.transaction() as tx:
        queued = await send_current_failures(tx, failing.tenant_id, webhook_id, now=world.time)

    body = await db.fetchval(
        "SELECT e.body FROM events e JOIN webhook_deliveries d ON d.event_id = e.id WHERE d.webhook_id = $1", webhook_id
    )
    assert queued == 1
    assert b'"reason":"invalid_key"' in body.replace(b": ", b":")


async def test_a_new_endpoint_hears_nothing_of_what_is_silenced(world: Scene, db: Db) -> None:
    failing = await world.key(BAD)
    await swept(world)
    await swept(world)
    webhook_id = await factories.webhook(db, failing.tenant_id)
    matchers = {"tenant": (str(failing.tenant_id),)}
    silence = Silence(new_id(), matchers, "known", "ops", world.time, world.time, world.time + HOUR)

    async with db.transaction() as tx:
        await silence_store.add(tx, silence)
        queued = await send_current_failures(tx, failing.tenant_id, webhook_id, now=world.time)

    assert queued == 0


async def test_an_answer_that_nobody_knows_is_told_to_operators_once_a_day(world: Scene) -> None:
    refs = [await world.key() for _ in range(3)]
    for ref in refs:
        world.good[ref] = CheckResult(ODD, code="http 400 99999")

    await swept(world)
    await swept(world)
    assert await world.events() == ["system.alert"]

    await swept(world, after=timedelta(days=1))
    assert await world.events() == ["system.alert", "system.alert"]


async def test_an_answer_that_nobody_knows_is_told_of_a_new_secret_too(world: Scene) -> None:
    ref = await world.key(OK)
    await swept(world)
    world.good[ref] = CheckResult(ODD, code="http 400 99999")
    await world.store.write(ref, {"api_key": "new", "api_secret": "new"})

    await swept(world)

    assert await world.events() == ["system.alert"]


async def test_a_check_that_our_own_stall_spoilt_is_no_answer_of_the_exchange(world: Scene) -> None:
    ref = await world.key()
    world.good[ref] = CheckResult(Reason.INTERNAL_ERROR, code="stalled")

    await swept(world)

    assert await world.events() == []
