"""The data folder: where it lies, making it, its major version, and what a killed server left in it."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from alertd.errors import ConfigError, Transient
from alertd.postgres.account import Account, give, reaches
from alertd.postgres.binaries import Binaries, open_public_dir
from alertd.postgres.server import POLL_SECONDS, PORT, ROLE, Cluster, exit_of, last_words, spawn

log = structlog.get_logger(__name__)

NAME: Final = "postgres"


def inside(state_dir: Path) -> Path:
    return state_dir / NAME


def outside(state_dir: Path, *, public_dir: Path) -> Path:
    """Where the data of a private state folder goes: derived from its path, so that it is found again."""
    return public_dir / f"data-{hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:12]}"


def choose_data(state_dir: Path, account: Account | None, *, public_dir: Path) -> Path:
    """The folder for new data: inside the state folder if the account can get there."""
    if reaches(account, state_dir):
        return inside(state_dir)
    open_public_dir(public_dir)
    data = outside(state_dir, public_dir=public_dir)
    log.info("The state folder is private; the embedded database lies outside it", data=str(data))
    return data


async def create_data(cluster: Cluster, *, options: Sequence[str] = ()) -> None:
    """Make the data folder; it appears whole or, when we are killed meanwhile, not at all."""
    making = cluster.data.with_name(f"{cluster.data.name}.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    give(making, cluster.account)
    process = spawn(
        cluster,
        [
            *(cluster.binaries / "initdb", "-D", making, "-U", ROLE),
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", *options),
        ],
    )
    try:
        status = await exit_of(process)
    finally:
        process.kill()
        process.wait()
    if status != 0:
        raise Transient(f"initdb could not make the embedded database in {cluster.data}: {last_words(cluster)}")
    making.rename(cluster.data)


def require_major(data: Path, binaries: Binaries) -> None:
    """A data folder belongs to one major version of the server."""
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise ConfigError([f"state_dir: {data} is no database of PostgreSQL; move it away"]) from None
    if made_by != binaries.major:
        message = (
            f"state_dir: the database in {data} was made by PostgreSQL {made_by}, this alertd brings"
            f" {binaries.version}; with the alertd that made it say `alertd schema dump > FILE`, then move the"
            " folder away and say `alertd schema restore < FILE` with this one; or set database.dsn"
        )
        raise ConfigError([message])


async def end_former_server(data: Path, sockets: Path, *, patience: timedelta) -> None:
    """Wait for the server of a killed alertd, which is stopping; clear up behind one that is gone.

    The caller holds the server lock, so nobody else of us starts one meanwhile. Raises Transient when the
    former one does not go.
    """
    pid = _former_server(data)
    if pid is None:
        # The file's number may belong to any process by now (a new container, a reboot), or to a zombie that
        # nobody reaps; the new server would take either for the old one and refuse to start.
        for name in (data / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"):
            name.unlink(missing_ok=True)
        return
    log.warning("Waiting for the embedded database of a killed alertd", pid=pid)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    give_up = time.monotonic() + patience.total_seconds()
    while _serves(pid, data):
        if time.monotonic() > give_up:
            raise Transient(f"PostgreSQL (pid {pid}) of a killed alertd still uses {data}; stop it")
        await asyncio.sleep(POLL_SECONDS)


def _former_server(data: Path) -> int | None:
    """The living server of this folder. Its file is not enough: a full disk may have cut it off."""
    if sys.platform != "linux":
        try:
            first = (data / "postmaster.pid").read_text().partition("\n")[0]
        except FileNotFoundError:
            return None
        return int(first) if first.isdecimal() and _serves(int(first), data) else None
    everything = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    serving = {pid for pid in everything if _serves(pid, data)}
    return next((pid for pid in serving if _parent(pid) not in serving), None)  # the others are its children


def _parent(pid: int) -> int:
    """0 for a process that has just gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is a living server of this folder: a server's working directory is its data."""
    if sys.platform != "linux":
        answer = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603
        return answer.stdout.strip().endswith(b"postgres")
    try:
        process = Path(f"/proc/{pid}")
        return (process / "cwd").readlink() == data and (process / "comm").read_text().strip() == "postgres"
    except OSError:
        return False
