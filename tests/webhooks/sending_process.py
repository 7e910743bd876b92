"""`python -m tests.webhooks.sending_process DSN [POINT]`: a sender in a process of its own, to be killed.

With a point it queues messages first, to the only tenant there is, and kills itself there.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alertd.db import Db, open_db
from alertd.webhooks.channels import Channel
from alertd.webhooks.message import Endpoint, Message
from alertd.webhooks.retry import Outcome
from tests.webhooks.post_office import FAILED, a_sender, say_many

MESSAGES: Final = 10
FATAL: Final = 5
POINTS: Final = ("event", "record", "post", "answer")


@dataclass
class Fatal:
    """The channel of which one message is the process's end; `post` is for somebody else to end."""

    channel: Channel
    point: str
    sent: int = 0

    async def send(self, message: Message, endpoint: Endpoint, at: datetime) -> Outcome:
        self.sent += 1
        self._die_if("record")
        outcome = await self.channel.send(message, endpoint, at)
        self._die_if("answer")
        return outcome

    def _die_if(self, point: str) -> None:
        if self.sent == FATAL and self.point == point:
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def queue_messages(db: Db, point: str) -> None:
    tenant_id = await db.fetchval("SELECT id FROM tenants")
    await say_many(db, FAILED, tenant_id, at=datetime.now(UTC), messages=MESSAGES)
    if point == "event":
        die()


async def main(dsn: str, point: str = "") -> None:
    async with open_db(dsn, pool_size=4) as db:
        if point:
            await queue_messages(db, point)
        async with a_sender(db, lambda: datetime.now(UTC), wrap=lambda channel: Fatal(channel, point)) as sender:
            await sender.run(asyncio.Event())


async def killed_at(point: str, dsn: str, *, reached: asyncio.Event | None = None) -> int:
    """Run this file until it is dead; answers its exit code. `reached`: kill it then."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.webhooks.sending_process", dsn, point),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        if reached is not None:
            await asyncio.wait_for(reached.wait(), 30)
            process.kill()
        return await asyncio.wait_for(process.wait(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
