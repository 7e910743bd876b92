"""How long a fault lasts: as its strike says, and until somebody has felt it, but not for ever."""

import asyncio
from collections.abc import Callable
from typing import Final

LONGEST_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.02


async def lasting(seconds: float, felt: Callable[[], int]) -> int:
    """Answers how often it was felt in that time; `felt` counts, and never goes back."""
    before = felt()
    await asyncio.sleep(seconds)
    end = asyncio.get_running_loop().time() + LONGEST_SECONDS - seconds
    while felt() == before and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(LOOK_SECONDS)
    return felt() - before
