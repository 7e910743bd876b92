"""Keeps to each exchange's request budget together with every other process on the same database.

Time is reserved in blocks of about a fifth of a second with one statement and handed out here, one
request after the other. What is not used lapses, so that pauses are never made up for by a burst.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd.config import Settings
from alertd.credentials import limits_store
from alertd.credentials.limits_store import DOUBLINGS, Standing
from alertd.db import Db
from alertd.errors import Transient
from alertd.model import Reason

log = structlog.get_logger(__name__)

BLOCK_SECONDS: Final = 0.2
# Timers are about this coarse: what they lose at high rates may be caught up.
GRAIN_SECONDS: Final = 0.02
TIMER_SECONDS: Final = 0.001  # not worth a timer
ROUNDING: Final = 1e-6
HORIZON: Final = timedelta(minutes=1)
CEILING: Final = timedelta(minutes=15)


FREE: Final = Standing()


@dataclass(slots=True)
class _Budget:
    """One exchange, as this process knows it; times are those of the loop's clock."""

    width: float  # seconds of one request
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    ends_at: float = 0.0
    standing: Standing = FREE


class Limits:
    """The budgets of all exchanges. Without a database each process keeps to them by itself."""

    def __init__(self, db: Db | None, settings: Settings, now: Callable[[], datetime]) -> None:
        self._db = db
        self._settings = settings
        self._now = now
        self._budgets: dict[str, _Budget] = {}

    def adopt(self, settings: Settings) -> None:
        """Use these settings from the next request on; time that is reserved already stays."""
        self._settings = settings
        for exchange, budget in self._budgets.items():
            budget.width = 1.0 / settings.exchange(exchange).requests_per_second

    async def take(self, exchange: str, cost: float = 1.0) -> None:
        """Returns when a request may go out, or at once when the exchange turns out to be backed off.

        Ask `backed_off` afterwards. Requests go one after the other, in the order of asking.
        """
        budget = self._budget(exchange)
        async with budget.lock:
            if self.backed_off(exchange) is not None:
                return
            starts_at = await self._slot(exchange, budget, budget.width * cost)
            delay = starts_at - asyncio.get_running_loop().time()
            if delay > TIMER_SECONDS and self.backed_off(exchange) is None:
                await asyncio.sleep(delay)

    def take_at_once(self, exchange: str, cost: float = 1.0) -> bool:
        """`take` without a queue; False where that is not to be had, and nothing is taken.

        It needs a slot that is due already and in the block in hand, nobody who waits, and no back-off.
        """
        budget = self._budget(exchange)
        at, width = asyncio.get_running_loop().time(), budget.width * cost
        starts_at = _next_start(budget, width, at)
        late = starts_at <= at and starts_at + width <= budget.ends_at + ROUNDING
        if not late or budget.lock.locked() or self.backed_off(exchange) is not None:
            return False
        budget.next_at = starts_at + width
        return True

    async def back_off(self, exchange: str, seconds: float, reason: Reason, *, ceiling: timedelta = CEILING) -> None:
        """Leaves the exchange alone for so long; each time in a row twice as long, up to the ceiling.

        Never raises: without the database it holds in this process at least.
        """
        budget = self._budget(exchange)
        now, wait = self._now(), timedelta(seconds=seconds)
        if self.backed_off(exchange) is None:
            log.warning("Exchange backed off", exchange=exchange, reason=reason)
        budget.standing = _backed_off(budget.standing, now=now, wait=wait, ceiling=ceiling, reason=reason)
        if self._db is None:
            return
        try:
            budget.standing = await limits_store.back_off(
                self._db, exchange, now=now, wait=wait, ceiling=ceiling, reason=reason
            )
        except Transient:
            log.warning("Back-off could not be shared", exchange=exchange)

    def backed_off(self, exchange: str) -> Reason | None:
        """The reason that opened the back-off under way, None when there is none."""
        standing = self._budget(exchange).standing
        if standing.until is None:
            return None
        return standing.reason if standing.until > self._now() else None

    def shaken(self, exchange: str) -> bool:
        """Whether there is anything that an answer in earnest would end."""
        return self._budget(exchange).standing.backoffs > 0

    async def recover(self, exchange: str) -> None:
        """The exchange answered in earnest; a no-op unless it was backed off before."""
        budget = self._budget(exchange)
        if not self.shaken(exchange) or self.backed_off(exchange) is not None:
            return
        budget.standing = FREE
        if self._db is not None:
            await limits_store.recover(self._db, exchange, now=self._now())

    def _budget(self, exchange: str) -> _Budget:
        budget = self._budgets.get(exchange)
        if budget is None:
            rate = self._settings.exchange(exchange).requests_per_second
            budget = self._budgets[exchange] = _Budget(width=1.0 / rate)
        return budget

    async def _slot(self, exchange: str, budget: _Budget, width: float) -> float:
        starts_at = _next_start(budget, width, asyncio.get_running_loop().time())
        if starts_at + width > budget.ends_at + ROUNDING:
            span = max(width, int(BLOCK_SECONDS / budget.width) * budget.width)
            starts_at = await self._reserve(exchange, budget, span)
            budget.ends_at = starts_at + span
        budget.next_at = starts_at + width
        return starts_at

    async def _reserve(self, exchange: str, budget: _Budget, span: float) -> float:
        """When the next block starts, on the loop's clock."""
        loop = asyncio.get_running_loop()
        if self._db is None:
            return max(budget.ends_at, loop.time())
        starts_at, budget.standing = await limits_store.reserve(
            self._db,
            exchange,
            now=self._now(),
            span=timedelta(seconds=span),
            horizon=max(HORIZON, timedelta(seconds=50 * span)),
        )
        return loop.time() + (starts_at - self._now()).total_seconds()


def _next_start(budget: _Budget, width: float, at: float) -> float:
    """What a timer slept too long may be caught up, and no more."""
    return max(budget.next_at, at - max(0.0, GRAIN_SECONDS - width))


def _backed_off(standing: Standing, *, now: datetime, wait: timedelta, ceiling: timedelta, reason: Reason) -> Standing:
    """What `limits_store.back_off` does, for this process alone."""
    if standing.until is not None and standing.until > now:
        later = now + wait > standing.until
        return Standing(max(standing.until, now + wait), reason if later else standing.reason, standing.backoffs)
    doubled = min(wait * 2 ** min(standing.backoffs, DOUBLINGS), ceiling)
    return Standing(now + max(wait, doubled), reason, standing.backoffs + 1)
