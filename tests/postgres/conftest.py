"""Folders that the server's account can get through, and alertd processes that can be killed."""

import asyncio
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alertd.db import open_db
from alertd.postgres import open_embedded
from alertd.postgres.account import Account
from alertd.postgres.binaries import find_binaries, runnable_binaries

HOLDER = Path(__file__).with_name("holder.py")
NOBODY = Account("nobody", pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)

Opening = Callable[..., AbstractAsyncContextManager[str]]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has an account to lend")


@pytest.fixture
def home(server_home: Path) -> Iterator[Path]:
    """A short and passable folder; pytest's own are neither."""
    folder = Path(tempfile.mkdtemp(dir=server_home))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def state(home: Path) -> Path:
    return home / "state"


@pytest.fixture
def public(home: Path) -> Path:
    return home / "public"


@pytest.fixture
def embedded(state: Path, public: Path) -> Opening:
    """`open_embedded` of this test's folder."""
    return partial(open_embedded, state, public_dir=public, patience=timedelta(seconds=30))


@dataclass
class Holder:
    """An alertd process that holds the embedded database until it is told to leave, or killed."""

    process: asyncio.subprocess.Process
    dsn: str

    async def leave(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.process.wait()

    async def complaint(self) -> str:
        """What it says on standard error, to its end."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


Hold = Callable[..., Awaitable[Holder]]


@pytest.fixture
async def hold(state: Path, public: Path) -> AsyncIterator[Hold]:
    processes = []

    async def start(*, attach: bool = False, account: Account | None = None) -> Holder:
        binaries = runnable_binaries(find_binaries(), account, public_dir=public).folder
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, HOLDER, state, public, binaries),
            *("attach" if attach else "daemon", str(account.uid if account else os.geteuid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "VAULT_TOKEN": "hvs.never-to-be-seen"},
        )
        processes.append(process)
        assert process.stdout is not None
        line = await process.stdout.readline()
        return Holder(process, line.decode().strip())

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answer(dsn: str, sql: str = "SELECT 1") -> object:
    """The first value of a statement, and nothing of one without rows."""
    async with open_db(dsn, pool_size=1) as db:
        return await db.fetchval(sql)


def server_pid(state: Path) -> int:
    """The server's pid as the state folder records it."""
    return int(json.loads((state / "postgres.json").read_text())["pid"])


async def until(question: Callable[[], Any]) -> None:
    while not question():
        await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process exists and is more than an entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() is not None
    except OSError:
        return False
