import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from alertd.errors import Busy, ConfigError, Transient
from alertd.postgres.locks import try_exclusive
from tests.postgres.conftest import Hold, Opening, answer, lives, server_pid, until


async def test_a_daemon_gets_a_database_that_answers(embedded: Opening) -> None:
    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_data_survives_a_restart(embedded: Opening) -> None:
    async with embedded(attach=False) as dsn:
        await answer(dsn, "CREATE TABLE kept AS SELECT 42 AS number")

    async with embedded(attach=False) as dsn:
        assert await answer(dsn, "SELECT number FROM kept") == 42


async def test_a_second_daemon_is_refused_and_told_who_is_there(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        with pytest.raises(Busy, match=rf"pid {os.getpid()}\) uses {state}"):
            async with embedded(attach=False):
                pass


async def test_a_command_beside_a_daemon_uses_its_server(embedded: Opening) -> None:
    async with embedded(attach=False) as dsn, embedded(attach=True) as beside:
        assert beside == dsn
        assert await answer(beside) == 1


async def test_a_command_that_leaves_does_not_stop_the_daemons_server(embedded: Opening) -> None:
    async with embedded(attach=False) as dsn:
        async with embedded(attach=True):
            pass
        assert await answer(dsn) == 1


async def test_a_command_alone_runs_the_server_and_stops_it(embedded: Opening, state: Path) -> None:
    async with embedded(attach=True) as dsn:
        pid = server_pid(state)
        assert await answer(dsn) == 1

    assert not lives(pid)


async def test_of_two_commands_the_first_waits_for_the_second(embedded: Opening, hold: Hold) -> None:
    first = await hold(attach=True)
    async with embedded(attach=True) as dsn:
        leaving = asyncio.create_task(first.leave())
        await asyncio.sleep(0.3)
        assert await answer(dsn) == 1
        assert not leaving.done()

    assert await leaving == 0


async def test_a_command_that_is_cancelled_waits_for_nobody(embedded: Opening, state: Path) -> None:
    entered = asyncio.Event()

    async def first() -> None:
        async with embedded(attach=True):
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(first())
    await entered.wait()
    pid = server_pid(state)
    async with embedded(attach=True):
        task.cancel()
        await asyncio.wait({task})

    assert not lives(pid)


async def test_a_daemon_waits_for_a_command_that_runs_the_server(embedded: Opening, hold: Hold) -> None:
    command = await hold(attach=True)
    starting = asyncio.create_task(asyncio.wait_for(_open_and_answer(embedded), 30))
    await asyncio.sleep(0.2)

    await command.leave()

    assert await starting == 1


async def _open_and_answer(embedded: Opening) -> object:
    async with embedded(attach=False) as dsn:
        return await answer(dsn)


async def test_a_daemon_says_which_command_it_waited_for(embedded: Opening, hold: Hold) -> None:
    command = await hold(attach=True)

    with pytest.raises(Busy, match=f"pid {command.process.pid}"):
        async with embedded(attach=False, patience=timedelta(seconds=0.2)):
            pass


async def test_a_command_says_whose_server_does_not_answer(embedded: Opening, state: Path) -> None:
    state.mkdir()
    with try_exclusive(state / "postgres.lock"), pytest.raises(Transient, match=f"pid {os.getpid()}"):  # type: ignore[union-attr]
        async with embedded(attach=True, patience=timedelta(seconds=0.2)):
            pass


async def test_an_exception_leaves_no_server_behind(embedded: Opening, state: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_inside(embedded)

    assert not lives(server_pid(state))


async def _fail_inside(embedded: Opening) -> None:
    async with embedded(attach=False):
        raise ZeroDivisionError


async def test_a_cancellation_leaves_no_server_behind(embedded: Opening, state: Path) -> None:
    entered = asyncio.Event()

    async def daemon() -> None:
        async with embedded(attach=False):
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(daemon())
    await entered.wait()
    pid = server_pid(state)
    task.cancel()
    await asyncio.wait({task})

    assert not lives(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's death")
async def test_a_killed_daemon_takes_its_server_along(hold: Hold, state: Path) -> None:
    daemon = await hold()
    pid = server_pid(state)

    await daemon.kill()

    await asyncio.wait_for(until(lambda: not lives(pid)), 20)


async def test_the_next_daemon_goes_on_at_once_after_a_killed_one(embedded: Opening, hold: Hold) -> None:
    daemon = await hold()
    await answer(daemon.dsn, "CREATE TABLE kept AS SELECT 42 AS number")

    await daemon.kill()

    async with embedded(attach=False) as dsn:
        assert await answer(dsn, "SELECT number FROM kept") == 42


async def test_it_recovers_when_daemon_and_server_were_killed(embedded: Opening, hold: Hold, state: Path) -> None:
    daemon = await hold()
    await answer(daemon.dsn, "CREATE TABLE kept AS SELECT 42 AS number")

    os.kill(daemon.process.pid, signal.SIGSTOP)
    os.kill(server_pid(state), signal.SIGKILL)
    await daemon.kill()

    async with embedded(attach=False) as dsn:
        assert await answer(dsn, "SELECT number FROM kept") == 42


async def test_a_server_that_dies_is_started_again(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False) as dsn:
        pid = server_pid(state)
        os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(until(lambda: server_pid(state) != pid), 30)

        assert await answer(dsn) == 1


async def test_the_server_does_not_get_our_environment(hold: Hold, state: Path) -> None:
    await hold()

    environment = Path(f"/proc/{server_pid(state)}/environ").read_bytes()

    assert b"VAULT_TOKEN" not in environment


async def test_a_server_that_does_not_start_is_quoted(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        pass
    with (state / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")

    with pytest.raises(Transient, match="no_such_setting"):
        async with embedded(attach=False):
            pass


async def test_a_folder_that_is_no_database_is_left_alone(embedded: Opening, state: Path) -> None:
    (state / "postgres").mkdir(parents=True)
    (state / "postgres" / "thesis.txt").write_text("dear reader")

    with pytest.raises(ConfigError, match="no database"):
        async with embedded(attach=False):
            pass

    assert (state / "postgres" / "thesis.txt").read_text() == "dear reader"


async def test_an_empty_data_folder_is_filled(embedded: Opening, state: Path) -> None:
    (state / "postgres").mkdir(parents=True)

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_a_failed_start_leaves_the_locks_free(embedded: Opening, state: Path) -> None:
    state.mkdir(mode=0o711)
    (state / "postgres").write_text("in the way")
    with pytest.raises((ConfigError, Transient)):
        async with embedded(attach=False):
            pass
    (state / "postgres").unlink()

    async with embedded(attach=False) as dsn:
        assert await answer(dsn) == 1


async def test_the_record_says_what_runs(embedded: Opening, state: Path) -> None:
    async with embedded(attach=False):
        record = json.loads((state / "postgres.json").read_text())

    assert record["data_dir"] == str(state / "postgres")
    assert record["version"].startswith("18.")


def test_it_runs_under_uvloop(embedded: Opening) -> None:
    async def select() -> object:
        async with embedded(attach=False) as dsn:
            return await answer(dsn)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(select()) == 1
