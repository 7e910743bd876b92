"""The alarm clock, with a real APScheduler: it rings at the time, and it notices when the time was set."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from alertd import metrics
from alertd.errors import Transient
from alertd.schedule import AlarmClock, Daily, Interval, Schedule, upcoming
from alertd.schedule.alarm import add_alarm

OFTEN = Schedule("often", Interval(timedelta(milliseconds=200)), max_age=timedelta(minutes=1))
DAILY = Schedule("daily", Daily(time(17)), max_age=timedelta(hours=6))
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SOON = timedelta(milliseconds=50)


def real_time() -> datetime:
    return datetime.now(UTC)


class Calls:
    """What the clock asked for; stops it after so many calls."""

    def __init__(self, stop: asyncio.Event, enough: int, then: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self.times: list[datetime] = []
        self._stop = stop
        self._enough = enough
        self._then = then

    async def __call__(self, schedule: Schedule) -> None:
        self.names.append(schedule.name)
        self.times.append(real_time())
        self._then()
        if len(self.names) >= self._enough:
            self._stop.set()


async def test_every_schedule_is_looked_at_at_the_start():
    stop = asyncio.Event()
    calls = Calls(stop, enough=2)

    await AlarmClock(lambda: NOON).run(stop, lambda: [DAILY, OFTEN], calls)

    assert calls.names == ["daily", "often"]


async def test_schedule_rings_at_its_times():
    stop = asyncio.Event()
    calls = Calls(stop, enough=4)
    first, _, third = upcoming(OFTEN, real_time(), count=3)

    await AlarmClock(real_time).run(stop, lambda: [OFTEN], calls)

    assert calls.times[1] >= first
    assert calls.times[3] >= third


async def test_wall_clock_set_forward_is_noticed_at_the_next_heartbeat():
    stop = asyncio.Event()
    wall = [NOON]
    calls = Calls(stop, enough=2, then=lambda: wall.append(NOON + timedelta(hours=6)))

    await AlarmClock(lambda: wall[-1], heartbeat=SOON).run(stop, lambda: [DAILY], calls)

    assert calls.names == ["daily", "daily"]


async def test_wall_clock_set_back_leads_to_another_look():
    stop = asyncio.Event()
    steps = iter([timedelta(), timedelta(hours=-1)])
    clock = AlarmClock(lambda: NOON, clock_step=lambda: next(steps, timedelta()), heartbeat=SOON)
    calls = Calls(stop, enough=2)

    await clock.run(stop, lambda: [DAILY], calls)

    assert calls.names == ["daily", "daily"]


async def test_alarm_is_set_anew_when_the_wall_clock_was_set_back():
    stop = asyncio.Event()
    looks = []

    def now() -> datetime:
        looks.append(NOON - timedelta(days=len(looks)))
        return looks[-1]

    def beat() -> None:
        if len(looks) == 2:
            stop.set()

    clock = AlarmClock(now, beat=beat, heartbeat=SOON)
    await clock.run(stop, lambda: [DAILY], Calls(stop, enough=99))

    assert next_run("daily") == datetime(2026, 1, 3, 17, tzinfo=UTC).timestamp()


def next_run(name: str) -> float | None:
    return metrics.REGISTRY.get_sample_value("alertd_schedule_next_run_timestamp_seconds", {"schedule": name})


async def test_next_run_is_told():
    stop = asyncio.Event()

    await AlarmClock(lambda: NOON).run(stop, lambda: [DAILY], Calls(stop, enough=1))

    assert next_run("daily") == datetime(2026, 1, 5, 17, tzinfo=UTC).timestamp()


async def test_schedule_that_is_gone_rings_no_more():
    stop = asyncio.Event()
    schedules = [DAILY, OFTEN]
    calls = Calls(stop, enough=4, then=lambda: schedules.__setitem__(slice(None), [OFTEN]))

    await AlarmClock(real_time).run(stop, lambda: schedules, calls)

    assert calls.names == ["daily", "often", "often", "often"]
    assert next_run("daily") is None


async def test_new_schedule_is_noticed():
    stop = asyncio.Event()
    schedules = [DAILY]
    calls = Calls(stop, enough=2, then=lambda: schedules.append(OFTEN))

    await AlarmClock(lambda: NOON, heartbeat=SOON).run(stop, lambda: schedules, calls)

    assert calls.names == ["daily", "often"]


async def test_slow_answer_is_not_overtaken_by_its_own_schedule():
    stop = asyncio.Event()
    running = []

    async def slow(schedule: Schedule) -> None:
        running.append("begin")
        await asyncio.sleep(0.5)
        running.append("end")
        if len(running) == 4:
            stop.set()

    await AlarmClock(real_time).run(stop, lambda: [OFTEN], slow)

    assert running == ["begin", "end", "begin", "end"]


async def test_slow_answer_delays_no_other_schedule():
    stop = asyncio.Event()
    calls = Calls(stop, enough=3)

    async def due(schedule: Schedule) -> None:
        if schedule is DAILY:
            await stop.wait()
        await calls(schedule)

    await AlarmClock(real_time).run(stop, lambda: [DAILY, OFTEN], due)

    assert calls.names == ["often", "often", "often", "daily"]


async def test_answers_under_way_are_waited_for_at_the_end():
    stop = asyncio.Event()
    done = []

    async def due(schedule: Schedule) -> None:
        stop.set()
        await asyncio.sleep(0.01)
        done.append(schedule.name)

    await AlarmClock(lambda: NOON).run(stop, lambda: [DAILY], due)

    assert done == ["daily"]


async def test_database_that_does_not_answer_is_asked_again_at_the_next_heartbeat():
    stop = asyncio.Event()
    answers = iter([Transient("no answer")])
    asked = []

    async def due(schedule: Schedule) -> None:
        asked.append(schedule.name)
        for error in answers:
            raise error
        stop.set()

    await AlarmClock(lambda: NOON, heartbeat=SOON).run(stop, lambda: [DAILY], due)

    assert asked == ["daily", "daily"]


async def test_bug_in_an_answer_is_not_hidden():
    async def due(_: Schedule) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await AlarmClock(lambda: NOON).run(asyncio.Event(), lambda: [DAILY], due)

    assert caught.group_contains(ZeroDivisionError)


async def test_heartbeat_goes_on_while_nothing_is_due():
    stop = asyncio.Event()
    beats = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            stop.set()

    clock = AlarmClock(lambda: NOON, beat=beat, heartbeat=SOON)
    await clock.run(stop, list, Calls(stop, enough=1))

    assert len(beats) == 3


async def test_cancelled_clock_leaves_nothing_behind():
    task = asyncio.create_task(
        AlarmClock(lambda: NOON).run(asyncio.Event(), lambda: [DAILY], Calls(asyncio.Event(), enough=1))
    )
    await asyncio.sleep(0.05)

    task.cancel()
    await asyncio.wait([task])

    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_function_that_would_never_be_awaited_is_refused():
    async def ring() -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        add_alarm(AsyncIOScheduler(), lambda: ring(), IntervalTrigger(seconds=1), name="x")
