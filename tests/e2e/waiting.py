"""Waiting for what a process does that cannot tell us: briefly, often, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

PATIENCE_SECONDS = 40.0
LOOK_EVERY_SECONDS = 0.02


async def until(question: Callable[[], object]) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not question():
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def until_answered(question: Callable[[], Awaitable[object]]) -> None:
    """The same for a question to a database or a server."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await question():
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def lives(pid: int) -> bool:
    """Whether a process exists and is more than an entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() is not None
    except OSError:
        return False
