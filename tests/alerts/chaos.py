"""Real processes that each do one loop of the daemon on one database, to be killed, stopped and cut off."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alertd.db import Db

PATIENCE_SECONDS = 60.0
ROOT = Path(__file__).parents[2]


@dataclass
class Crew:
    """Processes that run the same module; each says `up` on a line of its own once it works."""

    module: str
    arguments: Sequence[str]
    members: list[Process] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)

    async def hire(self) -> Process:
        command = (sys.executable, "-m", self.module, *self.arguments)
        member = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=ROOT)
        self.members.append(member)
        assert member.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await member.stdout.readline() == b"up\n"
        return member

    async def kill(self, member: Process) -> None:
        """As the kernel does when memory runs out; also one that is stopped."""
        self.members.remove(member)
        self.killed.add(member.pid)
        if member.returncode is None:
            member.kill()
        await member.wait()


@asynccontextmanager
async def crew(module: str, *arguments: str) -> AsyncIterator[Crew]:
    """However the block ends, nobody is left."""
    hired = Crew(module, arguments)
    try:
        yield hired
    finally:
        for member in list(hired.members):
            await hired.kill(member)


def freeze(member: Process) -> None:
    """It hangs, and its connections stay."""
    os.kill(member.pid, signal.SIGSTOP)


def thaw(member: Process) -> None:
    os.kill(member.pid, signal.SIGCONT)


async def cut_off(db: Db) -> None:
    """End every session but our own one, as an administrator does; `db` must have a pool of one."""
    await db.fetch(
        """
        SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    )


async def until(question: Callable[[], Awaitable[object]]) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await question():
            await asyncio.sleep(0.05)
