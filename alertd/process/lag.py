"""Was the event loop standing still? A check that timed out meanwhile says nothing about the exchange."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.process.loops import pause

log = structlog.get_logger(__name__)

STALL_SECONDS: Final = 1.0
PERIOD_SECONDS: Final = 0.1
WINDOW_SECONDS: Final = 60.0


class LoopLag:
    """Measures how late the event loop is. Times are seconds of `clock`, which must be monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticked_at: float | None = None
        self._stalled_at: float | None = None
        # (when, how late), each later than all that follow it: the first is the worst of the window
        self._worst: deque[tuple[float, float]] = deque()

    async def run(self, stop: asyncio.Event) -> None:
        """Measure until told to stop; a background loop."""
        while not stop.is_set():
            self.tick()
            await pause(stop, timedelta(seconds=PERIOD_SECONDS))
        self._ticked_at = None

    def stalled_since(self, moment: float) -> bool:
        """Whether the loop stood still for more than `STALL_SECONDS` at any time after `moment`.

        Right even for the first code to run after the stall, before `run` itself has noticed it.
        False while nothing measures.
        """
        now = self._clock()
        if self._ticked_at is not None and now - self._ticked_at > STALL_SECONDS:
            return True
        return self._stalled_at is not None and self._stalled_at >= moment

    def tick(self) -> None:
        """Note that the loop turns; expected every `PERIOD_SECONDS`."""
        now = self._clock()
        if self._ticked_at is not None:
            self._note(now, gap=now - self._ticked_at)
        self._ticked_at = now

    def _note(self, now: float, *, gap: float) -> None:
        late = max(0.0, gap - PERIOD_SECONDS)
        metrics.LOOP_DELAYS.observe(late)
        while self._worst and self._worst[-1][1] <= late:
            self._worst.pop()
        self._worst.append((now, late))
        while self._worst[0][0] < now - WINDOW_SECONDS:
            self._worst.popleft()
        metrics.LOOP_LAG.set(self._worst[0][1])
        if gap > STALL_SECONDS:
            self._stalled_at = now
            log.warning("Event loop stood still", seconds=round(gap, 1))
