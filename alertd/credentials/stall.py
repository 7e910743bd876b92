"""Notices when our own event loop stood still: what timed out meanwhile says nothing about an exchange."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

TICK_SECONDS: Final = 0.25
STALL_SECONDS: Final = 1.0

# Whether the loop stood still at some time since the given moment of its clock.
StalledSince = Callable[[float], bool]


class _Probe:
    """A timer that measures how late it is, four times a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._last_stall = float("-inf")
        self._last_tick = loop.time()
        self._timer = loop.call_later(TICK_SECONDS, self._tick)

    def stalled_since(self, moment: float) -> bool:
        # A tick that is due but has not run yet must not hide the stall.
        return self._last_stall >= moment or self._late()

    def stop(self) -> None:
        self._timer.cancel()

    def _late(self) -> bool:
        return self._loop.time() - self._last_tick > TICK_SECONDS + STALL_SECONDS

    def _tick(self) -> None:
        if self._late():
            self._last_stall = self._loop.time()
        self._last_tick = self._loop.time()
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)


@contextmanager
def probing_stalls() -> Iterator[StalledSince]:
    """Watches the running loop."""
    probe = _Probe(asyncio.get_running_loop())
    try:
        yield probe.stalled_since
    finally:
        probe.stop()
