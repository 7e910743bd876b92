"""Background loops: none dies quietly, and all get their time to finish."""

import asyncio
from datetime import timedelta

import pytest

from alertd.process import LoopDied, Loops, pause, supervising, watchdog

SOON = timedelta(milliseconds=1)


async def until_stopped(stop: asyncio.Event) -> None:
    await stop.wait()


async def until_cancelled(_: asyncio.Event) -> None:
    await asyncio.Event().wait()


async def die(_: asyncio.Event) -> None:
    raise ZeroDivisionError


async def return_at_once(_: asyncio.Event) -> None:
    return


async def supervise(**runs) -> None:
    """A body that waits for ever over these loops."""
    async with supervising(asyncio.Event()) as loops:
        for name, run in runs.items():
            loops.start(name, run)
        await asyncio.Event().wait()


async def test_loops_stop_when_the_body_ends():
    stop = asyncio.Event()

    async with supervising(stop) as loops:
        loops.start("sender", until_stopped)

    assert stop.is_set()


async def test_loop_finishes_its_work_before_the_end():
    done = []

    async def drain(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.01)
        done.append("work")

    async with supervising(asyncio.Event()) as loops:
        loops.start("sender", drain)

    assert done == ["work"]


async def test_loop_that_fails_ends_the_body_and_names_itself():
    with pytest.raises(LoopDied, match="sender") as caught:
        await supervise(sender=die)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_loop_that_returns_too_early_ends_the_body():
    with pytest.raises(LoopDied, match="sender"):
        await supervise(sender=return_at_once)


async def test_loop_that_is_cancelled_by_a_stranger_ends_the_body():
    async def cancel_itself(_: asyncio.Event) -> None:
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    with pytest.raises(LoopDied):
        await supervise(sender=cancel_itself)


async def test_others_drain_when_one_loop_dies():
    done = []

    async def drain(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.01)
        done.append("work")

    with pytest.raises(LoopDied):
        await supervise(sender=drain, sweeper=die)

    assert done == ["work"]


async def test_task_is_not_left_cancelled_after_a_loop_died():
    with pytest.raises(LoopDied):
        await supervise(sender=die)

    assert asyncio.current_task().cancelling() == 0


async def test_loop_that_fails_while_draining_is_told():
    async def fail_late(stop: asyncio.Event) -> None:
        await stop.wait()
        raise ZeroDivisionError

    with pytest.raises(LoopDied):
        async with supervising(asyncio.Event()) as loops:
            loops.start("sender", fail_late)


async def test_loop_that_will_not_stop_is_cancelled_after_the_drain_time():
    async with supervising(asyncio.Event(), drain=SOON) as loops:
        loops.start("sender", until_cancelled)


async def test_error_of_the_body_stops_the_loops_too():
    stop = asyncio.Event()

    async def body() -> None:
        async with supervising(stop) as loops:
            loops.start("sender", until_stopped)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await body()

    assert stop.is_set()


async def test_cancelled_body_does_not_wait_for_the_drain():
    cancelled = []

    async def stubborn(_: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("sender")

    async def daemon() -> None:
        async with supervising(asyncio.Event(), drain=timedelta(hours=1)) as loops:
            loops.start("sender", stubborn)
            await asyncio.Event().wait()

    task = asyncio.create_task(daemon())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])

    assert (task.cancelled(), cancelled) == (True, ["sender"])


async def test_cancelling_during_the_drain_ends_it():
    stop = asyncio.Event()

    async def daemon() -> None:
        async with supervising(stop, drain=timedelta(hours=1)) as loops:
            loops.start("sender", until_cancelled)

    task = asyncio.create_task(daemon())
    await stop.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_name_is_used_once():
    async with supervising(asyncio.Event()) as loops:
        loops.start("sender", until_stopped)

        with pytest.raises(ValueError, match="sender"):
            loops.start("sender", until_stopped)


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


async def watched(clock: Clock) -> Loops:
    loops = Loops(asyncio.Event(), clock)
    loops.start("sender", until_stopped, patience=timedelta(seconds=10))
    loops.start("pruner", until_stopped)
    return loops


async def test_silent_loop_is_stuck_after_its_patience():
    clock = Clock()
    loops = await watched(clock)

    clock.at += 11

    assert loops.stuck() == ("sender",)


async def test_loop_that_beats_is_not_stuck():
    clock = Clock()
    loops = await watched(clock)

    clock.at += 9
    loops.beat("sender")
    clock.at += 9

    assert loops.stuck() == ()


async def test_watchdog_is_fed_while_nothing_is_stuck():
    stop = asyncio.Event()
    sent = []

    def ping(state: str) -> None:
        sent.append(state)
        stop.set()

    await watchdog(stop, interval=SOON, stuck=lambda: (), ping=ping)

    assert sent == ["WATCHDOG=1"]


async def test_watchdog_hears_nothing_while_a_loop_is_stuck():
    stop = asyncio.Event()
    sent = []
    looks = iter([("sender",), ("sender",), ()])

    def ping(state: str) -> None:
        sent.append(state)
        stop.set()

    await watchdog(stop, interval=SOON, stuck=lambda: next(looks), ping=ping)

    assert (sent, list(looks)) == (["WATCHDOG=1"], [])


async def test_pause_ends_when_told_to_stop():
    stop = asyncio.Event()
    stop.set()

    await pause(stop, timedelta(hours=1))
