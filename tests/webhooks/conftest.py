"""A tenant, and its endpoint."""

import pytest

from tests.factories import tenant, webhook


@pytest.fixture
async def acme(db):
    return await tenant(db)


@pytest.fixture
async def hook(db, acme):
    return await webhook(db, acme)
