"""`alertd run` as a process whose log is a file, so that reading it costs nothing while it works."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.delivering.speed import TICKS
from tests.e2e.daemon import ALERTD, Home

RUNNING: Final = "alertd is running"
CHECKED: Final = "Credential health check completed"
DELIVERED: Final = "Message delivered"
TOO_LATE: Final = "An answer came after its lease had run out"
PATIENCE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Daemon:
    process: asyncio.subprocess.Process
    log: Path

    def count(self, event: str) -> int:
        """Lines of the log with this text, which no other text contains."""
        return self.log.read_bytes().count(f'"{event}"'.encode())

    async def says(self, event: str) -> None:
        """Wait for such a line."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.count(event):
                assert self.process.returncode is None, self.log.read_text()[-2000:]
                await asyncio.sleep(LOOK_SECONDS)

    @property
    def cpu_seconds(self) -> float:
        """Processor time since its start; 0 where there is no /proc."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        fields = stat.read_text().rpartition(")")[2].split() if stat.exists() else []
        return sum(map(int, fields[11:13])) / TICKS

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@asynccontextmanager
async def running(home: Home, name: str, given: Mapping[str, object]) -> AsyncIterator[Daemon]:
    """One that is up; stopped on the way out, whatever state it is in by then."""
    log = home.folder / f"{name}.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *ALERTD,
            "run",
            env=home.environment(given),
            cwd=home.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=stderr,
        )
    daemon = Daemon(process, log)
    try:
        await daemon.says(RUNNING)
        yield daemon
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
    try:
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
