"""A desk for each test, and for each file an office with a daemon."""

import asyncio
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import asyncpg
import pytest
import structlog

from alertd.postgres.server import Cluster, dsn_of
from tests.cli.desk import Desk, Keyboard
from tests.cli.office import Office, open_office
from tests.conftest import TEMPLATE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    opened = Keyboard()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def office_dsn(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for the tests of one file."""
    name = f"office_{request.module.__name__.rpartition('.')[2]}"
    asyncio.run(_statement(cluster, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"))
    yield dsn_of(cluster.sockets, database=name)
    asyncio.run(_statement(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def silence() -> Iterator[None]:
    """What the daemon logs is not what a command prints."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger("error"),
        logger_factory=structlog.PrintLoggerFactory(StringIO()),
        cache_logger_on_first_use=False,
    )
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def office(silence: None, office_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(office_dsn, tmp_path_factory.mktemp("office")) as opened:
        yield opened


async def _statement(cluster: Cluster, sql: str) -> None:
    connection = await asyncpg.connect(cluster.dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
