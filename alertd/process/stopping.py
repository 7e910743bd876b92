"""What need not be finished is given up when somebody says stop; what runs beside a block ends with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from alertd.errors import AlertdError


class Stopped(AlertdError):
    """Somebody said stop before it was done."""


@asynccontextmanager
async def giving_up_at(stop: asyncio.Event) -> AsyncIterator[None]:
    """For what need not be finished: cancels the body once `stop` is set, and raises Stopped in its place."""
    async with _unless(stop.wait(), lambda _: Stopped("stopped before it was done")):
        yield


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine beside the body, and cancel it after. If it fails, its error ends the body."""
    async with _unless(work, asyncio.Task.exception):
        yield


@asynccontextmanager
async def _unless(
    work: Coroutine[Any, Any, Any], trouble: Callable[[asyncio.Task[Any]], BaseException | None]
) -> AsyncIterator[None]:
    """Run `work` beside the body. What `trouble` makes of its end, if anything, is raised in the body's place."""
    body, over = asyncio.current_task(), False
    fatal: BaseException | None = None

    def ended(task: asyncio.Task[Any]) -> None:
        nonlocal fatal
        fatal = None if over or task.cancelled() else trouble(task)
        if fatal is not None and body is not None:
            body.cancel()

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if fatal is not None and body is not None and body.uncancel() == 0:
            raise fatal from fatal.__cause__
        raise
    finally:
        over = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
