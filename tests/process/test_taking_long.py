"""A slow start or stop keeps the manager patient, against a real datagram socket."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alertd.process import taking_long


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


async def heard(manager: socket.socket) -> str:
    return (await asyncio.to_thread(manager.recv, 500)).decode()


async def test_it_asks_for_time_again_and_again_and_says_why(manager: socket.socket) -> None:
    async with taking_long("opening the database", every=timedelta(milliseconds=10)):
        first, second = await heard(manager), await heard(manager)

    assert first == second == "EXTEND_TIMEOUT_USEC=30000\nSTATUS=opening the database"


async def test_it_asks_no_more_once_it_is_over(manager: socket.socket) -> None:
    async with taking_long("opening the database"):
        await heard(manager)

    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(500)
