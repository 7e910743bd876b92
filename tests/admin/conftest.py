"""An open admin port for each test."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.admin.port import Port, open_port


@pytest.fixture
async def port(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Port]:
    async with open_port(dsn, tmp_path, now) as opened:
        yield opened
