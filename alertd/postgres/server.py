"""One PostgreSQL as a child that dies with us: start it, wait until it answers, stop it."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import structlog

from alertd.errors import Transient
from alertd.postgres.account import Account, identity

log = structlog.get_logger(__name__)

ROLE: Final = "alertd"
PORT: Final = 5432
POLL_SECONDS: Final = 0.02
# Without a word in its log. A crash recovery says every ten seconds how far it is, and may take hours.
SILENT_SECONDS: Final = 600.0
# Fast shutdown; at once, leaving recovery to the next start; and what no process can refuse.
IMMEDIATE_SECONDS: Final = 6.0
STOPPING: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, IMMEDIATE_SECONDS), (signal.SIGKILL, 6.0))
PR_SET_PDEATHSIG: Final = 1
LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data folder and everything needed to run it."""

    data: Path
    sockets: Path
    binaries: Path
    log: Path
    account: Account | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def dsn(self) -> str:
        return dsn_of(self.sockets)


def dsn_of(sockets: Path, *, database: str = "postgres") -> str:
    return f"postgresql://{ROLE}@/{database}?{urlencode({'host': str(sockets), 'port': PORT})}"


@asynccontextmanager
async def running_server(
    cluster: Cluster, *, stopping: Sequence[tuple[signal.Signals, float]] = STOPPING
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The server, accepting connections; stopped on the way out, whatever the way is.

    `stopping` is which signals it gets, and how many seconds it has to obey each.
    """
    options = {
        "unix_socket_directories": '"' + str(cluster.sockets).replace('"', '""') + '"',
        # The folder is private too. No TCP: nothing to guard, nothing to collide with.
        "unix_socket_permissions": "0700",
        "listen_addresses": "",
        "port": str(PORT),
        "cluster_name": "alertd",
        "log_checkpoints": "off",
        **cluster.settings,
    }
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    process = spawn(cluster, [cluster.binaries / "postgres", "-D", cluster.data, *arguments])
    try:
        await _ready(process, cluster)
        yield process
    finally:
        await _stop(process, stopping)


def spawn(cluster: Cluster, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL as its account, its words going to the log, its life bound to ours."""
    output = os.open(cluster.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own binaries
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            # Ours holds secrets, and PG* variables that would change what the server does.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
            **identity(cluster.account),
        )
    finally:
        os.close(output)


async def exit_of(process: subprocess.Popen[bytes], *, every: float = POLL_SECONDS) -> int:
    # No child watcher: it would tie us to one kind of event loop.
    while (status := process.poll()) is None:  # noqa: ASYNC110
        await asyncio.sleep(every)
    return status


def says_ready(data: Path, *, pid: int | None = None) -> bool:
    """Whether the server of this folder (and of this pid) has written that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and lines[0] == str(pid or lines[0])


def last_words(cluster: Cluster, *, lines: int = 5) -> str:
    """The end of the server's own log, which is where it says what is wrong."""
    with cluster.log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        text = file.read().decode(errors="replace")
    return " | ".join(text.splitlines()[-lines:]) or "it said nothing"


async def _ready(process: subprocess.Popen[bytes], cluster: Cluster) -> None:
    give_up, said = time.monotonic() + SILENT_SECONDS, 0
    while not says_ready(cluster.data, pid=process.pid):
        if (says := cluster.log.stat().st_size) != said:
            give_up, said = time.monotonic() + SILENT_SECONDS, says
        if process.poll() is not None or time.monotonic() > give_up:
            raise Transient(f"the embedded database in {cluster.data} did not start: {last_words(cluster)}")
        await asyncio.sleep(POLL_SECONDS)


async def _stop(process: subprocess.Popen[bytes], stopping: Sequence[tuple[signal.Signals, float]]) -> None:
    for number, patience in stopping:
        process.send_signal(number)
        try:
            await asyncio.wait_for(exit_of(process), patience)
        except TimeoutError:
            log.warning("Embedded database does not stop", pid=process.pid, signal=number.name)
        except asyncio.CancelledError:
            _stop_now(process)
            raise
        else:
            return


def _stop_now(process: subprocess.Popen[bytes]) -> None:
    """For a second cancellation: the loop may not wait any more, and still nothing stays behind."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(IMMEDIATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes the server: ask for SIGINT when we are killed (Linux only).

    Runs after the change of account, which would clear the request. It is the forking *thread* that counts
    as the parent: this must be the main thread, or one that lives as long.
    """

    def request() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return request
