"""The notify protocol, against a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alertd.process import READY, answer_reload, notify, reloading, status, watchdog_interval


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5)
        yield listening


def test_state_reaches_the_manager(manager, tmp_path):
    address = str(tmp_path / "notify")
    manager.bind(address)

    told = notify(READY, {"NOTIFY_SOCKET": address})

    assert (told, manager.recv(100)) == (True, b"READY=1")


def test_state_reaches_an_abstract_socket(manager):
    name = f"alertd-test-{os.getpid()}"
    manager.bind(f"\0{name}")

    notify(READY, {"NOTIFY_SOCKET": f"@{name}"})

    assert manager.recv(100) == b"READY=1"


def test_environment_of_the_process_is_the_default(manager, tmp_path, monkeypatch):
    address = str(tmp_path / "notify")
    manager.bind(address)
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notify(READY)

    assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_nobody_is_told_where_nobody_listens(environ):
    assert not notify(READY, environ)


def test_manager_that_is_gone_is_no_error(tmp_path: Path):
    assert not notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_status_is_one_line():
    assert status("12 due\nREADY=0\r\n") == "STATUS=12 due READY=0"


def test_long_status_is_cut():
    assert len(status("x" * 5000)) < 300


def test_reload_is_announced_with_its_time():
    assert reloading().startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_watchdog_wants_a_sign_in_half_the_time_it_allows():
    environ = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}

    assert watchdog_interval(environ) == timedelta(seconds=15)


def test_watchdog_without_a_process_means_us():
    assert watchdog_interval({"WATCHDOG_USEC": "1000000"}) == timedelta(seconds=0.5)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": ""},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_for_us(environ):
    assert watchdog_interval(environ) is None


@pytest.mark.parametrize("problems", [(), ("credentials.retries: must be at least 0", "admin.port: cannot change")])
def test_outcome_of_a_reload_is_left_in_the_runtime_folder(tmp_path: Path, problems: tuple[str, ...]):
    answer_reload(problems, {"RUNTIME_DIRECTORY": str(tmp_path)})

    assert [file.name for file in tmp_path.iterdir()] == ["reload"]
    assert tuple((tmp_path / "reload").read_text().splitlines()) == problems


@pytest.mark.parametrize("environ", [{}, {"RUNTIME_DIRECTORY": ""}, {"RUNTIME_DIRECTORY": "/nowhere"}])
def test_outcome_of_a_reload_that_nobody_can_read_is_no_error(environ: dict[str, str]):
    answer_reload(("admin.port: cannot change",), environ)
