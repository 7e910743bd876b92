"""A desk for each test, and exchanges to talk to."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from alertd.demo.exchanges.server import Simulator, open_simulator
from tests.bao import Bao, dev_server
from tests.cli.desk import Desk, Keyboard


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    opened = Keyboard()
    yield opened
    opened.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with open_simulator() as opened:
        yield opened


@pytest.fixture(scope="session")
def bao() -> Iterator[Bao]:
    with dev_server() as server:
        yield server
