"""The alarm clock: APScheduler wakes us, the database decides, and no work runs inside its jobs.

Everything of APScheduler that loses runs (its cron parser, misfires, stores, shutdown) is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from typing import Final

import structlog
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from alertd import metrics
from alertd.errors import Transient
from alertd.schedule.occurrences import Schedule, next_after

log = structlog.get_logger(__name__)

HEARTBEAT: Final = timedelta(seconds=15)


def no_step() -> timedelta:
    """A clock that nobody ever sets."""
    return timedelta()


class AlarmClock:
    """Says when a schedule may be due; the database decides whether it is.

    `now` is the time that counts. `clock_step` tells how far the wall clock was set since it was last
    asked. `beat` is called at each look, at least every `heartbeat`: silence means that we hang.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        clock_step: Callable[[], timedelta] = no_step,
        beat: Callable[[], None] = lambda: None,
        heartbeat: timedelta = HEARTBEAT,
    ) -> None:
        self._now = now
        self._clock_step = clock_step
        self._beat = beat
        self._heartbeat = heartbeat
        self._woken = asyncio.Event()
        self._next: dict[str, datetime] = {}
        self._pending: set[str] = set()
        self._answering: set[str] = set()

    def look_anew(self) -> None:
        """Ask for the schedules now and take nothing of them for known, as at the start."""
        self._next.clear()
        self._woken.set()

    async def run(
        self,
        stop: asyncio.Event,
        schedules: Callable[[], Sequence[Schedule]],
        due: Callable[[Schedule], Awaitable[None]],
    ) -> None:
        """Call `due` for each schedule at the start, at its times, and after the clock was set.

        It may be called too often and must not mind. Calls for one schedule follow each other, those for
        different ones overlap. `Transient` is tried again at the next heartbeat; other errors end the
        run. When told to stop, it waits for the calls under way.
        """
        async with self._ticking() as scheduler, asyncio.TaskGroup() as calls:
            calls.create_task(self._wake_at(stop))
            while not stop.is_set():
                self._woken.clear()
                self._beat()
                for schedule in self._look(scheduler, schedules()):
                    calls.create_task(self._answer(schedule, due), name=f"due {schedule.name}")
                await self._woken.wait()

    @asynccontextmanager
    async def _ticking(self) -> AsyncIterator[AsyncIOScheduler]:
        scheduler = AsyncIOScheduler(
            timezone=UTC,  # the host's otherwise
            jobstores={"default": MemoryJobStore()},  # the others unpickle what they find
            executors={"default": AsyncIOExecutor()},
            # only heard in job_defaults; without it a loop that was busy for a second loses the alarm
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # Its timers run on the monotonic clock: only a regular look notices that the wall clock was set.
        every = IntervalTrigger(seconds=self._heartbeat.total_seconds(), timezone=UTC)
        add_alarm(scheduler, self._ring, every, name="heartbeat")
        scheduler.start()
        try:
            yield scheduler
        finally:
            scheduler.shutdown(wait=False)  # cancels jobs whatever `wait` says; ours have nothing to lose
            await asyncio.sleep(0)  # and does it in the next turn of the loop

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    async def _ring(self) -> None:
        self._woken.set()

    async def _answer(self, schedule: Schedule, due: Callable[[Schedule], Awaitable[None]]) -> None:
        try:
            await due(schedule)
        except Transient as error:
            log.warning("Schedule could not be looked at", schedule=schedule.name, error=str(error))
            self._pending.add(schedule.name)
            return
        finally:
            self._answering.discard(schedule.name)
        if schedule.name in self._pending:
            self._woken.set()

    def _look(self, scheduler: AsyncIOScheduler, schedules: Sequence[Schedule]) -> list[Schedule]:
        """Set the alarms anew; the schedules that may be due and are not being answered already."""
        now = self._now()
        step = self._clock_step()
        if step:
            log.warning("Wall clock was set", seconds=step.total_seconds())
        self._forget(scheduler, {schedule.name for schedule in schedules})
        for schedule in schedules:
            known = self._next.get(schedule.name)
            if known is None or known <= now or step:
                self._pending.add(schedule.name)
            self._arm(scheduler, schedule, now)
        ready = [each for each in schedules if each.name in self._pending - self._answering]
        names = {schedule.name for schedule in ready}
        self._pending -= names
        self._answering |= names
        return ready

    def _arm(self, scheduler: AsyncIOScheduler, schedule: Schedule, now: datetime) -> None:
        at = next_after(schedule, now)
        if at == self._next.get(schedule.name) and scheduler.get_job(f"due {schedule.name}") is not None:
            return
        self._next[schedule.name] = at
        metrics.SCHEDULE_NEXT_RUN.labels(schedule=schedule.name).set(at.timestamp())
        run_date = datetime.now(UTC) + (at - now)  # by APScheduler's own clock, which may not be ours
        add_alarm(scheduler, self._ring, DateTrigger(run_date, timezone=UTC), name=f"due {schedule.name}")

    def _forget(self, scheduler: AsyncIOScheduler, names: set[str]) -> None:
        for gone in self._next.keys() - names:
            del self._next[gone]
            self._pending.discard(gone)
            metrics.SCHEDULE_NEXT_RUN.remove(gone)
            if scheduler.get_job(f"due {gone}") is not None:
                scheduler.remove_job(f"due {gone}")


def add_alarm(
    scheduler: AsyncIOScheduler,
    job: Callable[[], Awaitable[None]],
    trigger: DateTrigger | IntervalTrigger,
    *,
    name: str,
) -> None:
    """Add a job, replacing its namesake.

    Of a plain function that returns a coroutine APScheduler reports success without ever running it.
    """
    if not iscoroutinefunction(job):
        raise TypeError(f"{name} must be a coroutine function")
    scheduler.add_job(job, trigger, id=name, replace_existing=True)
