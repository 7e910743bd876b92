"""A copy is made of whatever database a DSN names, and nobody sees its password meanwhile."""

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from alertd.postgres import copies
from alertd.postgres.server import PORT, Cluster

PASSWORD = "a-password-that-nobody-may-see"


def running(name: str) -> list[str]:
    """The command lines of the programs of this name, as everybody on this machine sees them."""
    lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline")]
    return [line.decode(errors="replace") for line in lines if name.encode() in line]


@pytest.fixture
async def silent(home: Path) -> asyncio.Server:
    """A socket that takes a connection and never answers."""

    async def say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return await asyncio.start_unix_server(say_nothing, home / f".s.PGSQL.{PORT}")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://alertd@/{database}?host={sockets}&port={port}",
        "postgresql:///{database}?host={sockets}&port={port}&user=alertd",
        "postgresql:///{database}?host={sockets}&port={port}&user=alertd&password=unneeded",
    ],
)
async def test_every_form_of_a_dsn_is_understood(cluster: Cluster, dsn: str) -> None:
    with TemporaryFile() as copy:
        await copies.dump(dsn.format(database="postgres", sockets=cluster.sockets, port=PORT), copy)

        copy.seek(0)
        assert copy.read(5) == b"PGDMP"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://alertd:{PASSWORD}@/postgres?host={{sockets}}&port={PORT}",
        f"postgresql://alertd@/postgres?host={{sockets}}&port={PORT}&password={PASSWORD}",
    ],
)
async def test_the_command_line_has_no_password(home: Path, silent: asyncio.Server, dsn: str) -> None:
    async with silent:
        with TemporaryFile() as copy:
            dumping = asyncio.create_task(copies.dump(dsn.format(sockets=home), copy))
            while not (lines := [line for line in running("pg_dump") if str(home) in line]):
                await asyncio.sleep(0.01)
            dumping.cancel()
            with suppress(asyncio.CancelledError):
                await dumping

    assert PASSWORD not in "".join(lines)
