"""Daemons as systemd keeps them: started again whenever they end, until they are told to stop."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.e2e.daemon import ALERTD, Home

RESTART_SECONDS: Final = 0.1


@dataclass
class Unit:
    """One `alertd run`. `bugs` are the lines of its log that carry a traceback."""

    home: Home
    given: Mapping[str, object]
    starts: int = 0
    bugs: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    stopping: bool = False

    async def keep(self) -> None:
        while not self.stopping:
            self.process = await asyncio.create_subprocess_exec(
                *ALERTD,
                "run",
                env=self.home.environment(self.given),
                cwd=self.home.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=1 << 20,
            )
            self.starts += 1
            await self._read(self.process)
            await self.process.wait()
            await asyncio.sleep(RESTART_SECONDS)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            if "exception" in _parsed(raw):
                self.bugs.append(raw.decode())

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def freeze(self, seconds: float) -> None:
        self.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.send(signal.SIGCONT)


def _parsed(raw: bytes) -> dict[str, Any]:
    """What is no line of the log is why it could not start, or the interpreter's own traceback."""
    try:
        return dict(json.loads(raw))
    except ValueError:
        return {"exception": raw} if raw.startswith(b"Traceback") else {}


@asynccontextmanager
async def keeping(home: Home, given: Mapping[str, object]) -> AsyncIterator[Unit]:
    """Runs beside the body; stopped as systemd does on the way out."""
    unit = Unit(home, given)
    task = asyncio.create_task(unit.keep())
    try:
        yield unit
    finally:
        unit.stopping = True
        unit.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                await task
        finally:
            unit.send(signal.SIGKILL)
