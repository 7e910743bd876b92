"""Runs the checks as the daemon does, and says what that costs: processor time, and how long the loop was held."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from alertd.alerts.observations import policy_of
from alertd.config import PerformanceSettings
from alertd.db import Db, apply_schema, open_db
from alertd.performance.checks import CHECKS
from alertd.performance.evaluation import Outside, evaluate
from alertd.postgres import open_embedded

TICK_SECONDS: Final = 0.005
QUIET: Final = timedelta(hours=1)


@dataclass(slots=True)
class Cost:
    """Of one run. `lags_ms`: by how much each tick was late for want of the loop, not of a core."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    lags_ms: list[float] = field(default_factory=list)

    def lag_ms(self, share: float) -> float:
        """What this share of ticks stayed within."""
        return sorted(self.lags_ms)[int(share * (len(self.lags_ms) - 1))]


async def run(db: Db, check_name: str, at: datetime) -> Cost:
    """One run of a check over all subjects; it must have judged some."""
    outside = Outside(db=db, thresholds=PerformanceSettings(), policy=policy_of(QUIET), now=lambda: at)
    async with _metering() as cost:
        result = await evaluate(outside, CHECKS[check_name], at)
    assert result["outcome"] == "judged", result
    return cost


@asynccontextmanager
async def database() -> AsyncIterator[Db]:
    """An empty one of our own."""
    with TemporaryDirectory(prefix="alertd-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        async with open_embedded(home / "state", attach=False) as dsn, open_db(dsn) as db:
            await apply_schema(db)
            yield db


@asynccontextmanager
async def _metering() -> AsyncIterator[Cost]:
    """As in the daemon, what lives by now is kept out of the collector's way."""
    gc.collect()
    gc.freeze()
    cost = Cost()
    ticker = asyncio.create_task(_tick(cost))
    await asyncio.sleep(0)
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        yield cost
    finally:
        cost.cpu_seconds = time.process_time() - cpu
        cost.wall_seconds = time.perf_counter() - wall
        ticker.cancel()


async def _tick(cost: Cost) -> None:
    while True:
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        late = time.perf_counter() - wall - TICK_SECONDS
        cost.lags_ms.append(1000 * max(0.0, min(late, time.process_time() - cpu)))
