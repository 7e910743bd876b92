"""What need not be finished is given up when somebody says stop; what runs beside a block ends with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from alertd.errors import AlertdError


class Stopped(AlertdError):
    """Somebody said stop before it was done."""


@asynccontextmanager
async def giving_up_at(stop: asyncio.Event) -> AsyncIterator[None]:
    """For what need not be finished: cancels the body once `stop` is set, and raises Stopped in its place."""
    body, over, gave_up = asyncio.current_task(), False, False

    def give_up(_: object) -> None:
        nonlocal gave_up
        if not over and body is not None:
            gave_up = True
            body.cancel()

    waiting = asyncio.create_task(stop.wait())
    waiting.add_done_callback(give_up)
    try:
        yield
    except asyncio.CancelledError:
        if gave_up and body is not None and body.uncancel() == 0:
            raise Stopped("stopped before it was done") from None
        raise
    finally:
        over = True
        waiting.cancel()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine beside the body, and cancel it after."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
