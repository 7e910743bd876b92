"""Daemons as systemd keeps them, started again whenever they end, and how they are broken."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.e2e.daemon import Home
from tests.faults.lasting import lasting
from tests.faults.plan import Lookup, Step, Strike
from tests.faults.worlds import World, write_world

ALERTD: Final = (sys.executable, "-m", "tests.faults.astray")
PROJECT: Final = Path(__file__).parents[2]
RESTART_SECONDS: Final = 0.1
STORE_LOST: Final = "Secret store lost"
STORE_FOUND: Final = "Secret store recovered"
CHECKED: Final = "Credential health check completed"
STOPPING_SECONDS: Final = 60.0
WRONG_SECONDS: Final = range(60, 240)  # receivers refuse a message whose time is off by more than five minutes


@dataclass
class Unit:
    """One `alertd run`. `said` counts the lines of its log, a check's by its error; `bugs` carry a traceback."""

    home: Home
    given: Mapping[str, object]
    world: World = field(default_factory=World)
    starts: int = 0
    said: Counter[str] = field(default_factory=Counter)
    bugs: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    without_store: bool = False
    stopping: bool = False

    @property
    def _world_file(self) -> Path:
        return self.home.folder / "world.json"

    def turn(self, world: World) -> None:
        """From now on its clock and its name servers say this."""
        self.world = world
        write_world(self._world_file, world)

    async def keep(self) -> None:
        environ = self.home.environment(self.given) | {
            "PYTHONPATH": str(PROJECT),
            "FAULTS_WORLD": str(self._world_file),
        }
        self.turn(self.world)
        while not self.stopping:
            self.process = await asyncio.create_subprocess_exec(
                *ALERTD,
                "run",
                env=environ,
                cwd=self.home.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=1 << 20,
            )
            self.starts += 1
            if self.stopping:  # since it was begun
                self.send(signal.SIGTERM)
            await self._read(self.process)
            await self.process.wait()
            await asyncio.sleep(RESTART_SECONDS)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """What is no line of the log is why it could not start, or the interpreter's own traceback."""
        assert process.stderr is not None
        noise, self.without_store = "", False
        async for raw in process.stderr:
            try:
                line = json.loads(raw)
            except ValueError:
                noise += raw.decode()
                continue
            self.said[_heading(line)] += 1
            self.without_store = line.get("event") == STORE_LOST or (
                self.without_store and line.get("event") != STORE_FOUND
            )
            if "exception" in line:
                self.bugs.append(raw.decode())
        if "Traceback" in noise:
            self.bugs.append(noise)

    def send(self, number: signal.Signals) -> bool:
        """Whether there was anybody to hear it."""
        if self.process is None or self.process.returncode is not None:
            return False
        self.process.send_signal(number)
        return True

    def stop(self) -> None:
        """As systemd does; said once, for a second time would mean at once."""
        if not self.stopping:
            self.stopping = True
            self.send(signal.SIGTERM)


@dataclass
class Units:
    """All daemons of the scene; `hurried`: one had a clock ahead, and has spoken for time that is to come."""

    all: Sequence[Unit] = ()
    hurried: bool = False

    def said(self, event: str) -> int:
        """How many such lines there are in their logs."""
        return sum(unit.said[event] for unit in self.all)

    def stop(self) -> None:
        for unit in self.all:
            unit.stop()

    def without_store(self) -> int:
        """How many cannot use the secret store now."""
        return sum(unit.without_store for unit in self.all)

    def read_settings(self) -> None:
        """Anew; who is just starting does so by itself, or dies of it."""
        for unit in self.all:
            unit.send(signal.SIGHUP)

    def forget_pauses(self) -> None:
        """A process leaves an exchange alone for a minute that another one has spoken for; a new one asks anew."""
        for unit in self.all if self.hurried else ():
            unit.send(signal.SIGKILL)
        self.hurried = False

    async def kill(self, strike: Strike) -> int:
        return int(self._victim(strike).send(signal.SIGKILL))

    async def freeze(self, strike: Strike) -> int:
        unit = self._victim(strike)
        felt = unit.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(strike.seconds)
        finally:
            unit.send(signal.SIGCONT)
        return int(felt)

    async def set_clock(self, strike: Strike) -> int:
        """By minutes, and back again. To a daemon whose clock is behind nothing is due, and it only sees the step."""
        unit, ahead = self._victim(strike), WRONG_SECONDS[strike.which % len(WRONG_SECONDS)]
        self.hurried |= Step(strike.way) is Step.FORWARD
        unit.turn(replace(unit.world, ahead=ahead if Step(strike.way) is Step.FORWARD else -ahead))
        try:
            return await lasting(
                strike.seconds, lambda: self.said(f"{CHECKED}: clock_skew") + self.said("Wall clock was set")
            )
        finally:
            unit.turn(replace(unit.world, ahead=0.0))

    async def lead_astray(self, strike: Strike) -> int:
        """The name servers of all."""
        for unit in self.all:
            unit.turn(replace(unit.world, lookup=Lookup(strike.way)))
        try:
            return await lasting(strike.seconds, lambda: self.said("Name server went astray"))
        finally:
            for unit in self.all:
                unit.turn(replace(unit.world, lookup=None))

    def _victim(self, strike: Strike) -> Unit:
        return self.all[strike.which % len(self.all)]


def _heading(line: Mapping[str, Any]) -> str:
    event = str(line.get("event"))
    return f"{event}: {line.get('error')}" if event == CHECKED else event


@asynccontextmanager
async def keeping(home: Home, given: Mapping[str, object]) -> AsyncIterator[Unit]:
    """Runs beside the body; stopped on the way out."""
    unit = Unit(home, given)
    task = asyncio.create_task(unit.keep())
    try:
        yield unit
    finally:
        unit.stop()
        try:
            async with asyncio.timeout(STOPPING_SECONDS):
                await task
        finally:
            unit.send(signal.SIGKILL)
