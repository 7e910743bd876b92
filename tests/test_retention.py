"""What is over and old enough is forgotten, batch by batch; what somebody may still need stays."""

import asyncio
from datetime import timedelta

import pytest

from alertd.admin.idempotency_store import Request, claim
from alertd.admin.retention_store import prune_answers, prune_deeds
from alertd.admin.store import Deed, add_deed
from alertd.alerts.retention_store import prune_alerts, prune_occurrences
from alertd.config import Settings
from alertd.credentials.retention_store import prune_checks, prune_sweeps
from alertd.db import new_id, open_db
from alertd.retention import chores, keep_pruning, prune
from tests.factories import tenant
from tests.webhooks.relay import a_door

DAY = timedelta(days=1)
LONG = 1000 * DAY


@pytest.fixture
def settings(tmp_path):
    return Settings(state_dir=tmp_path)


@pytest.fixture
def stop():
    return asyncio.Event()


async def credential(db, now):
    credential_id, owner = new_id(), await tenant(db)
    await db.execute(
        """
        INSERT INTO credentials (id, tenant_id, exchange, credential_type, phase, next_check_at, created_at)
        VALUES ($1, $2, 'binance', 'trading', 0.5, $3, $3)
        """,
        credential_id,
        owner,
        now,
    )
    return credential_id


async def check(db, credential_id, at):
    check_id = new_id()
    await db.execute(
        """
        INSERT INTO credential_health_checks (id, credential_id, tenant_id, exchange, credential_type,
                                              check_timestamp, is_valid, verdict, reason, created_at)
        SELECT $1, id, tenant_id, exchange, credential_type, $3, true, 'valid', 'ok', $3
        FROM credentials
        WHERE id = $2
        """,
        check_id,
        credential_id,
        at,
    )
    return check_id


async def sweep(db, at, state="completed"):
    sweep_id = new_id()
    await db.execute(
        "INSERT INTO sweeps (id, origin, state, started_at) VALUES ($1, 'schedule', $2, $3)", sweep_id, state, at
    )
    return sweep_id


async def occurrence(db, at, *, state="succeeded", source="schedule", schedule="daily"):
    occurrence_id = new_id()
    await db.execute(
        """
        INSERT INTO occurrences (id, execution_id, schedule, scheduled_at, source, state)
        VALUES ($1, $1::uuid::text, $2, $3, $4, $5)
        """,
        occurrence_id,
        schedule,
        at,
        source,
        state,
    )
    return occurrence_id


async def alert(db, now, *, resolved_at=None):
    alert_id = new_id()
    await db.execute(
        """
        INSERT INTO alerts (id, fingerprint, check_name, subject, rule, severity, state, started_at, resolved_at,
                            last_seen_at, created_at)
        VALUES ($1, $1::uuid::text, 'c', 's', 'r', 'warning', $2, $3, $4, $3, $3)
        """,
        alert_id,
        "resolved" if resolved_at else "firing",
        now,
        resolved_at,
    )
    return alert_id


async def left(db, table):
    return {row["id"] for row in await db.fetch(f"SELECT id FROM {table}")}


async def test_an_old_check_goes_and_the_newest_of_its_credential_stays(db, now):
    key, other = await credential(db, now), await credential(db, now)
    await check(db, key, now - 2 * DAY)
    newest, alone = await check(db, key, now - DAY), await check(db, other, now - LONG)

    assert await prune_checks(db, before=now, batch=100) == 1
    assert await left(db, "credential_health_checks") == {newest, alone}


async def test_of_two_checks_of_one_moment_one_stays(db, now):
    key = await credential(db, now)
    await check(db, key, now - DAY)
    later = await check(db, key, now - DAY)

    assert await prune_checks(db, before=now, batch=100) == 1
    assert await left(db, "credential_health_checks") == {later}


async def test_a_running_sweep_stays_and_so_does_the_last_that_was_completed(db, now):
    await sweep(db, now - 3 * DAY)
    completed = await sweep(db, now - 2 * DAY)
    await sweep(db, now - DAY, "failed")
    running = await sweep(db, now - LONG, "running")

    assert await prune_sweeps(db, before=now, batch=100) == 2
    assert await left(db, "sweeps") == {completed, running}


async def test_sweeps_go_also_while_none_was_ever_completed(db, now):
    await sweep(db, now - DAY, "failed")

    assert await prune_sweeps(db, before=now, batch=100) == 1


