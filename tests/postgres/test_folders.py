"""Where data, programs and socket lie, and what earlier lives left there."""

import json
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from alertd.errors import ConfigError, Transient
from alertd.postgres import open_embedded
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries, runnable_binaries
from alertd.postgres.data import end_former_server
from alertd.postgres.server import Cluster, running_server
from tests.postgres.conftest import NOBODY, Hold, Opening, answer, lives, needs_root, server_pid


def recorded(state: Path, name: str) -> Path:
    return Path(json.loads((state / "postgres.json").read_text())[name])


# The socket


async def test_a_long_path_gets_a_short_private_socket_folder(home: Path, public: Path) -> None:
    state = home / ("long" * 25)

    async with open_embedded(state, attach=False, public_dir=public) as dsn:
        sockets = recorded(state, "socket_dir")
        assert await answer(dsn) == 1
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert sockets.parent == Path("/tmp")

    assert not sockets.exists()


async def test_a_command_finds_the_short_socket_folder(home: Path, public: Path) -> None:
    state = home / ("long" * 25)

    async with (
        open_embedded(state, attach=False, public_dir=public),
        open_embedded(state, attach=True, public_dir=public) as dsn,
    ):
        assert await answer(dsn) == 1


async def test_a_path_that_is_no_plain_address_works(home: Path, public: Path) -> None:
    async with open_embedded(home / 'a, "b" %20c', attach=False, public_dir=public) as dsn:
        assert await answer(dsn) == 1


async def test_a_short_folder_left_by_a_killed_daemon_is_used_again(home: Path, public: Path) -> None:
    state = home / ("long" * 25)
    async with open_embedded(state, attach=False, public_dir=public):
        sockets = recorded(state, "socket_dir")
        owner = sockets.stat()
    sockets.mkdir(mode=0o700)
    os.chown(sockets, owner.st_uid, owner.st_gid)

    async with open_embedded(state, attach=False, public_dir=public):
        assert recorded(state, "socket_dir") == sockets


