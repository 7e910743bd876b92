"""Deliveries, and what they cost: time, processor time of the sending process, and that of its PostgreSQL."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Speed:
    """`deliveries` is for the measured block to fill in."""

    deliveries: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    postgres_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return self.deliveries / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """By all processor time that a delivery takes on our side, PostgreSQL's included."""
        return self.deliveries / (self.cpu_seconds + self.postgres_seconds)


@asynccontextmanager
async def timing() -> AsyncIterator[Speed]:
    """Measures the block."""
    speed = Speed()
    wall, cpu, postgres = time.perf_counter(), time.process_time(), _children_seconds()
    try:
        yield speed
    finally:
        speed.seconds = time.perf_counter() - wall
        speed.cpu_seconds = time.process_time() - cpu
        speed.postgres_seconds = _children_seconds() - postgres


def _children_seconds() -> float:
    """Processor time of every PostgreSQL process below this one; 0 where there is no /proc."""
    stats = [stat for file in PROC.glob("[0-9]*/stat") if (stat := _stat(file))]
    parents = {int(fields[0]): int(fields[3]) for fields in stats}

    def ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and ours(parents[pid]))

    # user and system time, and those of children that have ended
    return sum(
        sum(map(int, fields[13:17])) / TICKS
        for fields in stats
        if fields[1].startswith("postgres") and ours(int(fields[0]))
    )


def _stat(file: Path) -> list[str] | None:
    """The fields of `/proc/PID/stat`; the name is in brackets and may hold spaces."""
    try:
        before, _, after = file.read_text().rpartition(")")
    except OSError:
        return None
    pid, _, name = before.partition(" (")
    return [pid, name, *after.split()]
