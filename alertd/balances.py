"""Reads what accounts are worth from their exchanges, where that is switched on, and hands it to performance.

The one place that knows both sides: whose key to ask with, and whose equity it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd.config import Settings
from alertd.credentials.equity import VALUATIONS
from alertd.credentials.quirks.shape import Call
from alertd.db import Db
from alertd.errors import Refused, StoreDown, Transient
from alertd.model import CredentialRef, Secret
from alertd.performance.reading_store import DueAccount, adopt_accounts, claim_due, read_again, unread_exchanges
from alertd.performance.readings import OwnReading, receive_reading
from alertd.process.loops import pause
from alertd.secretstore import SecretStore

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=1)
BATCH: Final = 20

Read = Callable[[CredentialRef, Secret, Sequence[Call]], Awaitable[tuple[object, ...] | None]]


@dataclass(frozen=True, slots=True)
class Balances:
    """What reading takes; `settings` are those in force."""

    db: Db
    secrets: SecretStore
    read: Read
    settings: Callable[[], Settings]
    now: Callable[[], datetime]
    told: set[str] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Read what is due, until told to stop."""
        waits = False
        while not stop.is_set():
            if self.settings().performance.read_balances:
                waits = await self._attempt(stop, waits=waits)
            await pause(stop, EVERY)

    async def _attempt(self, stop: asyncio.Event, *, waits: bool) -> bool:
        """Whether balances wait now; the log hears when that changes."""
        try:
            await self.read_due(going=lambda: not stop.is_set())
        except Transient as exc:
            if not waits:
                log.warning("Balances wait", problem=str(exc))
            return True
        if waits:
            log.info("Balances are read again")
        return False

    async def read_due(self, *, going: Callable[[], bool] = lambda: True) -> int:
        """Every account that is due, once, while `going`; how many readings were stored. Raises Transient."""
        stored, every = 0, timedelta(hours=self.settings().performance.balance_interval_hours)
        enabled = [exchange for exchange in VALUATIONS if self.settings().exchange(exchange).enabled]
        await self._tell_unread()
        await adopt_accounts(self.db, enabled, every=every, now=self.now())
        while going() and (due := await claim_due(self.db, every=every, limit=BATCH, now=self.now())):
            read = await asyncio.gather(*(self._read(account, every) for account in due), return_exceptions=True)
            stored += sum(found is True for found in read)
            if broken := next((found for found in read if isinstance(found, BaseException)), None):
                raise broken
        return stored

    async def _tell_unread(self) -> None:
        """Once for each exchange."""
        found = set(await unread_exchanges(self.db, list(VALUATIONS))) - self.told
        if found:
            log.warning("No equity is read from these exchanges; send it yourself", exchanges=sorted(found))
            self.told.update(found)

    async def _read(self, account: DueAccount, every: timedelta) -> bool:
        """An account that cannot be read now is left out: its missing readings are what is shown and told."""
        valuation = VALUATIONS.get(account.ref.exchange)
        if valuation is None:
            return False
        try:
            secret = await self.secrets.read(account.ref)
        except Refused:
            return False
        except StoreDown:
            # Nobody's keys can be had now: it costs a minute, and no reading.
            await read_again(self.db, account.subject_id, self.now())
            raise
        bodies = await self.read(account.ref, secret, valuation.calls)
        valued = None if bodies is None else valuation.value(bodies)
        if valued is None:
            log.info("Balance not read", exchange=account.ref.exchange, tenant_id=str(account.ref.tenant_id))
            return False
        reading = OwnReading(self.now(), valued.equity, valued.currency, valued.unpriced)
        async with self.db.transaction() as tx:
            return await receive_reading(tx, account.subject_id, reading, every=every) is not None
