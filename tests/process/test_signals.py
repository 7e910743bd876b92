"""Signals: stop in order, stop at once, read the settings again. Sent for real, to ourselves."""

import asyncio
import os
import signal
from contextlib import suppress

import pytest

from alertd.process import signals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_first_signal_asks_to_stop(number):
    stop = asyncio.Event()

    with signals(stop, asyncio.Event()):
        send(number)
        await stop.wait()


async def test_hangup_asks_to_reload():
    stop, reload = asyncio.Event(), asyncio.Event()

    with signals(stop, reload):
        send(signal.SIGHUP)
        await reload.wait()

    assert not stop.is_set()


async def test_second_signal_cancels_what_is_still_draining():
    stop = asyncio.Event()
    draining = asyncio.Event()

    async def daemon() -> None:
        with signals(stop, asyncio.Event()):
            await stop.wait()
            draining.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(daemon())
    await asyncio.sleep(0)
    send(signal.SIGTERM)
    await draining.wait()
    send(signal.SIGINT)
    with suppress(asyncio.CancelledError):
        await task

    assert task.cancelled()


async def test_third_signal_is_the_systems_again():
    stop = asyncio.Event()

    async def daemon() -> None:
        with signals(stop, asyncio.Event()):
            send(signal.SIGTERM)
            await stop.wait()
            send(signal.SIGTERM)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            handlers.append(signal.getsignal(signal.SIGTERM))

    handlers: list[object] = []
    await asyncio.create_task(daemon())

    assert handlers == [signal.SIG_DFL]


async def test_handlers_are_gone_afterwards():
    with signals(asyncio.Event(), asyncio.Event()):
        pass

    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
