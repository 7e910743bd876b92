"""A server that is started again should it die by itself, say of a lack of memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from alertd.errors import Transient
from alertd.postgres.server import Cluster, exit_of, running_server

log = structlog.get_logger(__name__)

WATCH_SECONDS: Final = 0.5
RESTART_SECONDS: Final = 2.0


@asynccontextmanager
async def kept_server(cluster: Cluster, *, started: Callable[[int], None]) -> AsyncIterator[None]:
    """`running_server` until the end of the block; `started` hears the pid of each one."""
    up = asyncio.Event()

    def announce(pid: int) -> None:
        started(pid)
        up.set()

    keeping = asyncio.create_task(_keep(cluster, announce), name="embedded-postgres")
    waiting = asyncio.create_task(up.wait())
    try:
        await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            await keeping
        yield
    finally:
        waiting.cancel()
        keeping.cancel()
        # Does not raise what the task raised. Cancelled here, the task goes on stopping the server.
        await asyncio.wait({keeping})


async def _keep(cluster: Cluster, announce: Callable[[int], None]) -> None:
    """Raises what keeps the server from its first start; after that it only goes on trying."""
    lives = 0
    while True:
        try:
            async with running_server(cluster) as process:
                announce(process.pid)
                lives += 1
                status = await exit_of(process, every=WATCH_SECONDS)
                log.error("Embedded database died, starting it again", pid=process.pid, status=status)
        except (Transient, OSError) as exc:  # no memory for a process, no room for the record
            if lives == 0:
                raise
            log.warning("Embedded database does not start again yet", error=str(exc))
            await asyncio.sleep(RESTART_SECONDS)
