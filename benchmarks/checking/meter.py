"""What a way of checking costs this process: processor time, memory, and how long it held the event loop."""

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

TICK_SECONDS: Final = 0.005
STATUS: Final = Path("/proc/self/status")
PEAK_RESET: Final = Path("/proc/self/clear_refs")

CLIENT_CORE: Final = 1  # the exchange has the other one


@dataclass(slots=True)
class Cost:
    """Of `count` checks; filled at the end of `metering`.

    `stall_ms` is the longest time that our own computing held the event loop, `late_ms` the same by the
    clock: on a busy machine it has the waiting for a core in it. Memory is resident, `grown_mb` to its peak.
    """

    count: int
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    grown_mb: float = 0.0
    peak_mb: float = 0.0
    stall_ms: float = 0.0
    late_ms: float = 0.0

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds / self.count * 1000

    @property
    def rate(self) -> float:
        """Checks in one second of this process's CPU."""
        return self.count / self.cpu_seconds

    @property
    def figures(self) -> dict[str, float]:
        """What is reported of it."""
        return {
            "checks": self.count,
            "per_cpu_second": self.rate,
            "cpu_ms": self.cpu_ms,
            "peak_mb": self.peak_mb,
            "grown_mb": self.grown_mb,
            "stall_ms": self.stall_ms,
        }


def best(costs: Sequence[Cost]) -> Cost:
    """Of several rounds the cheapest, as only disturbances make a difference; with the worst of the stalls."""
    cheapest = min(costs, key=lambda cost: cost.cpu_ms)
    return replace(
        cheapest,
        grown_mb=max(cost.grown_mb for cost in costs),
        stall_ms=max(cost.stall_ms for cost in costs),
        late_ms=max(cost.late_ms for cost in costs),
    )


@asynccontextmanager
async def metering(count: int) -> AsyncIterator[Cost]:
    """Measures the block, which does `count` checks. What lives by now is kept out of the collector's way."""
    cost = Cost(count)
    gc.collect()
    gc.freeze()
    _forget_peak()
    before_mb = _memory_mb("VmRSS")
    ticker = asyncio.create_task(_tick(cost))
    await asyncio.sleep(0)
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        yield cost
    finally:
        cost.cpu_seconds = time.process_time() - cpu
        cost.wall_seconds = time.perf_counter() - wall
        ticker.cancel()
        cost.peak_mb = _memory_mb("VmHWM")
        cost.grown_mb = cost.peak_mb - before_mb


async def _tick(cost: Cost) -> None:
    while True:
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        late = time.perf_counter() - wall - TICK_SECONDS
        ours = min(late, time.process_time() - cpu)
        cost.late_ms = max(cost.late_ms, late * 1000)
        cost.stall_ms = max(cost.stall_ms, ours * 1000)


def pin(core: int) -> None:
    """Keep this thread to one core, where the system can; processes that it starts later inherit that."""
    with suppress(AttributeError, OSError):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def _memory_mb(name: str) -> float:
    """`VmRSS` or `VmHWM`, the peak; elsewhere than on Linux both are the peak since the start."""
    if not STATUS.exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / 1e6


def _forget_peak() -> None:
    with suppress(OSError):
        PEAK_RESET.write_text("5")
