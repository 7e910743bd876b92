"""What the outside can ask of the process: stop, stop now, read the settings again."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def signals(stop: asyncio.Event, reload: asyncio.Event) -> Iterator[None]:
    """Answer signals while inside: TERM and INT set `stop`, HUP sets `reload`.

    A second TERM or INT cancels the calling task, which skips the drain; from then on the system's
    own handling is back, so a third one ends the process whatever it is doing.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def ask_to_stop(number: signal.Signals) -> None:
        if not stop.is_set():
            log.info("Stopping", signal=number.name)
            stop.set()
            return
        log.warning("Stopping at once", signal=number.name)
        for each in _STOPPING:
            loop.remove_signal_handler(each)
        if task is not None:
            task.cancel()

    for number in _STOPPING:
        loop.add_signal_handler(number, ask_to_stop, number)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    try:
        yield
    finally:
        for number in (*_STOPPING, signal.SIGHUP):
            loop.remove_signal_handler(number)
