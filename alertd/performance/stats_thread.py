"""One thread for all arithmetic: the event loop goes on meanwhile, and the other cores are left to others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

# One for the whole process, whoever computes; it begins with the first work and holds nothing between two.
_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="stats")


async def in_stats_thread(work: Callable[[], T]) -> T:
    """Run it in its turn. Work under way is not cut off by cancelling: keep it under a second."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
