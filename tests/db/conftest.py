"""Roles with less than all rights, as a database of somebody else's gives them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from alertd.db import Db, open_db

MakeRole = Callable[[str], Awaitable[str]]


@pytest.fixture
async def admin(empty_dsn: str) -> AsyncIterator[Db]:
    """The superuser in an empty database."""
    async with open_db(empty_dsn, pool_size=2) as opened:
        yield opened


@pytest.fixture
async def make_role(admin: Db, empty_dsn: str) -> AsyncIterator[MakeRole]:
    """Creates a role with these options; answers its DSN of the empty database."""
    names = []

    async def make(options: str) -> str:
        database = urlsplit(empty_dsn).path.lstrip("/")
        name = f"role_{len(names)}_of_{database}"
        await admin.execute(f"CREATE ROLE {name} LOGIN {options}")
        names.append(name)
        return empty_dsn.replace("//alertd@", f"//{name}@")

    yield make
    for name in names:
        await admin.execute(f"DROP OWNED BY {name} CASCADE")
        await admin.execute(f"DROP ROLE {name}")
