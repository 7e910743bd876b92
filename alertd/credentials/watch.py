"""Whether the secret store can be used: remembers the edge, tells operators once, asks again gently."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.alerts import pipeline
from alertd.db import Db
from alertd.errors import StoreDown, Transient
from alertd.secretstore import SecretStore

log = structlog.get_logger(__name__)

RULE: Final = "secret_store"
FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(seconds=60)


class StoreWatch:
    """The state of the secret store as this process sees it."""

    def __init__(self, db: Db, secrets: SecretStore, now: Callable[[], datetime]) -> None:
        self._db = db
        self._secrets = secrets
        self._now = now
        self._usable = asyncio.Event()
        self._usable.set()
        self._wait = FIRST_WAIT
        self._ask_at = 0.0  # of the loop's clock
        self._untold: str | None = None

    @property
    def usable(self) -> bool:
        return self._usable.is_set()

    async def lost(self, exc: StoreDown) -> None:
        """Nothing can be read: stop asking, and tell operators on the edge."""
        metrics.SECRET_STORE_UP.set(0)
        if not self.usable:
            return
        self._usable.clear()
        log.error("Secret store lost", store=self._secrets.name, fault=str(exc.fault), error=str(exc))
        self._untold = str(exc)
        await self._tell()

    async def _tell(self) -> None:
        """While the database is away too, it is tried again each time that the store was asked in vain."""
        if self._untold is None:
            return
        with suppress(Transient):
            await pipeline.platform_trouble(self._db, RULE, self._secrets.name, self._untold, now=self._now())
            self._untold = None

    async def ask_again(self) -> bool:
        """Whether it is back. It is asked less and less often; in between the answer is no, at once."""
        clock = asyncio.get_running_loop().time
        if clock() < self._ask_at:
            return False
        try:
            await self._secrets.health()
        except StoreDown:
            await self._tell()
            self._ask_at = clock() + self._wait.total_seconds()
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            return False
        await self.found()
        return True

    async def found(self) -> None:
        """It answered. Also closes an episode that an earlier process opened."""
        metrics.SECRET_STORE_UP.set(1)
        self._wait, self._ask_at = FIRST_WAIT, 0.0
        self._untold = None
        recovered = await pipeline.platform_recovered(
            self._db, RULE, self._secrets.name, "The secret store answers again.", now=self._now()
        )
        if recovered or not self.usable:
            log.info("Secret store recovered", store=self._secrets.name)
        self._usable.set()
