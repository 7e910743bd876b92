"""Looks up names in threads of its own, so that a name server that hangs delays nobody else.

The event loop's own threads are few and shared; a tenant whose name servers never answer would
hold them. Here a name is looked up once at a time, the number of threads is bounded, none of them
keeps the process from ending, and names that were slow the last time share a few of them: somebody
with hundreds of names that hang holds each thread once.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from alertd.webhooks.addresses import Address, parse_address

THREADS: Final = 128  # a lookup that hangs holds its thread for as long as libc keeps asking
SLOW_THREADS: Final = 8
SLOW_SECONDS: Final = 2.0
MOST_SLOW: Final = 10_000  # names remembered

LookUp = Callable[[str], tuple[Address, ...]]


class LookupFailed(OSError):
    """The name has no address, or nobody said so in time."""


def look_up(host: str) -> tuple[Address, ...]:
    """All addresses of a name, by the system's resolver; blocks. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = (parse_address(str(sockaddr[0])) for *_, sockaddr in found)
    return tuple(dict.fromkeys(address for address in addresses if address is not None))


class Names:
    """Addresses of names."""

    def __init__(
        self,
        look_up: LookUp = look_up,
        *,
        threads: int = THREADS,
        slow_threads: int = SLOW_THREADS,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self._look_up = look_up
        self._slow_seconds = slow_seconds
        self._slots = asyncio.Semaphore(threads)
        self._slow_slots = asyncio.Semaphore(slow_threads)
        self._slow: dict[str, None] = {}  # the longest known first
        self._running: dict[str, asyncio.Task[tuple[Address, ...]]] = {}

    async def addresses(self, host: str, *, timeout_seconds: float) -> tuple[Address, ...]:
        """At least one address. Raises LookupFailed."""
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.create_task(self._found(host))
            task.add_done_callback(lambda _: self._running.pop(host, None))
        try:
            async with asyncio.timeout(timeout_seconds):
                found = await asyncio.shield(task)
        except TimeoutError:
            raise LookupFailed("the name servers did not answer in time") from None
        if not found:
            raise LookupFailed("the name has no address")
        return found

    async def close(self) -> None:
        """Stop waiting. Threads that still hang in a lookup are left to themselves."""
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _found(self, host: str) -> tuple[Address, ...]:
        """Empty for a failed lookup. The slot is kept until the thread is done, not just its waiters."""
        loop = asyncio.get_running_loop()
        async with self._slow_slots if host in self._slow else self._slots:
            began = loop.time()
            answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()
            threading.Thread(target=self._work, args=(loop, answer, host), name="alertd-dns", daemon=True).start()
            found = await answer
            self._remember(host, slow=loop.time() - began > self._slow_seconds)
            return found

    def _remember(self, host: str, *, slow: bool) -> None:
        self._slow.pop(host, None)
        if slow:
            self._slow[host] = None
        if len(self._slow) > MOST_SLOW:
            del self._slow[next(iter(self._slow))]

    def _work(
        self,
        loop: asyncio.AbstractEventLoop,
        answer: asyncio.Future[tuple[Address, ...]],
        host: str,
    ) -> None:
        try:
            found = self._look_up(host)
        except (OSError, UnicodeError):
            found = ()
        with contextlib.suppress(RuntimeError):  # the loop is closed, nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, found)


def _settle(answer: asyncio.Future[tuple[Address, ...]], found: tuple[Address, ...]) -> None:
    if not answer.done():
        answer.set_result(found)
