"""The server as a child: how it is made, started and stopped when that is not easy."""

import asyncio
import errno
import os
import signal
from pathlib import Path

import pytest

from alertd.errors import Transient
from alertd.postgres.account import give, server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.kept import kept_server
from alertd.postgres.server import Cluster, running_server
from tests.postgres.conftest import answer, lives, until


@pytest.fixture
def bare(home: Path) -> Cluster:
    """A cluster whose data does not exist yet."""
    data = home / "data"
    return Cluster(data, data, find_binaries(), home / "log", account=server_account(data))


@pytest.fixture
async def made(bare: Cluster) -> Cluster:
    await create_data(bare)
    return bare


async def test_an_initdb_that_fails_is_quoted_and_leaves_no_data(bare: Cluster) -> None:
    with pytest.raises(Transient, match="no-such-option"):
        await create_data(bare, options=["--no-such-option"])

    assert not bare.data.exists()


async def test_settings_reach_the_server(made: Cluster) -> None:
    cluster = Cluster(
        made.data, made.sockets, made.binaries, made.log, account=made.account, settings={"work_mem": "5MB"}
    )

    async with running_server(cluster):
        assert await answer(cluster.dsn, "SHOW work_mem") == "5MB"


async def test_a_server_that_ignores_us_is_killed(made: Cluster) -> None:
    async with running_server(made, stopping=((signal.SIGINT, 0.1), (signal.SIGKILL, 6.0))) as process:
        os.kill(process.pid, signal.SIGSTOP)

    assert process.returncode == -signal.SIGKILL


async def test_a_second_cancellation_leaves_no_server_behind(made: Cluster) -> None:
    pids: asyncio.Queue[int] = asyncio.Queue()

    async def run() -> None:
        async with running_server(made) as process:
            os.kill(process.pid, signal.SIGSTOP)
            pids.put_nowait(process.pid)
            await asyncio.sleep(60)

    task = asyncio.create_task(run())
    pid = await pids.get()
    task.cancel()
    await asyncio.sleep(0.1)
    task.cancel()
    os.kill(pid, signal.SIGCONT)
    await asyncio.wait({task})

    assert not lives(pid)


async def test_a_restart_that_fails_is_tried_again(made: Cluster) -> None:
    pids: list[int] = []
    settings = made.data / "postgresql.conf"
    good = settings.read_text()

    async with kept_server(made, started=pids.append):
        settings.write_text(good + "no_such_setting = 1\n")
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.wait_for(until(lambda: "no_such_setting" in made.log.read_text()), 20)
        settings.write_text(good)
        await asyncio.wait_for(until(lambda: len(pids) == 2), 20)

        assert await answer(made.dsn) == 1


async def test_a_restart_that_a_full_disk_prevents_is_tried_again(made: Cluster) -> None:
    pids: list[int] = []

    def started(pid: int) -> None:
        pids.append(pid)
        if len(pids) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    async with kept_server(made, started=started):
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.wait_for(until(lambda: len(pids) == 3), 20)

        assert await answer(made.dsn) == 1


async def test_a_folder_goes_to_the_account(home: Path, bare: Cluster) -> None:
    folder = home / "given"
    folder.mkdir()

    give(folder, bare.account)

    assert folder.stat().st_uid == (os.geteuid() if bare.account is None else bare.account.uid)