async def test_a_socket_folder_that_others_can_use_is_not_trusted(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        (state / "postgres").chmod(0o755)
        with pytest.raises(Transient):
            async with embedded(attach=True, patience=timedelta(seconds=0.2)):
                pass


async def test_a_server_without_its_socket_does_not_count_as_running(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        (state / "postgres" / ".s.PGSQL.5432").unlink()
        with pytest.raises(Transient):
            async with embedded(attach=True, patience=timedelta(seconds=0.2)):
                pass


# The data


async def test_lost_data_is_an_error_and_not_an_empty_start(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    shutil.rmtree(state / "postgres")

    with pytest.raises(ConfigError, match="which is gone"):
        async with embedded(attach=False):
            pass


async def test_a_volume_that_is_not_mounted_is_an_error_and_not_an_empty_start(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    (state / "postgres").rename(state / "elsewhere")
    (state / "postgres").mkdir()

    with pytest.raises(ConfigError, match="which is gone"):
        async with embedded(attach=False):
            pass


async def test_data_of_another_major_version_is_refused(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    (state / "postgres" / "PG_VERSION").write_text("15\n")

    with pytest.raises(ConfigError, match="made by PostgreSQL 15"):
        async with embedded(attach=False):
            pass


async def test_an_interrupted_initdb_is_begun_again(embedded: Opening, state: Path) -> None:
    (state / "postgres.new" / "base").mkdir(parents=True)

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_a_damaged_record_is_no_obstacle(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    (state / "postgres.json").write_text("{")

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_a_state_folder_can_be_renamed(embedded: Opening, state: Path, home: Path, public: Path) -> None:
    async with embedded(attach=False) as dsn:
        await answer(dsn, "CREATE TABLE kept AS SELECT 42 AS number")
    state.rename(home / "renamed")

    async with open_embedded(home / "renamed", attach=False, public_dir=public) as dsn:
        assert await answer(dsn, "SELECT number FROM kept") == 42


async def test_a_state_folder_that_cannot_be_made_is_named(home: Path, public: Path) -> None:
    (home / "file").touch()

    with pytest.raises(ConfigError, match=str(home / "file")):
        async with open_embedded(home / "file" / "state", attach=False, public_dir=public):
            pass


async def test_a_log_that_has_grown_is_put_aside(embedded: Opening, state: Path) -> None:
    state.mkdir(mode=0o711)
    (state / "postgres.log").write_bytes(b"x" * 10_000_001)

    async with embedded(attach=False):
        pass

    assert (state / "postgres.log.1").stat().st_size == 10_000_001


# What a killed server left


async def test_a_reused_pid_in_a_stale_pid_file_is_no_obstacle(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pid_file = (state / "postgres" / "postmaster.pid").read_text()
    (state / "postgres" / "postmaster.pid").write_text(pid_file.replace(pid_file.split()[0], str(os.getpid()), 1))

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_an_empty_pid_file_is_no_obstacle(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    (state / "postgres" / "postmaster.pid").touch()

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_a_server_that_still_runs_is_stopped_first(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    async with running_server(_cluster(state)) as orphan, embedded(attach=False) as dsn:
        assert not lives(orphan.pid)
        assert await answer(dsn) == 1


async def test_a_server_that_does_not_go_is_named(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    async with running_server(_cluster(state)) as orphan:
        with pytest.raises(Transient, match=f"pid {orphan.pid}"):
            await end_former_server(state / "postgres", state / "postgres", patience=timedelta(0))


def _cluster(state: Path) -> Cluster:
    data = state / "postgres"
    return Cluster(
        data=data,
        sockets=data,
        binaries=find_binaries(),
        log=state / "postgres.log",
        account=server_account(data),
    )


# Accounts


@needs_root
async def test_root_keeps_data_outside_a_state_folder_that_its_account_cannot_enter(
    embedded: Opening, state: Path, public: Path
) -> None:
    state.mkdir(mode=0o700)

    async with embedded(attach=False) as dsn:
        assert await answer(dsn, "CREATE TABLE kept AS SELECT 42 AS number") is None

    assert recorded(state, "data_dir").parent == public
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@needs_root
async def test_data_outside_is_found_again_without_a_record(embedded: Opening, state: Path) -> None:
    state.mkdir(mode=0o700)
    async with embedded(attach=False) as dsn:
        await answer(dsn, "CREATE TABLE kept AS SELECT 42 AS number")
    (state / "postgres.json").unlink()

    async with embedded(attach=False) as dsn:
        assert await answer(dsn, "SELECT number FROM kept") == 42


@needs_root
async def test_a_state_folder_that_was_closed_later_is_explained(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    state.chmod(0o700)

    with pytest.raises(ConfigError, match="chmod o\\+x"):
        async with embedded(attach=False):
            pass


@needs_root
async def test_programs_in_a_private_home_are_copied_and_the_home_stays_private(
    embedded: Opening, home: Path, state: Path, public: Path
) -> None:
    programs = _private_wheel(home)

    async with embedded(attach=False, binaries=programs) as dsn:
        program = Path(f"/proc/{server_pid(state)}/exe").readlink()
        assert await answer(dsn) == 1

    assert program.is_relative_to(public)
    assert stat.S_IMODE((home / "private").stat().st_mode) == 0o700


def _private_wheel(home: Path) -> Path:
    """The wheel's programs as they lie in a virtual environment below a private home."""
    private = home / "private"
    wheel = find_binaries().parents[1]
    shutil.copytree(wheel, private / wheel.name, ignore=shutil.ignore_patterns("pginstall", "include", "*.a"))
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), private / f"{wheel.name}.libs")
    private.chmod(0o700)
    return private / wheel.name / "pginstall18" / "bin"


async def test_programs_that_do_not_run_are_named(embedded: Opening, home: Path) -> None:
    with pytest.raises(ConfigError, match=str(home / "nowhere")):
        async with embedded(attach=False, binaries=home / "nowhere"):
            pass


@needs_root
async def test_an_ordinary_user_can_run_it(hold: Hold, state: Path, home: Path) -> None:
    os.chown(home, NOBODY.uid, NOBODY.gid)

    daemon = await hold(account=NOBODY)

    assert await answer(daemon.dsn) == 1
    assert Path(f"/proc/{server_pid(state)}").stat().st_uid == NOBODY.uid
    assert await daemon.leave() == 0


@needs_root
async def test_roots_command_beside_a_users_daemon_uses_its_server(hold: Hold, embedded: Opening, home: Path) -> None:
    os.chown(home, NOBODY.uid, NOBODY.gid)
    await hold(account=NOBODY)

    async with embedded(attach=True) as dsn:
        assert await answer(dsn) == 1


@needs_root
async def test_roots_command_alone_does_not_lock_the_user_out(
    hold: Hold, embedded: Opening, home: Path, state: Path
) -> None:
    state.mkdir()
    os.chown(state, NOBODY.uid, NOBODY.gid)
    async with embedded(attach=True):
        pass

    daemon = await hold(account=NOBODY)

    assert await answer(daemon.dsn) == 1


@needs_root
async def test_a_user_is_told_that_the_folder_is_roots(hold: Hold, embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass

    stranger = await hold(account=NOBODY)

    assert stranger.dsn == ""
    assert "ConfigError" in await stranger.complaint()


@needs_root
async def test_data_of_a_uid_without_an_account_is_explained(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    os.chown(state / "postgres", 54321, 54321)

    with pytest.raises(ConfigError, match="54321, which has no account"):
        async with embedded(attach=False):
            pass


@needs_root
async def test_a_public_folder_of_somebody_else_is_not_used(embedded: Opening, state: Path, public: Path) -> None:
    state.mkdir(mode=0o700)
    public.mkdir()
    os.chown(public, NOBODY.uid, NOBODY.gid)

    with pytest.raises(ConfigError, match="does not belong to us"):
        async with embedded(attach=False):
            pass


@needs_root
async def test_a_public_folder_that_cannot_be_made_is_explained(home: Path, state: Path) -> None:
    state.mkdir(mode=0o700)
    (home / "file").touch()

    with pytest.raises(ConfigError, match="chmod o\\+x"):
        async with open_embedded(state, attach=False, public_dir=home / "file" / "public"):
            pass


@needs_root
def test_copied_programs_are_used_again(home: Path, public: Path) -> None:
    private = _private_wheel(home)
    first = runnable_binaries(private, NOBODY, public_dir=public)
    made = first.folder.stat().st_ctime_ns

    second = runnable_binaries(private, NOBODY, public_dir=public)

    assert second == first
    assert second.folder.stat().st_ctime_ns == made
