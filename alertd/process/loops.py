"""Background loops that may not die quietly: one that fails or returns too early ends the process.

The service manager starts it again, and leases in the database bring the work back; a daemon that
lives on without its sender would look healthy and say nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from alertd.errors import AlertdError
from alertd.process.systemd import WATCHDOG, notify

log = structlog.get_logger(__name__)

Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

DRAIN: Final = timedelta(seconds=25)
_AFTER_CANCEL_SECONDS: Final = 5.0


class LoopDied(AlertdError):
    """A background loop ended that should have run for as long as the process."""


class Loops:
    """The loops of one process; made by `supervising`."""

    def __init__(self, stop: asyncio.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.deaths: list[LoopDied] = []
        self._stop = stop
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beats: dict[str, float] = {}
        self._patience: dict[str, float] = {}
        self._body = asyncio.current_task()

    def start(self, name: str, run: Run, *, patience: timedelta | None = None) -> None:
        """Start `run(stop)`; it must not return before `stop` is set.

        With `patience` the loop has to `beat` at least that often, or the watchdog lets the process die.
        """
        if name in self._tasks:
            raise ValueError(f"a loop named {name} runs already")
        self.beat(name)
        if patience is not None:
            self._patience[name] = patience.total_seconds()
        task = asyncio.create_task(run(self._stop), name=f"loop {name}")
        self._tasks[name] = task
        task.add_done_callback(partial(self._ended, name))

    def beat(self, name: str) -> None:
        """Say that the loop `name` gets on with its work."""
        self._beats[name] = self._clock()

    def stuck(self) -> tuple[str, ...]:
        """The loops that were silent for longer than they may be."""
        now = self._clock()
        return tuple(name for name, most in self._patience.items() if now - self._beats[name] > most)

    async def drain(self, within: timedelta) -> None:
        """Wait for the loops to end by themselves, then cancel what is left, then leave it behind."""
        self._body = None
        tasks = list(self._tasks.values())
        if not tasks:
            return
        try:
            await asyncio.wait(tasks, timeout=within.total_seconds())
        finally:
            await self._cancel()

    async def _cancel(self) -> None:
        left = {task for task in self._tasks.values() if not task.done()}
        for task in left:
            log.warning("Background loop cancelled", loop=task.get_name())
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_AFTER_CANCEL_SECONDS)
        for task in left:
            log.error("Background loop does not end", loop=task.get_name())

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None and self._stop.is_set():
            return
        log.critical("Background loop died", loop=name, exc_info=error)
        death = LoopDied(f"the background loop {name} ended")
        death.__cause__ = error
        self.deaths.append(death)
        self._stop.set()
        if self._body is not None:
            self._body.cancel()
            self._body = None  # once: a second cancellation would hit the drain


@asynccontextmanager
async def supervising(stop: asyncio.Event, *, drain: timedelta = DRAIN) -> AsyncIterator[Loops]:
    """Run background loops while inside; leaving sets `stop` and drains them.

    When one dies, `stop` is set, the body is cancelled, the others get their time to drain, and
    `LoopDied` is raised. A body that is cancelled from outside leaves without waiting for the drain.
    """
    loops = Loops(stop)
    body = asyncio.current_task()
    patience = drain
    try:
        yield loops
    except asyncio.CancelledError:
        if not loops.deaths or body is None or body.uncancel() > 0:
            patience = timedelta()
            raise
    finally:
        stop.set()
        await loops.drain(patience)
    if loops.deaths:
        raise loops.deaths[0]


async def watchdog(
    stop: asyncio.Event,
    *,
    interval: timedelta,
    stuck: Callable[[], tuple[str, ...]],
    ping: Callable[[str], object] = notify,
) -> None:
    """Tell the service manager at each `interval` that we live; silence, while a loop is stuck, restarts us."""
    silent = False
    while not stop.is_set():
        names = stuck()
        if not names:
            ping(WATCHDOG)
        elif not silent:
            log.critical("Background loop stuck", loops=list(names))
        silent = bool(names)
        await pause(stop, interval)


async def pause(stop: asyncio.Event, length: timedelta) -> None:
    """Sleep, or wake up when told to stop."""
    try:
        async with asyncio.timeout(length.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return


async def first_of(one: asyncio.Event, other: asyncio.Event, *, within: timedelta | None) -> None:
    """Sleep until one of the two is set, or, unless that is None, so long."""
    waits = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    try:
        patience = None if within is None else max(within.total_seconds(), 0)
        await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
