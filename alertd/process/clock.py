"""Notice that somebody set the wall clock, by comparing it with the monotonic one."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=2)


class ClockSteps:
    """Call it now and then: the answer is how far the wall clock was set since the call before.

    Zero while the two clocks agree within `tolerance`; positive if the wall clock was set forward.
    A slow drift that a time daemon corrects by slewing stays unnoticed, as it should.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        tolerance: timedelta = TOLERANCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._tolerance = tolerance
        self._wall, self._mono = now(), monotonic()

    def __call__(self) -> timedelta:
        wall, mono = self._now(), self._monotonic()
        step = (wall - self._wall) - timedelta(seconds=mono - self._mono)
        self._wall, self._mono = wall, mono
        return step if abs(step) > self._tolerance else timedelta()
