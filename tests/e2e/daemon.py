"""`alertd` as a process: given nothing but an environment, watched through its log, stopped or killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.waiting import PATIENCE_SECONDS, lives, until

ALERTD = (sys.executable, "-m", "alertd")
KEPT = frozenset({"PATH", "PYTHONPATH"})


@dataclass
class Home:
    """The folder of one test; everything that alertd is told comes from `environment`."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def environment(self, given: Mapping[str, object]) -> dict[str, str]:
        """Of ours only what a subprocess needs to be found and measured; any free port."""
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("COVERAGE_")}
        own = {"HOME": self.folder, "ALERTD_STATE_DIR": self.state, "PORT": 0}
        return kept | {name: str(value) for name, value in (own | dict(given)).items()}

    def server_pid(self) -> int:
        """Of the embedded PostgreSQL, as the state folder records it."""
        return int(json.loads((self.state / "postgres.json").read_text())["pid"])

    async def left_behind(self) -> list[int]:
        """The database server, if it is still there after it had time to go; it is ended then."""
        if not (self.state / "postgres.json").exists():
            return []
        pid = self.server_pid()
        try:
            await until(lambda: not lives(pid))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            return [pid]
        return []


@dataclass
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Daemon:
    """A process whose log is read line by line; `noise` is what was no JSON."""

    home: Home
    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    silent: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Until the log ends, which is when the process has."""
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            line = raw.decode()
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.noise.append(line)
            self._news.set()
        self.silent = True
        self._news.set()

    def said(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The lines so far of this text with these fields."""
        return [line for line in self.lines if line["event"] == event and fields.items() <= line.items()]

    async def says(self, event: str, *, times: int = 1, **fields: object) -> dict[str, Any]:
        """The n-th such line, waited for; fails when the process ends without it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.said(event, **fields)) < times:
                assert not self.silent, f"it ended without {event!r}"
                self._news.clear()
                await self._news.wait()
        return self.said(event, **fields)[times - 1]

    @property
    def url(self) -> str:
        return str(self.said("alertd is running")[0]["admin"])

    async def stop(self) -> int:
        """As systemd does; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """The exit code, once everything it said was read."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.silent:
                self._news.clear()
                await self._news.wait()
            return await self.process.wait()

    async def kill(self) -> None:
        """As the kernel does when memory runs out; its database goes down by itself."""
        self.process.kill()
        await self.ended()
        await self.home.left_behind()


@asynccontextmanager
async def starting(home: Home, given: Mapping[str, object], *, command: str = "run") -> AsyncIterator[Daemon]:
    """A process, perhaps not up yet. However the block ends, nothing is left running."""
    process = await asyncio.create_subprocess_exec(
        *ALERTD,
        command,
        env=home.environment(given),
        cwd=home.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    daemon = Daemon(home, process)
    reading = asyncio.create_task(daemon.read())
    try:
        yield daemon
    except BaseException as exc:
        exc.add_note("\n".join(map(str, [*daemon.lines[-15:], *daemon.noise[-15:]])))
        raise
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        assert await home.left_behind() == []


@asynccontextmanager
async def running(home: Home, given: Mapping[str, object]) -> AsyncIterator[Daemon]:
    """`alertd run`, up."""
    async with starting(home, given) as daemon:
        await daemon.says("alertd is running")
        yield daemon


async def alertd(home: Home, given: Mapping[str, object], *arguments: str) -> Done:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *ALERTD,
        *arguments,
        env=home.environment(given),
        cwd=home.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
