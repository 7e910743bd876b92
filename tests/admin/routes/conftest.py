"""A market, or a desk, for each test."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.admin.routes.desk import Desk, open_desk
from tests.admin.routes.market import Market, open_market


@pytest.fixture
async def market(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Market]:
    async with open_market(dsn, tmp_path, now) as opened:
        yield opened


@pytest.fixture
async def desk(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Desk]:
    async with open_desk(dsn, tmp_path, now) as opened:
        yield opened
