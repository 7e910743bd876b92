"""One login to Vault, kept alive: every request runs in a few threads, none longer than the timeout.

A login is renewed at half of its life. Where renewing no longer helps (the token's longest life is
near, or the token is gone) we log in again, if the way of logging in allows it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import structlog

from alertd.errors import Refused, StoreDown
from alertd.process import first_of
from alertd.secretstore.vault import Lease, Vault
from alertd.secretstore.vault_server import Denied

T = TypeVar("T")

log = structlog.get_logger(__name__)

RENEWED_AFTER: Final = 0.5  # of a login's life
# A renewal that gives less than this part of the life before was cut: the longest life is near.
FULL_RENEWAL: Final = 0.9
RETRY_SECONDS: Final = (0.5, 30.0)


class Session:
    """Logs in when first needed, so that it can be made while the server is down."""

    def __init__(self, vault: Vault, *, threads: int, timeout_seconds: float) -> None:
        self._vault = vault
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="vault")
        self._turn = asyncio.Semaphore(threads)
        self._door = asyncio.Lock()
        self._silences = 0  # requests that were given up
        self._logins = 0
        self._failures = 0
        self._failure: StoreDown | None = None
        self._lease = Lease(seconds=0, renewable=False)
        self._due: float | None = None
        self._changed = asyncio.Event()
        self._in_trouble = False

    def close(self) -> None:
        """Waits for no request; one that hangs ends with its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._vault.close()

    async def call(self, ask: Callable[..., T], *args: object) -> T:
        """Runs a method of `Vault`; a Denied from here is a policy's, never a dead token's."""
        login = await self._logged_in(newer_than=0)
        try:
            return await self._run(ask, *args)
        except Denied:
            # Compared twice: somebody may have logged in while we asked, and then a new token has answered.
            if login == self._logins and await self._run(self._vault.token_lives) and login == self._logins:
                raise
        await self._logged_in(newer_than=login)
        return await self._run(ask, *args)

    async def keep(self, stop: asyncio.Event) -> None:
        """The background loop; an outage is logged once and tried again."""
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            self._changed.clear()
            left = None if self._due is None else timedelta(seconds=self._due - clock())
            await first_of(stop, self._changed, within=left)
            if self._due is not None and clock() >= self._due and not stop.is_set():
                await self._extend(self._lease)

    async def _logged_in(self, *, newer_than: int) -> int:
        """The number of the login in force. Callers who waited behind a failed attempt share its failure."""
        failures = self._failures
        async with self._door:
            if self._logins > newer_than:
                return self._logins
            if self._failures > failures and self._failure is not None:
                raise StoreDown(self._failure.fault, str(self._failure))
            try:
                login = await self._run(self._vault.log_in)
            except StoreDown as down:
                self._failures += 1
                self._failure = down
                raise
            # Together, on the loop: whoever sees the old number has used the old token.
            self._vault.use(login)
            self._logins += 1
            log.info("Logged in to the secret store", address=self._vault.address, seconds=login.lease.seconds)
            self._take(login.lease)
            return self._logins

    async def _extend(self, lease: Lease) -> None:
        try:
            renewed = await self._renewed(lease)
            if renewed is not None and renewed.seconds >= lease.seconds * FULL_RENEWAL:
                self._take(renewed)
            elif self._vault.can_log_in_again:
                await self._logged_in(newer_than=self._logins)
            else:
                self._due = None
                log.warning("The token of the secret store cannot be renewed further; replace it soon")
        except StoreDown as down:
            self._try_later(down, lease)

    async def _renewed(self, lease: Lease) -> Lease | None:
        if not lease.renewable:
            return None
        try:
            return await self._run(self._vault.renew)
        except Refused:
            return None

    def _take(self, lease: Lease) -> None:
        if self._in_trouble:
            log.info("The login to the secret store is renewed again")
        self._in_trouble = False
        self._lease = lease
        ends = lease.seconds > 0
        mendable = lease.renewable or self._vault.can_log_in_again
        if ends and not mendable:
            log.warning("The token of the secret store ends and cannot be renewed", seconds=lease.seconds)
        self._due = asyncio.get_running_loop().time() + lease.seconds * RENEWED_AFTER if ends and mendable else None
        self._changed.set()

    def _try_later(self, down: StoreDown, lease: Lease) -> None:
        if not self._in_trouble:
            log.warning("The login to the secret store could not be renewed", fault=down.fault, error=str(down))
        self._in_trouble = True
        shortest, longest = RETRY_SECONDS
        self._due = asyncio.get_running_loop().time() + min(max(lease.seconds / 10, shortest), longest)

    async def _run(self, ask: Callable[..., T], *args: object) -> T:
        """Whoever waited for a turn behind a request that was never answered does not wait for another one."""
        loop, silences = asyncio.get_running_loop(), self._silences
        async with self._turn:
            if self._silences == silences:
                try:
                    async with asyncio.timeout(self._timeout_seconds):
                        return await loop.run_in_executor(self._threads, partial(ask, *args))
                except TimeoutError:
                    self._silences += 1
        raise self._vault.no_answer()
