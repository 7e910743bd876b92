"""A daemon is killed, or stopped, in the middle of everything it does: how soon has another one done it?

The work is made to wait by exchange, receiver and a locked table, so that it is under way for certain. The other
daemon is up by then, and stands still while the work is given out, so that all of it goes to the first.
"""

import asyncio
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.crowd.daemon import TOO_LATE, running
from benchmarks.crowd.ground import Ground

KEYS: Final = 20  # as many as are asked about at once
PASS: Final = "credential_health_check"
OWED: Final = timedelta(hours=7)  # longer than the interval of a pass
LOOK_SECONDS: Final = 0.1
MOST_SECONDS: Final = 150.0
WAKING_SECONDS: Final = 3.0  # for what a daemon that goes on may still believe to be its own

UNDER_WAY: Final = f"""
SELECT (SELECT count(*) FROM credentials WHERE lease_id IS NOT NULL) = {KEYS}
   AND (SELECT count(*) FROM webhook_delivery_log WHERE finished_at IS NULL) = 1
   AND (SELECT count(*) FROM occurrences WHERE schedule = '{PASS}' AND state = 'running') = 1
"""
DONE: Final = {
    "checks": f"SELECT count(DISTINCT credential_id) = {KEYS} FROM credential_health_checks",
    "deliveries": "SELECT count(*) = 1 FROM webhook_deliveries WHERE state = 'delivered'",
    "occurrences": f"SELECT count(*) = 1 FROM occurrences WHERE schedule = '{PASS}' AND state = 'succeeded'",
}
# What of it was written down more than once: checks, answers of the receiver, runs, and passes that a run began.
TWICE: Final = f"""
SELECT (SELECT count(*) - count(DISTINCT credential_id) FROM credential_health_checks)
     + (SELECT count(*) - 1 FROM webhook_delivery_log WHERE outcome = 'success')
     + (SELECT count(*) - 1 FROM occurrences WHERE schedule = '{PASS}')
     + (SELECT count(*) - 1 FROM sweeps WHERE origin = 'schedule')
"""


@dataclass(frozen=True, slots=True)
class Takeover:
    """Seconds from the signal until the other one had done each kind of work; `twice`: what was done by both."""

    seconds: Mapping[str, float]
    twice: int

    @property
    def longest(self) -> float:
        return max(self.seconds.values())


async def takeover(ground: Ground, by: signal.Signals) -> Takeover:
    """One that is killed is gone; one that is stopped goes on afterwards, and finds its answers."""
    await _owe_a_pass(ground)
    tenants, given = await ground.tenants(1), ground.given()
    async with AsyncExitStack() as both:
        async with ground.db.transaction() as tx:
            await tx.execute("LOCK TABLE sweeps IN EXCLUSIVE MODE")
            first = await both.enter_async_context(running(ground.home, "first", given))
            second = await both.enter_async_context(running(ground.home, "second", given))
            ground.outside.hold()
            second.send(signal.SIGSTOP)
            await asyncio.gather(ground.queue(tenants, each=1), ground.due(KEYS))
            await _until(ground, UNDER_WAY)
            second.send(signal.SIGCONT)
            first.send(by)
        began = time.monotonic()
        ground.outside.release()
        done = await asyncio.gather(*(_done(ground, question, began) for question in DONE.values()))
        if by is signal.SIGSTOP:
            first.send(signal.SIGCONT)
            await first.says(TOO_LATE)
            await asyncio.sleep(WAKING_SECONDS)
        return Takeover(dict(zip(DONE, done, strict=True)), await ground.db.fetchval(TWICE))


async def _owe_a_pass(ground: Ground) -> None:
    """The scheduled pass over all keys is due as soon as somebody looks."""
    await ground.db.execute(
        "INSERT INTO schedules (name, enabled, changed_at) VALUES ($1, true, $2)", PASS, datetime.now(UTC) - OWED
    )


async def _done(ground: Ground, question: str, began: float) -> float:
    await _until(ground, question)
    return time.monotonic() - began


async def _until(ground: Ground, question: str) -> None:
    async with asyncio.timeout(MOST_SECONDS):
        while not await ground.db.fetchval(question):
            await asyncio.sleep(LOOK_SECONDS)
