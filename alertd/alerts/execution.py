"""Runs scheduled jobs: decides by the database which occurrence is due, runs it once, writes down how it went."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_exponential

from alertd import metrics
from alertd.alerts import occurrence_store as store
from alertd.alerts.occurrence_store import Occurrence, Source
from alertd.config import RetrySettings
from alertd.db import Db, new_id
from alertd.errors import AlertdError, Transient
from alertd.schedule import Schedule, plan

log = structlog.get_logger(__name__)

Work = Callable[[datetime], Awaitable[Mapping[str, Any]]]

HEARTBEAT: Final = store.LEASE / 3


@dataclass(frozen=True, slots=True)
class Job:
    """A schedule and what it runs; the work is told the scheduled time and returns what to keep of it."""

    schedule: Schedule
    work: Work
    retry: RetrySettings


class Executions:
    """The occurrences that this process runs."""

    def __init__(self, db: Db, jobs: Mapping[str, Job], now: Callable[[], datetime]) -> None:
        self._db = db
        self.jobs = jobs
        self._now = now
        self._owner: UUID = new_id()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def due(self, schedule: Schedule) -> None:
        """Run what is due of this schedule, if anything is. May be called at any time, and often."""
        if schedule.name in self._running:
            return
        try:
            occurrence = await self._claim(schedule)
        except Transient as exc:
            log.warning("Schedule waits for the database", schedule=schedule.name, error=str(exc))
            return
        if occurrence is not None:
            task = asyncio.create_task(self._run(self.jobs[schedule.name], occurrence))
            self._running[schedule.name] = task
            task.add_done_callback(lambda _: self._running.pop(schedule.name, None))

    async def drain(self, grace: timedelta) -> None:
        """Let runs under way end; one that does not is taken over by the next process."""
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self, schedule: Schedule) -> Occurrence | None:
        now = self._now()
        switch = await store.switch(self._db, schedule.name, now)
        if not switch.enabled:
            return None
        again = await store.interrupted(self._db, schedule.name, now)
        if again is not None:
            return await self._take(schedule, again, Source.CATCH_UP)
        last = await store.last_scheduled(self._db, schedule.name, now)
        planned = plan(schedule, last=last, since=switch.since, now=now)
        if planned.missed and planned.missed_to is not None:
            await store.missed(
                self._db,
                schedule.name,
                planned.missed_to,
                count=planned.missed,
                error=f"{planned.missed} occurrences were missed and are too old to run",
                now=now,
            )
            log.warning("Scheduled runs missed", schedule=schedule.name, count=planned.missed)
        if planned.run is None:
            return None
        metrics.SCHEDULE_LATENESS.observe(planned.late.total_seconds())
        late = planned.late > HEARTBEAT
        return await self._take(schedule, planned.run, Source.CATCH_UP if late else Source.SCHEDULE)

    async def _take(self, schedule: Schedule, at: datetime, source: Source) -> Occurrence | None:
        return await store.claim(self._db, schedule.name, at, source=source, owner=self._owner, now=self._now())

    async def _run(self, job: Job, occurrence: Occurrence) -> None:
        """Run to the end, keeping the lease; whatever happens, the row says how it went."""
        attempts, error, result = 0, None, None
        keeper = asyncio.create_task(self._keep(occurrence))
        try:
            async for attempt in _attempts(job):
                with attempt:
                    attempts = attempt.retry_state.attempt_number
                    result = await job.work(occurrence.scheduled_at)
        except AlertdError as exc:
            error = str(exc)
        except Exception as exc:  # around an occurrence: the schedule goes on
            log.exception("Scheduled run broke", schedule=occurrence.schedule)
            error = f"internal error ({type(exc).__name__}); see the log"
        finally:
            keeper.cancel()
        await self._write_down(occurrence, attempts, error, result)

    async def _write_down(
        self, occurrence: Occurrence, attempts: int, error: str | None, result: Mapping[str, Any] | None
    ) -> None:
        now = self._now()
        if error is None:
            metrics.SCHEDULE_LAST_SUCCESS.labels(occurrence.schedule).set(now.timestamp())
        metrics.EXECUTIONS.labels(occurrence.schedule, "ok" if error is None else "failed").inc()
        try:
            await store.finish(self._db, occurrence, error=error, attempts=attempts, result=result, now=now)
        except Transient as exc:
            log.warning("Run not written down; it will be repeated", schedule=occurrence.schedule, error=str(exc))
            return
        log.info("Scheduled run finished", schedule=occurrence.schedule, error=error, attempts=attempts)

    async def _keep(self, occurrence: Occurrence) -> None:
        """Extend the lease until cancelled; a lost database is the run's own trouble."""
        while True:
            await asyncio.sleep(HEARTBEAT.total_seconds())
            try:
                await store.extend(self._db, occurrence, self._now())
            except Transient:
                log.debug("Lease of a run not extended", schedule=occurrence.schedule)


def _attempts(job: Job) -> AsyncRetrying:
    retry = job.retry
    return AsyncRetrying(
        stop=stop_after_attempt(max(1, retry.max_attempts)),
        wait=wait_exponential(multiplier=retry.initial_delay, exp_base=retry.backoff_multiplier, max=retry.max_delay),
        before_sleep=lambda state: _say_retry(job.schedule.name, state),
        reraise=True,
    )


def _say_retry(schedule: str, state: RetryCallState) -> None:
    log.info("Scheduled run retry", schedule=schedule, attempt=state.attempt_number)