async def test_the_newest_occurrence_of_each_schedule_stays_and_what_runs(db, now):
    await occurrence(db, now - 3 * DAY)
    running = await occurrence(db, now - LONG, state="running")
    newest = await occurrence(db, now - 2 * DAY)
    weekly = await occurrence(db, now - LONG, schedule="weekly")

    assert await prune_occurrences(db, before=now, batch=100) == 1
    assert await left(db, "occurrences") == {running, newest, weekly}


async def test_a_run_by_hand_does_not_count_as_the_newest(db, now):
    scheduled = await occurrence(db, now - 2 * DAY)
    by_hand = await occurrence(db, now - DAY, source="manual")

    assert await prune_occurrences(db, before=now, batch=100) == 0
    assert await left(db, "occurrences") == {scheduled, by_hand}


async def test_an_alert_goes_once_it_was_long_resolved(db, now):
    await alert(db, now - LONG, resolved_at=now - 2 * DAY)
    lately = await alert(db, now - LONG, resolved_at=now)
    firing = await alert(db, now - LONG)

    assert await prune_alerts(db, before=now - DAY, batch=100) == 1
    assert await left(db, "alerts") == {lately, firing}


async def test_an_old_deed_goes(db, now):
    for at in (now - 2 * DAY, now - DAY, now):
        await add_deed(db, Deed(at, "somebody", "key.create", "key:1"))

    assert await prune_deeds(db, before=now, batch=1) == 1
    assert await prune_deeds(db, before=now, batch=100) == 1
    assert [row["at"] for row in await db.fetch("SELECT at FROM audit_log")] == [now]


async def test_an_old_answer_goes(db, now):
    for number in range(3):
        await claim(db, Request("settings:admin", "POST /api/v1/keys", str(number), ""), now - number * DAY)

    assert await prune_answers(db, before=now, batch=1) == 1
    assert await prune_answers(db, before=now, batch=100) == 1
    assert [row["key"] for row in await db.fetch("SELECT key FROM idempotency_keys")] == ["0"]


async def test_all_batches_of_a_chore_are_done(db, settings, stop, now):
    key = await credential(db, now)
    for hours in range(5):
        await check(db, key, now - LONG + hours * DAY)

    await prune(db, settings, stop, now, batch=2)

    assert len(await left(db, "credential_health_checks")) == 1


async def test_things_are_kept_for_as_long_as_the_settings_say(db, settings, stop, now):
    key = await credential(db, now)
    await check(db, key, now - 91 * DAY)
    kept = [await check(db, key, now - 89 * DAY), await check(db, key, now)]

    await prune(db, settings, stop, now)

    assert await left(db, "credential_health_checks") == set(kept)


def test_every_kind_has_its_days(settings):
    assert {chore.name: chore.kept // DAY for chore in chores(settings)} == {
        "deliveries": 30,
        "events": 90,
        "windows": 0,
        "checks": 90,
        "sweeps": 90,
        "occurrences": 90,
        "alerts": 365,
        "looks": 7,
        "evaluations": 365,
        "projections": 365,
        "revisions": 365,
        "readings": 90,
        "audit": 365,
        "answers": 1,
    }


async def test_being_told_to_stop_ends_it_between_two_batches(db, settings, stop, now):
    key = await credential(db, now)
    await check(db, key, now - LONG)
    await check(db, key, now)
    stop.set()

    await prune(db, settings, stop, now)

    assert len(await left(db, "credential_health_checks")) == 2


async def test_the_loop_prunes_at_once_and_ends_when_it_is_told(db, settings, stop, now):
    await sweep(db, now - LONG, "failed")

    loop = asyncio.create_task(keep_pruning(db, lambda: settings, stop, lambda: now))
    async with asyncio.timeout(10):
        while await left(db, "sweeps"):
            await asyncio.sleep(0.02)
        stop.set()
        await loop

    assert loop.exception() is None


async def test_the_loop_goes_on_after_the_database_was_away(dsn, db, settings, stop, now):
    await sweep(db, now - LONG, "failed")
    async with a_door(dsn) as door, open_db(door.dsn, pool_size=1) as own:
        await door.shut()
        soon = timedelta(milliseconds=20)
        loop = asyncio.create_task(keep_pruning(own, lambda: settings, stop, lambda: now, every=soon))
        await asyncio.sleep(0.1)
        before = await left(db, "sweeps")
        await door.open()
        async with asyncio.timeout(10):
            while await left(db, "sweeps"):
                await asyncio.sleep(0.02)
            stop.set()
            await loop

    assert len(before) == 1
