"""Do two processes on one database keep an exchange's limit together, and use all of it?"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from alertd.config import Settings
from alertd.credentials.limits import Limits
from alertd.db import apply_schema, open_db
from alertd.postgres import open_embedded

RATE: Final = 100.0
PROCESSES: Final = 2
IN_FLIGHT: Final = 20
SETTLING_SECONDS: Final = 1.0  # both are past their first blocks
LATE_SECONDS: Final = 1.0  # by which one may begin after the other


@dataclass(frozen=True, slots=True)
class Shared:
    """`error` is how far the processes together were from the limit, as a fraction; below zero is slower."""

    error: float
    shares: Sequence[int]
    most_in_a_second: int


async def measure(seconds: float) -> Shared:
    with TemporaryDirectory(prefix="alertd-bench-") as folder:
        Path(folder).chmod(0o755)
        async with open_embedded(Path(folder), attach=False) as dsn, open_db(dsn) as db:
            await apply_schema(db)
            return await _together(dsn, folder, seconds)


async def _together(dsn: str, folder: str, seconds: float) -> Shared:
    loop, context = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
    start = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_wait_by, initargs=(start,)) as pool:
        taken = await asyncio.gather(
            *(loop.run_in_executor(pool, _take, dsn, folder, seconds) for _ in range(PROCESSES))
        )
    begins = max(times[0] for times in taken) + SETTLING_SECONDS
    counted = [[at for at in times if begins <= at < begins + seconds] for times in taken]
    together = sorted(at for times in counted for at in times)
    return Shared(
        error=len(together) / (RATE * seconds) - 1,
        shares=[len(times) for times in counted],
        most_in_a_second=max(_within_a_second(together, start) for start in range(len(together))),
    )


def _within_a_second(times: Sequence[float], start: int) -> int:
    return sum(1 for at in times[start : start + 2 * int(RATE)] if at < times[start] + 1)


_start: Barrier  # of the process that `_wait_by` ran in


def _wait_by(start: Barrier) -> None:
    global _start
    _start = start


def _take(dsn: str, folder: str, seconds: float) -> list[float]:
    """One process: when its requests could have gone out."""
    return asyncio.run(_take_for(dsn, folder, seconds))


async def _take_for(dsn: str, folder: str, seconds: float) -> list[float]:
    settings = Settings(state_dir=Path(folder), exchanges={"okx": {"requests_per_second": RATE}})
    times: list[float] = []
    async with open_db(dsn) as db:
        limits = Limits(db, settings, lambda: datetime.now(UTC))
        await asyncio.to_thread(_start.wait)
        ends_at = time.time() + SETTLING_SECONDS + seconds + LATE_SECONDS

        async def ask() -> None:
            while time.time() < ends_at:
                await limits.take("okx")
                times.append(time.time())

        await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))
    return times
