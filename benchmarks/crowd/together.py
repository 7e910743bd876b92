"""One, two and four daemons with the same work: how fast together, who does how much, and is a limit kept?"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from benchmarks.crowd.daemon import CHECKED, DELIVERED, Daemon, running
from benchmarks.crowd.ground import Ground
from benchmarks.delivering.speed import timing

CROWDS: Final = (1, 2, 4)
ENDPOINTS: Final = 1_500  # many more than all daemons serve at once, or the last ones go to whoever has a slot free
WARMING: Final = 300  # of checks for each daemon, which loads the exchange's driver with the first one
LOOK_SECONDS: Final = 0.2
MOST_SECONDS: Final = 180.0
LIMIT: Final = 100.0
SETTLING_SECONDS: Final = 2.0  # every daemon has found the work
# Of what was done the first and the last tenth are left out: not everybody has begun, or has something left.
MIDDLE: Final = "percentile_disc(0.1) WITHIN GROUP (ORDER BY at), percentile_disc(0.9) WITHIN GROUP (ORDER BY at)"
MIDDLE_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Work:
    """The line of the log that a daemon writes when one is done, and the SQL that says when all were, since $1."""

    said: str
    moments: str


CHECKS: Final = Work(CHECKED, "SELECT check_timestamp AS at FROM credential_health_checks WHERE check_timestamp >= $1")
DELIVERIES: Final = Work(DELIVERED, "SELECT finished_at AS at FROM webhook_deliveries WHERE finished_at >= $1")


@dataclass(frozen=True, slots=True)
class Worked:
    """What a crowd did in a second, each daemon's part of all, and what one cost them and PostgreSQL."""

    per_second: float
    parts: Sequence[int]
    cpu_ms: float
    postgres_ms: float

    @property
    def unfairness(self) -> float:
        """How many times as much as the idlest did the busiest."""
        return max(self.parts) / max(1, min(self.parts))


@dataclass(frozen=True, slots=True)
class Size:
    """What there is to do for each daemon of a crowd."""

    checks: int
    deliveries: int


async def throughput(ground: Ground, size: Size) -> AsyncIterator[tuple[int, str, Worked]]:
    """How many daemons, at what, and how it went."""
    tenants = await ground.tenants(ENDPOINTS)
    async with AsyncExitStack() as stack:
        crowd: list[Daemon] = []
        for count in CROWDS:
            names = [f"daemon-{number}" for number in range(len(crowd), count)]
            opening = (stack.enter_async_context(running(ground.home, name, ground.given())) for name in names)
            crowd += await asyncio.gather(*opening)
            await _worked(ground, crowd, CHECKS, ground.due(WARMING * count), WARMING * count)
            checks, deliveries = size.checks * count, size.deliveries * count
            yield count, "checks", await _worked(ground, crowd, CHECKS, ground.due(checks), checks)
            queueing = ground.queue(tenants, each=deliveries // ENDPOINTS)
            yield count, "deliveries", await _worked(ground, crowd, DELIVERIES, queueing, deliveries)


async def _worked(
    ground: Ground, crowd: Sequence[Daemon], work: Work, giving_out: Awaitable[datetime], amount: int
) -> Worked:
    before = [daemon.count(work.said) for daemon in crowd]
    spent = sum(daemon.cpu_seconds for daemon in crowd)
    began = await giving_out
    async with timing() as speed:
        await _until(ground, f"SELECT count(*) >= $2 FROM ({work.moments}) AS done", began, amount)
    first, last = await ground.db.fetchrow(f"SELECT {MIDDLE} FROM ({work.moments}) AS done", began) or (began, began)
    parts = [daemon.count(work.said) - count for daemon, count in zip(crowd, before, strict=True)]
    return Worked(
        per_second=MIDDLE_SHARE * amount / (last - first).total_seconds(),
        parts=parts,
        cpu_ms=(sum(daemon.cpu_seconds for daemon in crowd) - spent) / amount * 1000,
        postgres_ms=speed.postgres_seconds / amount * 1000,
    )


async def _until(ground: Ground, question: str, *arguments: object) -> None:
    async with asyncio.timeout(MOST_SECONDS):
        while not await ground.db.fetchval(question, *arguments):
            await asyncio.sleep(LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Limited:
    """How far four daemons were from an exchange's limit, as a fraction: all the time, and in the busiest second."""

    error: float
    busiest: float


async def limit(ground: Ground, *, seconds: float) -> Limited:
    """As the exchange has counted."""
    async with AsyncExitStack() as stack:
        names = [f"limited-{number}" for number in range(CROWDS[-1])]
        given = ground.given(rate=LIMIT)
        await asyncio.gather(*(stack.enter_async_context(running(ground.home, name, given)) for name in names))
        due = await ground.due(int(LIMIT * (seconds + 2 * SETTLING_SECONDS)))
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + SETTLING_SECONDS)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        asked = [at for at in ground.outside.asked().exchange if began <= at < began + seconds]
        await ground.all_later()
    busiest = max(bisect_left(asked, at + 1.0) - place for place, at in enumerate(asked))
    return Limited(error=len(asked) / (LIMIT * seconds) - 1, busiest=busiest / LIMIT - 1)
