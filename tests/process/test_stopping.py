"""What ends a body early: somebody who says stop, or what runs beside it and fails."""

import asyncio

import pytest

from alertd.process import Stopped, beside, giving_up_at


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ZeroDivisionError


async def test_a_body_that_ends_in_time_is_left_alone():
    stop = asyncio.Event()

    async with giving_up_at(stop):
        await asyncio.sleep(0)
    stop.set()
    await asyncio.sleep(0)

    assert asyncio.current_task().cancelling() == 0


async def test_a_body_is_given_up_when_somebody_says_stop():
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)

    with pytest.raises(Stopped):
        async with giving_up_at(stop):
            await for_ever()


async def test_nothing_is_begun_after_somebody_said_stop():
    stop = asyncio.Event()
    stop.set()

    with pytest.raises(Stopped):
        async with giving_up_at(stop):
            await for_ever()


async def test_a_cancellation_from_outside_is_no_stop():
    async def body() -> None:
        async with giving_up_at(asyncio.Event()):
            await for_ever()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_outside_counts_more_than_a_stop():
    stop = asyncio.Event()

    async def body() -> None:
        async with giving_up_at(stop):
            await for_ever()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    stop.set()
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_runs_beside_ends_with_the_body():
    running = asyncio.Event()
    ended = []

    async def work() -> None:
        running.set()
        try:
            await for_ever()
        finally:
            ended.append("work")

    async with beside(work()):
        await running.wait()

    assert ended == ["work"]


async def test_a_failure_beside_ends_the_body():
    with pytest.raises(ZeroDivisionError):
        async with beside(fail()):
            await for_ever()


async def test_what_is_done_beside_may_end_early():
    async with beside(asyncio.sleep(0)):
        await asyncio.sleep(0.01)

    assert asyncio.current_task().cancelling() == 0


async def test_an_error_of_the_body_passes_through():
    with pytest.raises(KeyError):
        async with beside(for_ever()):
            raise KeyError
