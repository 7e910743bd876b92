"""An admin port with a scene behind it, and somebody who looks at it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.admin.port import Port, open_port
from tests.dashboard.scene import Scene, set_up
from tests.dashboard.visitor import Visitor, visiting


@pytest.fixture
async def port(dsn: str, tmp_path: Path) -> AsyncIterator[Port]:
    """Its clock is that of the browser."""
    async with open_port(dsn, tmp_path, datetime.now(UTC)) as opened:
        yield opened


@pytest.fixture
async def scene(port: Port) -> Scene:
    return await set_up(port.daemon.db, port.daemon.secrets, port.clock())


@pytest.fixture
async def visitor(port: Port) -> AsyncIterator[Visitor]:
    async with visiting(port.address.url) as made:
        yield made
