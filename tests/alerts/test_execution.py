"""Each occurrence runs once, over restarts and over processes, and its row says how it went."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.alerts import occurrence_store
from alertd.alerts.execution import Executions, Job
from alertd.alerts.occurrence_store import Source
from alertd.config import RetrySettings
from alertd.db import Db, Row, new_id
from alertd.errors import Transient
from alertd.schedule import Interval, Schedule

HOURLY = Schedule("probe", Interval(timedelta(hours=1)), max_age=timedelta(minutes=30))
HOUR = timedelta(hours=1)
AT_ONE = datetime(2026, 1, 5, 13, 0, tzinfo=UTC)
TWO_TRIES = RetrySettings(max_attempts=2, initial_delay=0, backoff_multiplier=1, max_delay=0)


class Probe:
    """A job that remembers for which times it ran; `fails` are raised first, one for each try."""

    def __init__(self, db: Db, time: datetime) -> None:
        self.time = time
        self.ran: list[datetime] = []
        self.fails: list[Exception] = []
        self.gate: asyncio.Event | None = None
        self.executions = Executions(db, {"probe": Job(HOURLY, self._work, TWO_TRIES)}, lambda: self.time)

    async def _work(self, at: datetime) -> Mapping[str, Any]:
        self.ran.append(at)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise self.fails.pop(0)
        return {"seen": 3}

    async def due(self, time: datetime) -> None:
        """It is this time, and the clock has rung."""
        self.time = time
        await self.executions.due(HOURLY)
        if self.gate is None:
            await self.executions.drain(HOUR)


@pytest.fixture
async def probe(db: Db, now: datetime) -> Probe:
    made = Probe(db, now)
    await made.due(now)  # a schedule that is new owes nothing
    assert made.ran == []
    return made


async def rows(db: Db) -> list[Row]:
    return await db.fetch("SELECT * FROM occurrences ORDER BY scheduled_at")


async def test_an_occurrence_runs_once_however_often_the_clock_rings(probe: Probe, db: Db) -> None:
    for seconds in (0, 1, 200):
        await probe.due(AT_ONE + timedelta(seconds=seconds))

    [row] = await rows(db)
    assert probe.ran == [AT_ONE]
    assert (row["execution_id"], row["state"], row["source"], row["result"]) == (
        "probe_20260105_130000",
        "succeeded",
        "schedule",
        {"seen": 3},
    )


async def test_two_processes_run_it_once(probe: Probe, db: Db) -> None:
    other = Probe(db, AT_ONE)

    await asyncio.gather(probe.due(AT_ONE), other.due(AT_ONE))

    assert probe.ran + other.ran == [AT_ONE]


async def test_a_missed_one_that_is_young_is_made_up_for(probe: Probe, db: Db) -> None:
    await probe.due(AT_ONE + timedelta(minutes=20))

    assert [(row["state"], row["source"]) for row in await rows(db)] == [("succeeded", "catch_up")]


async def test_old_ones_become_one_missed_row(probe: Probe, db: Db) -> None:
    await probe.due(AT_ONE + 3 * HOUR + timedelta(minutes=40))
    await probe.due(AT_ONE + 3 * HOUR + timedelta(minutes=41))

    assert probe.ran == []
    assert [(row["state"], row["missed_count"]) for row in await rows(db)] == [("missed", 4)]


async def test_a_disabled_schedule_does_not_run_and_owes_nothing_when_enabled(probe: Probe, db: Db) -> None:
    await db.execute("UPDATE schedules SET enabled = false, changed_at = $1", AT_ONE)
    await probe.due(AT_ONE + HOUR)
    await db.execute("UPDATE schedules SET enabled = true, changed_at = $1", AT_ONE + HOUR + timedelta(minutes=5))

    await probe.due(AT_ONE + HOUR + timedelta(minutes=6))
    await probe.due(AT_ONE + 2 * HOUR)

    assert probe.ran == [AT_ONE + 2 * HOUR]


async def test_a_failing_run_is_tried_again(probe: Probe, db: Db) -> None:
    probe.fails = [Transient("the store is away")]

    await probe.due(AT_ONE)

    assert [(row["state"], row["attempt_count"]) for row in await rows(db)] == [("succeeded", 2)]


async def test_a_run_that_fails_for_good_says_why(probe: Probe, db: Db) -> None:
    probe.fails = [Transient("the store is away")] * 2

    await probe.due(AT_ONE)

    assert [(row["state"], row["error"]) for row in await rows(db)] == [("failed", "the store is away")]


async def test_a_bug_is_named_without_its_text(probe: Probe, db: Db) -> None:
    probe.fails = [RuntimeError("token=abc")] * 2

    await probe.due(AT_ONE)

    assert [row["error"] for row in await rows(db)] == ["internal error (RuntimeError); see the log"]


async def test_a_running_occurrence_is_not_disturbed_by_the_next(probe: Probe, db: Db) -> None:
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)
    await probe.due(AT_ONE + HOUR)
    probe.gate.set()
    await probe.executions.drain(HOUR)

    assert probe.ran == [AT_ONE]
    assert [row["state"] for row in await rows(db)] == ["succeeded"]


async def test_a_dead_process_is_succeeded_when_its_lease_ends(probe: Probe, db: Db) -> None:
    dead = new_id()
    await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=dead, now=AT_ONE)

    await probe.due(AT_ONE + timedelta(seconds=30))
    assert probe.ran == []

    await probe.due(AT_ONE + timedelta(seconds=61))
    assert probe.ran == [AT_ONE]


async def test_a_run_that_kills_its_process_is_given_up(probe: Probe, db: Db) -> None:
    time = AT_ONE
    for _ in range(occurrence_store.TAKEOVERS):
        await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=new_id(), now=time)
        time += timedelta(seconds=61)

    await probe.due(time)

    assert probe.ran == []
    assert [row["state"] for row in await rows(db)] == ["interrupted"]


async def test_stopping_leaves_a_long_run_to_the_next_process(probe: Probe, db: Db) -> None:
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)
    await asyncio.sleep(0.05)

    await probe.executions.drain(timedelta(0))

    assert [row["state"] for row in await rows(db)] == ["running"]


async def test_execution_ids_are_never_used_twice(db: Db, now: datetime) -> None:
    first = await occurrence_store.claim(db, "probe", now, source=Source.MANUAL, owner=new_id(), now=now)
    second = await occurrence_store.claim(db, "probe", now, source=Source.MANUAL, owner=new_id(), now=now)

    assert first is not None
    assert second is not None
    assert (first.execution_id, second.execution_id) == ("probe_20260105_120000", "probe_20260105_120000_2")
