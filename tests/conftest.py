"""Fixtures for everybody: a fixed time, one real PostgreSQL, a fresh database for each test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from alertd.db import Db, apply_schema, open_db
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, dsn_of, running_server
from tests.tools import AbsentTools

# Without a deadline: a busy machine is no failure. `make test` tries the same examples each time, `make fuzz` others.
hypothesis.settings.register_profile("alike", deadline=None, derandomize=True)
hypothesis.settings.register_profile("wild", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "alike"))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(AbsentTools())


NUMBERS = itertools.count()
# A hundred databases of 8 MB, and the log.
ROOM = 2_000_000_000
TEMPLATE = "alertd_template"
# Nobody misses a test's database after a power cut.
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "300"}


@pytest.fixture
def now() -> datetime:
    """A Monday, at noon."""
    return datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """A short folder which the server's account can get through; pytest's own are private to us."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="alertd-test-", dir=memory if roomy else "/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(server_home: Path) -> AsyncIterator[Cluster]:
    """One server for each test process, with a template that has the schema."""
    data = server_home / "data"
    account = server_account(data)
    log = server_home / "postgres.log"
    cluster = Cluster(data=data, sockets=data, binaries=find_binaries(), log=log, account=account, settings=CARELESS)
    await create_data(cluster, options=["--no-sync"])
    async with running_server(cluster):
        await _statement(cluster, f"CREATE DATABASE {TEMPLATE}")
        async with open_db(dsn_of(cluster.sockets, database=TEMPLATE)) as db:
            await apply_schema(db)
        yield cluster


@pytest.fixture(scope="session")
def postgres_dsn(cluster: Cluster) -> str:
    """The server itself; its database is empty."""
    return cluster.dsn


@pytest.fixture
async def dsn(cluster: Cluster) -> AsyncIterator[str]:
    """A database of one test, with the schema and nothing else."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    await _statement(cluster, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield dsn_of(cluster.sockets, database=name)
    await _statement(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_dsn(cluster: Cluster) -> AsyncIterator[str]:
    """A database of one test without any table."""
    name = f"empty_{os.getpid()}_{next(NUMBERS)}"
    await _statement(cluster, f"CREATE DATABASE {name} STRATEGY file_copy")
    yield dsn_of(cluster.sockets, database=name)
    await _statement(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Db]:
    async with open_db(dsn, pool_size=5) as opened:
        yield opened


async def _statement(cluster: Cluster, sql: str) -> None:
    connection = await asyncpg.connect(cluster.dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
