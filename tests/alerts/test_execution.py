"""Each occurrence runs once, over restarts and over processes, and its row says how it went."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alertd import metrics
from alertd.alerts import execution, occurrence_store
from alertd.alerts.execution import Executions
from alertd.alerts.history import History
from alertd.alerts.job import Job, no_data
from alertd.alerts.occurrence_store import Occurrence, Source
from alertd.config import RetrySettings
from alertd.db import Db, Row, Tx, new_id
from alertd.errors import Absent, Busy, Transient
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

    def tasks(self) -> list[asyncio.Task[Any]]:
        return [task for task in asyncio.all_tasks() if task.get_name().startswith("probe_")]

    async def until_running(self, *, times: int = 1) -> None:
        while len(self.ran) < times:
            await asyncio.sleep(0.01)

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

    assert [(row["scheduled_at"], row["state"]) for row in await rows(db)] == [(AT_ONE, "running")]
    probe.gate.set()
    await probe.executions.drain(HOUR)


async def test_a_dead_process_is_succeeded_when_its_lease_ends(probe: Probe, db: Db) -> None:
    dead = new_id()
    await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=dead, now=AT_ONE)

    await probe.due(AT_ONE + timedelta(seconds=30))
    assert probe.ran == []

    await probe.due(AT_ONE + timedelta(seconds=61))
    assert probe.ran == [AT_ONE]


async def test_a_run_that_kills_its_process_is_given_up(probe: Probe, db: Db) -> None:
    await probe.due(await dies_every_time(db))

    assert probe.ran == []
    assert [row["state"] for row in await rows(db)] == ["interrupted"]


async def dies_every_time(db: Db) -> datetime:
    """The process of the run at one; answers when the last of its leases is over."""
    for attempt in range(occurrence_store.TAKEOVERS):
        time = AT_ONE + attempt * timedelta(seconds=61)
        await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=new_id(), now=time)
    return AT_ONE + occurrence_store.TAKEOVERS * timedelta(seconds=61)


async def told(db: Db) -> list[tuple[str, ...]]:
    """What operators hear: rule, subject, state and message."""
    events = [json.loads(row["body"]) for row in await db.fetch("SELECT body FROM events ORDER BY created_at, id")]
    return [(each["rule"], each["subject"], each["state"], each["message"]) for each in events]


async def test_operators_hear_once_of_a_run_that_is_given_up(probe: Probe, db: Db) -> None:
    time = await dies_every_time(db)

    await probe.due(time)
    await probe.due(time + timedelta(minutes=1))

    assert await told(db) == [
        ("schedule", "probe", "firing", "probe was given up: its process died in each of 3 attempts.")
    ]


async def test_operators_hear_that_what_was_given_up_runs_again(probe: Probe, db: Db) -> None:
    await probe.due(await dies_every_time(db))

    await probe.due(AT_ONE + HOUR)

    assert [state for _, _, state, _ in await told(db)] == ["firing", "resolved"]


async def test_a_run_that_a_person_asked_for_dies_in_silence(probe: Probe, db: Db) -> None:
    async with db.transaction() as tx:
        await occurrence_store.claim_manual(tx, "probe", requested_by="ann", owner=new_id(), now=AT_ONE - HOUR)

    await probe.due(AT_ONE)

    assert await told(db) == []


async def test_the_end_of_a_dead_process_lease_is_waited_for(probe: Probe, db: Db) -> None:
    dying = AT_ONE + timedelta(seconds=0.1) - occurrence_store.LEASE
    await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=new_id(), now=dying)
    probe.time = AT_ONE
    await probe.executions.due(HOURLY)

    probe.time = AT_ONE + timedelta(seconds=1)
    await probe.until_running()

    await probe.executions.drain(HOUR)
    assert probe.ran == [AT_ONE]
    assert [row["state"] for row in await rows(db)] == ["succeeded"]


async def go_away(db: Db, table: str) -> None:
    """Whoever writes there hears what a server says that is not up yet."""
    await db.execute(
        f"""
        CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'the database system is starting up' USING ERRCODE = '57P03'; END $$;
        CREATE TRIGGER away BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION away();
        """
    )


async def come_back(db: Db) -> None:
    await db.execute("DROP FUNCTION away() CASCADE")


async def test_what_was_due_while_the_database_was_away_is_looked_at_again(
    probe: Probe, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "OUTAGE", timedelta(0))
    await go_away(db, "schedules")
    probe.time = AT_ONE
    await probe.executions.due(HOURLY)

    await come_back(db)
    await probe.until_running()

    await probe.executions.drain(HOUR)
    assert [row["state"] for row in await rows(db)] == ["succeeded"]


async def test_a_run_that_could_not_be_written_down_is_repeated(
    probe: Probe, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occurrence_store, "LEASE", timedelta(seconds=0.5))
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)
    await go_away(db, "occurrences")
    probe.gate.set()
    await asyncio.gather(*probe.tasks())
    await come_back(db)
    probe.time = AT_ONE + timedelta(seconds=1)

    await probe.until_running(times=2)

    await probe.executions.drain(HOUR)
    assert [row["state"] for row in await rows(db)] == ["succeeded"]


async def test_stopping_leaves_a_long_run_to_the_next_process(probe: Probe, db: Db) -> None:
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)
    await asyncio.sleep(0.05)

    await probe.executions.drain(timedelta(0))

    assert [row["state"] for row in await rows(db)] == ["running"]


async def test_what_became_due_during_a_run_is_run_after_it(probe: Probe, db: Db) -> None:
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)
    await probe.due(AT_ONE + HOUR)
    probe.gate.set()
    await asyncio.gather(*probe.tasks())
    await probe.executions.drain(HOUR)

    assert probe.ran == [AT_ONE, AT_ONE + HOUR]


async def test_without_data_a_run_is_no_success(db: Db, now: datetime) -> None:
    executions = Executions(db, {"idle": Job(replace(HOURLY, name="idle"), no_data, TWO_TRIES)}, lambda: now)

    done = await executions.trigger("idle", "test")

    assert (done.state, done.success, done.result) == ("succeeded", False, {"outcome": "no_data"})
    assert done.error_message == "no data: too little to judge by yet"
    assert metrics.REGISTRY.get_sample_value("alertd_executions_total", {"schedule": "idle", "outcome": "no_data"})
    assert not metrics.REGISTRY.get_sample_value("alertd_schedule_last_success_timestamp_seconds", {"schedule": "idle"})


# --- Asked for by a person -------------------------------------------------------------------


async def test_a_person_gets_the_run_when_it_has_ended(probe: Probe) -> None:
    done = await probe.executions.trigger("probe", "ann")

    assert (done.execution_id, done.source, done.requested_by) == ("probe_20260105_120000", "manual", "ann")
    assert (done.success, done.attempt_count, done.error_message, done.result) == (True, 1, None, {"seen": 3})


async def test_a_person_gets_one_attempt(probe: Probe) -> None:
    probe.fails = [Transient("the store is away")]

    done = await probe.executions.trigger("probe", "ann")

    assert (done.success, done.attempt_count, done.error_message) == (False, 1, "the store is away")


async def test_a_person_may_run_what_is_switched_off(probe: Probe, db: Db) -> None:
    await db.execute("UPDATE schedules SET enabled = false")

    assert (await probe.executions.trigger("probe", "ann")).success is True
    assert await db.fetchval("SELECT enabled FROM schedules") is False


async def test_a_run_that_was_asked_for_leaves_the_timetable_alone(probe: Probe) -> None:
    probe.time = AT_ONE - timedelta(minutes=1)
    await probe.executions.trigger("probe", "ann")

    await probe.due(AT_ONE)

    assert probe.ran == [AT_ONE - timedelta(minutes=1), AT_ONE]


async def test_nobody_runs_what_is_running(probe: Probe) -> None:
    probe.gate = asyncio.Event()
    await probe.due(AT_ONE)

    with pytest.raises(Busy, match="probe is running"):
        await probe.executions.trigger("probe", "ann")

    probe.gate.set()
    await probe.executions.drain(HOUR)


async def test_nobody_runs_what_another_process_is_running(probe: Probe, db: Db) -> None:
    await occurrence_store.claim(db, "probe", AT_ONE, source=Source.SCHEDULE, owner=new_id(), now=AT_ONE)
    probe.time = AT_ONE

    with pytest.raises(Busy, match="probe is running"):
        await probe.executions.trigger("probe", "ann")

    assert len(await rows(db)) == 1


async def test_of_two_people_one_is_told_that_it_runs(probe: Probe, db: Db) -> None:
    other = Probe(db, probe.time)
    probe.gate = other.gate = asyncio.Event()

    asked = [asyncio.create_task(each.executions.trigger("probe", "ann")) for each in (probe, other)]
    refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    probe.gate.set()
    await asyncio.wait(asked)

    assert [type(task.exception()) for task in refused] == [Busy]
    assert [row["state"] for row in await rows(db)] == ["succeeded"]


async def test_what_becomes_due_while_a_person_runs_it_is_run_after(probe: Probe) -> None:
    probe.gate = asyncio.Event()
    asked = asyncio.create_task(probe.executions.trigger("probe", "ann"))
    await probe.until_running()
    await probe.due(AT_ONE)
    probe.gate.set()
    await asked
    await probe.executions.drain(HOUR)

    assert probe.ran == [AT_ONE - HOUR, AT_ONE]


async def test_nobody_knows_no_schedule(probe: Probe) -> None:
    with pytest.raises(Absent):
        await probe.executions.trigger("nonsense", "ann")
    with pytest.raises(Absent):
        await probe.executions.rehearse("nonsense")


async def test_what_is_written_with_a_run_stands_and_falls_with_it(probe: Probe, db: Db) -> None:
    async def refuse(_tx: Tx, _occurrence: Occurrence) -> None:
        raise Transient("no audit, no run")

    with pytest.raises(Transient):
        await probe.executions.trigger("probe", "ann", noted=refuse)

    assert (probe.ran, await rows(db)) == ([], [])


async def test_a_run_that_was_asked_for_is_not_taken_over(probe: Probe, db: Db) -> None:
    async with db.transaction() as tx:
        await occurrence_store.claim_manual(tx, "probe", requested_by="ann", owner=new_id(), now=AT_ONE)

    await probe.due(AT_ONE + timedelta(seconds=61))

    assert [(row["source"], row["state"]) for row in await rows(db)] == [
        ("manual", "interrupted"),
        ("catch_up", "succeeded"),
    ]


async def test_a_run_may_differ_when_it_is_asked_for(db: Db, now: datetime) -> None:
    async def asked(_at: datetime) -> Mapping[str, Any]:
        return {"asked": True}

    job = Job(HOURLY, no_data, TWO_TRIES, asked=asked)
    done = await Executions(db, {"probe": job}, lambda: now).trigger("probe", "ann")

    assert (done.success, done.result) == (True, {"asked": True})


async def test_work_that_is_being_done_already_is_busy_and_on_record(db: Db, now: datetime) -> None:
    async def asked(_at: datetime) -> Mapping[str, Any]:
        raise Busy("a sweep is in progress")

    job = Job(HOURLY, no_data, TWO_TRIES, asked=asked)
    with pytest.raises(Busy, match="a sweep is in progress"):
        await Executions(db, {"probe": job}, lambda: now).trigger("probe", "ann")

    assert [(row["state"], row["error"]) for row in await rows(db)] == [("failed", "a sweep is in progress")]


async def test_a_rehearsal_stores_nothing(probe: Probe, db: Db) -> None:
    found = await probe.executions.rehearse("probe")

    assert (found.result, found.success) == ({"outcome": "no_data"}, False)
    assert await rows(db) == []


# --- On record -------------------------------------------------------------------------------


async def test_a_run_is_also_a_file(probe: Probe, db: Db, tmp_path: Path) -> None:
    history = History(tmp_path / "made" / "for it", kept=timedelta(days=90))
    executions = Executions(db, probe.executions.jobs, lambda: AT_ONE, history)
    await executions.due(HOURLY)
    await executions.drain(HOUR)

    [file] = (tmp_path / "made" / "for it").iterdir()
    assert file.name == "probe_20260105_130000.json"
    assert json.loads(file.read_text())["success"] is True


async def test_a_file_that_cannot_be_written_stops_nothing(probe: Probe, db: Db, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = History(tmp_path / "file", kept=timedelta(days=90))

    with capture_logs() as logs:
        done = await Executions(db, probe.executions.jobs, lambda: AT_ONE, history).trigger("probe", "ann")

    assert done.success is True
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["Run not written to its file"]


async def test_execution_ids_are_never_used_twice(db: Db, now: datetime) -> None:
    first = await occurrence_store.claim(db, "probe", now, source=Source.MANUAL, owner=new_id(), now=now)
    second = await occurrence_store.claim(db, "probe", now, source=Source.MANUAL, owner=new_id(), now=now)

    assert first is not None
    assert second is not None
    assert (first.execution_id, second.execution_id) == ("probe_20260105_120000", "probe_20260105_120000_2")
