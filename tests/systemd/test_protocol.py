"""What the daemon tells its manager, from its start to its end; runs where no systemd can be booted, too."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import home as home
from tests.e2e.daemon import ALERTD, Home, running

# Gives its child the socket with descriptor 3, as systemd does; the child must know its own pid.
PASS_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """Listens where systemd would."""

    def __init__(self, inbox: socket.socket) -> None:
        self.inbox = inbox
        self.heard: list[str] = []

    def until(self, text: str) -> str:
        """The next state that holds this."""
        while text not in (state := self.inbox.recv(4096).decode()):
            self.heard.append(state)
        self.heard.append(state)
        return state


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.settimeout(30)
        inbox.bind(str(tmp_path / "notify"))
        yield Manager(inbox)


@pytest.fixture
def given(dsn: str, manager: Manager) -> dict[str, object]:
    address = manager.inbox.getsockname()
    return {"ALERTD_DATABASE__DSN": dsn, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": 400_000}


async def test_a_life_from_start_to_stop(home: Home, given: dict[str, object], manager: Manager) -> None:
    async with running(home, given) as daemon:
        ready = manager.until("READY=1")
        manager.until("WATCHDOG=1")
        daemon.process.send_signal(signal.SIGHUP)
        reloading, reloaded = manager.until("RELOADING=1"), manager.until("READY=1")
        code = await daemon.stop()
        manager.until("STOPPING=1")

    assert "STATUS=running; admin port http://127.0.0.1:" in ready
    assert "MONOTONIC_USEC=" in reloading
    assert "STATUS=" in reloaded
    assert manager.heard[0].startswith("EXTEND_TIMEOUT_USEC=")
    assert code == 0


@asynccontextmanager
async def handed(
    home: Home, given: dict[str, object], listening: socket.socket, *, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A daemon that is given the socket, and told in its settings to use `port`."""
    environ = home.environment(given | {"LISTEN_FDS": 1, "PORT": port})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PASS_ON, str(listening.fileno()), *ALERTD, "run"),
        env=environ,
        cwd=home.folder,
        pass_fds=[listening.fileno()],
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def test_whoever_comes_before_it_is_up_is_served_by_and_by(home: Home, given: dict[str, object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        async with (
            handed(home, given, listening, port=port) as process,
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/-/healthy") as response,
        ):
            assert (response.status, process.returncode) == (200, None)


async def test_a_socket_that_the_settings_do_not_know_is_refused(home: Home, given: dict[str, object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with handed(home, given, listening, port=1) as process:
            _, complaint = await process.communicate()

    assert process.returncode == 78
    assert b"admin.host, admin.port: systemd listens on" in complaint
