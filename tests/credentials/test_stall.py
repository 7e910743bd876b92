"""A loop that stood still is noticed, also before its own timer could run."""

import asyncio
import time

from alertd.credentials.stall import STALL_SECONDS, TICK_SECONDS, probing_stalls

LONG = STALL_SECONDS + TICK_SECONDS + 0.1


async def test_a_loop_that_runs_has_not_stalled() -> None:
    with probing_stalls() as stalled_since:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.01)

        assert not stalled_since(began)


async def test_a_stall_is_noticed_at_once() -> None:
    with probing_stalls() as stalled_since:
        began = asyncio.get_running_loop().time()
        time.sleep(LONG)

        assert stalled_since(began)


async def test_a_stall_is_remembered_for_what_began_before_it() -> None:
    with probing_stalls() as stalled_since:
        loop = asyncio.get_running_loop()
        before = loop.time()
        time.sleep(LONG)
        await asyncio.sleep(TICK_SECONDS * 2)

        assert stalled_since(before)
        assert not stalled_since(loop.time())
