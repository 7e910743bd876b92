"""Sweeps that somebody asked for by request: they run beside everything else and end with the daemon at the latest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from alertd.credentials import sweep
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Sweep
from alertd.credentials.sweeper import Sweeper
from alertd.errors import Transient

log = structlog.get_logger(__name__)


class SweepRunner:
    """Made by `open_sweep_runner`."""

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper
        self._tasks: set[asyncio.Task[Sweep]] = set()

    def launch(self, sweep_id: UUID, scope: Scope) -> None:
        """Carry out a registered sweep; its row tells how far it is."""
        task = asyncio.create_task(sweep.run(self._sweeper, sweep_id, scope), name=f"sweep {sweep_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cut off what is still running: it ends as failed, its claims are given back, and it has accused nobody."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Sweep]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        match failure:
            case None:
                return
            case Transient():
                # Its row is closed by the next sweep, once nobody keeps it alive any more.
                log.warning("Sweep broke off", sweep=task.get_name(), error=str(failure))
            case _:
                log.error("Sweep broke", sweep=task.get_name(), exc_info=failure)


@asynccontextmanager
async def open_sweep_runner(sweeper: Sweeper) -> AsyncIterator[SweepRunner]:
    """Sweeps may be launched while inside."""
    runner = SweepRunner(sweeper)
    try:
        yield runner
    finally:
        await runner.close()
