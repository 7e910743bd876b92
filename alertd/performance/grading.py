"""Grades readings one after the other, as they would have been had they come in the order of time. Pure."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from alertd.performance.quality import graded
from alertd.performance.returns import Flow, Quality, Snapshot

LOOK_BACK: Final = 60  # readings that a new one is held against


def regraded(earlier: Sequence[Snapshot], readings: Sequence[Snapshot], flows: Sequence[Flow]) -> Iterator[Snapshot]:
    """The readings with their grades; `earlier` ones keep theirs. All are in the order of time.

    What could not be valued stays so.
    """
    known = deque(earlier, maxlen=LOOK_BACK)
    times = [flow.at for flow in flows]
    for reading in readings:
        if reading.quality is not Quality.PARTIAL:
            first = bisect_left(times, known[0].at) if known else 0
            between = flows[first : bisect_right(times, reading.at)]
            reading = replace(reading, quality=graded(reading, list(known), between))
        known.append(reading)
        yield reading
