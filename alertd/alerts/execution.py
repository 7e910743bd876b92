"""Runs scheduled jobs: decides by the database which occurrence is due, runs it once, writes down how it went."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from alertd import metrics
from alertd.alerts import execution_listing as listing
from alertd.alerts import occurrence_store as store
from alertd.alerts.execution_listing import NO_DATA, Execution
from alertd.alerts.history import History
from alertd.alerts.job import Ended, Job, Work, attempted
from alertd.alerts.occurrence_store import Occurrence, Source
from alertd.alerts.platform import platform_recovered, platform_trouble
from alertd.alerts.switch_store import switch
from alertd.db import Db, Tx, new_id
from alertd.errors import Absent, Busy, Transient
from alertd.schedule import Plan, Schedule, plan

log = structlog.get_logger(__name__)

Noted = Callable[[Tx, Occurrence], Awaitable[None]]

HEARTBEAT: Final = store.LEASE / 3
OUTAGE: Final = timedelta(seconds=15)  # between two looks while the database is away
AFTER_LEASE: Final = timedelta(seconds=0.1)
FAILING: Final = "schedule"  # the rule of the alert about a schedule that fails


class Executions:
    """The occurrences that this process runs; one of each schedule at a time."""

    def __init__(
        self, db: Db, jobs: Mapping[str, Job], now: Callable[[], datetime], history: History | None = None
    ) -> None:
        self._db = db
        self.jobs = jobs
        self._now = now
        self.history = history
        self._owner: UUID = new_id()
        self._running: dict[str, asyncio.Task[Ended]] = {}
        self._claiming: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._again: set[str] = set()  # became due while it ran
        self._looking: set[asyncio.Task[None]] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self.scheduled = False

    @contextmanager
    def scheduling(self) -> Iterator[None]:
        """Say that somebody calls `due` when it is time."""
        self.scheduled = True
        try:
            yield
        finally:
            self.scheduled = False

    async def due(self, schedule: Schedule) -> None:
        """Run what is due of this schedule, if anything is. May be called at any time, and often."""
        async with self._claiming[schedule.name]:
            if schedule.name in self._running:
                self._again.add(schedule.name)
                return
            try:
                await self._tell_of_deaths(schedule.name)
                occurrence = await self._claim(schedule)
                held = None if occurrence else await store.held_until(self._db, schedule.name, self._now())
            except Transient as exc:
                log.warning("Schedule waits for the database", schedule=schedule.name, error=str(exc))
                self._look_again(schedule, OUTAGE)
                return
            if occurrence is not None:
                job = self.jobs[schedule.name]
                self._start(job, occurrence, job.work, tries=job.retry.max_attempts, asked=False)
            elif held is not None:
                self._look_again(schedule, held - self._now() + AFTER_LEASE)

    async def trigger(self, name: str, requested_by: str, *, noted: Noted | None = None) -> Execution:
        """One attempt now, to its end, whether or not the schedule is on; `noted` shares the transaction it begins in.

        Raises Absent for an unknown name, Busy while it runs anywhere.
        """
        job = self._job(name)
        async with self._claiming[name]:
            if name in self._running:
                raise Busy(f"{name} is running; wait for it to end")
            async with self._db.transaction() as tx:
                occurrence = await store.claim_manual(
                    tx, name, requested_by=requested_by, owner=self._owner, now=self._now()
                )
                if noted is not None:
                    await noted(tx, occurrence)
            task = self._start(job, occurrence, job.asked or job.work, tries=1, asked=True)
        ended = await asyncio.shield(task)  # who asked may leave
        if ended.busy and ended.error is not None:
            raise Busy(ended.error)
        return await listing.get(self._db, occurrence.id)

    async def rehearse(self, name: str) -> Ended:
        """What a run would find now; nothing is stored. Raises Absent."""
        job = self._job(name)
        return await attempted(job, job.dry, self._now(), tries=1)

    async def drain(self, grace: timedelta) -> None:
        """Let runs under way end; one that does not is taken over by the next process."""
        self._again.clear()
        while self._looking or self._later:  # a look that meets an outage wants to look again
            for name in list(self._later):
                self._later.pop(name).cancel()
            await asyncio.gather(*self._looking)
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise Absent(f"there is no schedule {name}")
        return self.jobs[name]

    async def _claim(self, schedule: Schedule) -> Occurrence | None:
        """Decide and claim under the schedule's lock: two processes that plan at once would count misses twice."""
        now = self._now()
        async with self._db.transaction() as tx:
            switched = await switch(tx, schedule.name, now)
            again = await store.interrupted(tx, schedule.name, now)
            if not switched.enabled:
                return None
            if again is not None:
                return await self._take(tx, schedule, again, Source.CATCH_UP)
            last = await store.last_scheduled(tx, schedule.name, now)
            planned = plan(schedule, last=last, since=switched.since, now=now)
            await _note_missed(tx, schedule, planned, now)
            if planned.run is None:
                return None
            source = Source.CATCH_UP if planned.late > HEARTBEAT else Source.SCHEDULE
            claimed = await self._take(tx, schedule, planned.run, source)
        if claimed is not None:
            metrics.SCHEDULE_LATENESS.observe(planned.late.total_seconds())
        return claimed

    async def _take(self, tx: Tx, schedule: Schedule, at: datetime, source: Source) -> Occurrence | None:
        return await store.claim(tx, schedule.name, at, source=source, owner=self._owner, now=self._now())

    def _start(self, job: Job, occurrence: Occurrence, work: Work, *, tries: int, asked: bool) -> asyncio.Task[Ended]:
        running = self._run(job, occurrence, work, tries=tries, asked=asked)
        task = asyncio.create_task(running, name=occurrence.execution_id)
        self._running[job.schedule.name] = task
        task.add_done_callback(lambda _: self._ended(job.schedule))
        return task

    def _ended(self, schedule: Schedule) -> None:
        """What became due meanwhile is looked at now, and not when the clock rings for it the next time."""
        del self._running[schedule.name]
        if schedule.name in self._again:
            self._again.discard(schedule.name)
            self._look(schedule)

    def _look(self, schedule: Schedule) -> None:
        self._later.pop(schedule.name, None)
        looking = asyncio.create_task(self.due(schedule))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    def _look_again(self, schedule: Schedule, after: timedelta) -> None:
        """Nobody rings when a lease or an outage ends, and the next occurrence may be a month away."""
        if (earlier := self._later.pop(schedule.name, None)) is not None:
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._later[schedule.name] = loop.call_later(after.total_seconds(), self._look, schedule)

    async def _run(self, job: Job, occurrence: Occurrence, work: Work, *, tries: int, asked: bool) -> Ended:
        """Run to the end, keeping the lease; whatever happens, the row says how it went."""
        keeper = asyncio.create_task(self._keep(occurrence))
        try:
            ended = await attempted(job, work, occurrence.scheduled_at, tries=tries)
        finally:
            keeper.cancel()
        # In this order: a process that dies in between runs it again, and tells nothing twice.
        await self._tell_operators(occurrence.schedule, ended, asked=asked)
        await self._write_down(occurrence, ended)
        return ended

    async def _tell_of_deaths(self, schedule: str) -> None:
        """Of a run that nobody will try again. Before it is closed: whoever dies in between leaves it to the next."""
        now = self._now()
        if await store.given_up(self._db, schedule, now):
            message = f"{schedule} was given up: its process died in each of {store.TAKEOVERS} attempts."
            await platform_trouble(self._db, FAILING, schedule, message, now=now)

    async def _tell_operators(self, schedule: str, ended: Ended, *, asked: bool) -> None:
        """Of a schedule whose attempts all failed, and of its next success. Who asked for a run sees how it went."""
        now = self._now()
        try:
            if ended.error is None:
                await platform_recovered(self._db, FAILING, schedule, f"{schedule} runs again.", now=now)
            elif not (asked or ended.told):
                message = f"{schedule} failed, attempts: {ended.attempts}. {ended.error}"
                await platform_trouble(self._db, FAILING, schedule, message, now=now)
        except Transient as exc:
            log.warning("Operators not told how a schedule fares", schedule=schedule, error=str(exc))

    async def _write_down(self, occurrence: Occurrence, ended: Ended) -> None:
        now = self._now()
        _count(occurrence.schedule, ended, now)
        try:
            await store.finish(
                self._db, occurrence, error=ended.error, attempts=ended.attempts, result=ended.result, now=now
            )
            execution = await listing.get(self._db, occurrence.id)
        except (Transient, Absent) as exc:
            log.warning("Run not written down; it will be repeated", schedule=occurrence.schedule, error=str(exc))
            self._look_again(self.jobs[occurrence.schedule].schedule, store.LEASE)
            return
        log.info("Scheduled run finished", schedule=occurrence.schedule, error=ended.error, attempts=ended.attempts)
        if self.history is not None and execution.finished_at is not None:
            await _write_file(self.history, execution, now)

    async def _keep(self, occurrence: Occurrence) -> None:
        """Extend the lease until cancelled; a lost database is the run's own trouble."""
        while True:
            await asyncio.sleep(HEARTBEAT.total_seconds())
            try:
                await store.extend(self._db, occurrence, self._now())
            except Transient:
                log.debug("Lease of a run not extended", schedule=occurrence.schedule)


async def _note_missed(tx: Tx, schedule: Schedule, planned: Plan, now: datetime) -> None:
    if not planned.missed or planned.missed_to is None:
        return
    error = f"{planned.missed} occurrences were missed and are too old to run"
    await store.missed(tx, schedule.name, planned.missed_to, count=planned.missed, error=error, now=now)
    log.warning("Scheduled runs missed", schedule=schedule.name, count=planned.missed)


def _count(schedule: str, ended: Ended, now: datetime) -> None:
    if ended.success:
        metrics.SCHEDULE_LAST_SUCCESS.labels(schedule).set(now.timestamp())
    outcome = "ok" if ended.success else "failed" if ended.error else NO_DATA
    metrics.EXECUTIONS.labels(schedule, outcome).inc()


async def _write_file(history: History, execution: Execution, now: datetime) -> None:
    """The row is what counts; a file that cannot be written is a warning."""
    try:
        await asyncio.to_thread(history.write, execution)
        await asyncio.to_thread(history.prune, now)
    except OSError as exc:
        log.warning("Run not written to its file", execution_id=execution.execution_id, error=exc.strerror)
