"""Rarer faults of the embedded database: a pid file cut off, a zombie, a long recovery, another major version."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertd.errors import ConfigError, Transient
from alertd.postgres import server
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.server import Cluster, running_server
from tests.postgres.conftest import Opening, answer, lives

# Recovers for longer than anybody waits in silence, and says how far it is.
RECOVERING = """#!/bin/sh
for percent in 1 2 3 4 5 6 7 8; do echo "redo in progress" >&2; sleep 0.1; done
printf '%s\\n' $$ 2 3 4 5 6 7 ready > "$2/postmaster.pid"
exec sleep 60
"""
SILENT = "#!/bin/sh\nexec sleep 60\n"


@pytest.fixture
async def stopped(embedded: Opening, state: Path) -> Path:
    """The data folder of a server that was stopped in order."""
    async with embedded(attach=False):
        return state / "postgres"


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process that has ended, and that nobody has asked about."""
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield child.pid
    child.wait()


def cluster(data: Path, *, binaries: Path | None = None) -> Cluster:
    log = data.parent / "postgres.log"
    chosen = binaries or find_binaries()
    return Cluster(data=data, sockets=data, binaries=chosen, log=log, account=server_account(data))


async def test_a_living_server_is_found_although_its_pid_file_is_cut_off(embedded: Opening, stopped: Path) -> None:
    async with running_server(cluster(stopped)) as orphan:
        (stopped / "postmaster.pid").write_text(str(orphan.pid)[:1])
        async with embedded(attach=False) as dsn:
            assert not lives(orphan.pid)
            assert await answer(dsn) == 1


async def test_a_zombie_in_the_pid_file_is_no_obstacle(embedded: Opening, stopped: Path, zombie: int) -> None:
    (stopped / "postmaster.pid").write_text(f"{zombie}\n{stopped}\n")

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_a_person_who_looks_around_in_the_folder_is_left_alone(embedded: Opening, stopped: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], cwd=stopped) as visitor:
        async with embedded(attach=False) as dsn:
            assert await answer(dsn) == 1
        assert visitor.poll() is None
        visitor.kill()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SILENT_SECONDS", 0.5)


def programs(home: Path, script: str) -> Path:
    (home / "bin").mkdir()
    (home / "bin" / "postgres").write_text(script)
    (home / "bin" / "postgres").chmod(0o755)
    return home / "bin"


@pytest.mark.usefixtures("patience")
async def test_a_recovery_that_gets_on_is_waited_for(home: Path, stopped: Path) -> None:
    recovering = cluster(stopped, binaries=programs(home, RECOVERING))

    async with running_server(recovering) as process:
        assert process.poll() is None


@pytest.mark.usefixtures("patience")
async def test_a_start_without_a_word_is_given_up(home: Path, stopped: Path) -> None:
    with pytest.raises(Transient, match="did not start"):
        async with running_server(cluster(stopped, binaries=programs(home, SILENT))):
            pass


async def test_data_of_another_major_version_is_left_alone_and_the_way_out_is_told(
    embedded: Opening, stopped: Path
) -> None:
    (stopped / "PG_VERSION").write_text("17\n")

    with pytest.raises(ConfigError, match=r"PostgreSQL 17.*schema dump > FILE.*schema restore < FILE"):
        async with embedded(attach=False):
            pass

    assert (stopped / "PG_VERSION").read_text() == "17\n"
