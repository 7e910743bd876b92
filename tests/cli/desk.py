"""Somebody at a terminal: settings of his own, and `alertd` as a process of its own."""

import asyncio
import os
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path

from alertd.demo.exchanges.server import Simulator


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and all that it printed."""

    code: int
    out: str
    err: str

    @property
    def printed(self) -> str:
        return self.out + self.err


@dataclass
class Desk:
    """`variables` are the whole environment, the path and what measures coverage aside."""

    folder: Path
    settings: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    @property
    def config(self) -> Path:
        return self.folder / "alertd.toml"

    async def start(self, *arguments: str, stdin: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
        self.config.write_text(f'state_dir = "{self.state_dir}"\n{self.settings}')
        inherited = {name: os.environ[name] for name in os.environ if name == "PATH" or name.startswith("COVERAGE")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "alertd",
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**inherited, "HOME": str(self.folder), "ALERTD_CONFIG": str(self.config), **self.variables},
        )

    async def run(self, *arguments: str, stdin: str | bytes = b"") -> Ended:
        process = await self.start(*arguments)
        out, err = await process.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
        return Ended(process.returncode or 0, out.decode(), err.decode())


class Keyboard:
    """A terminal at which a command is started; `shown` is what its driver echoed."""

    def __init__(self) -> None:
        self._ours, self.theirs = os.openpty()
        os.set_blocking(self._ours, False)

    async def answer(self, process: asyncio.subprocess.Process, question: str, typed: str) -> None:
        """Types once the question is on standard error."""
        assert process.stderr is not None
        await process.stderr.readuntil(question.encode())
        os.write(self._ours, typed.encode())

    def shown(self) -> str:
        try:
            return os.read(self._ours, 65536).decode()
        except BlockingIOError:
            return ""

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def close(self) -> None:
        os.close(self.theirs)
        os.close(self._ours)


def sent_to(sim: Simulator, *exchanges: str) -> str:
    """The settings that send these exchanges' connections to the simulator."""
    return "".join(f'[exchanges.{name}]\nconnect_to = "{sim.url}"\nrequests_per_second = 1000\n' for name in exchanges)
