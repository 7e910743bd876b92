"""Copies of a database as one file, made and read by PostgreSQL's own programs: backups, and moves between versions."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from alertd.errors import Refused
from alertd.postgres.binaries import find_binaries

_SAID: Final = 500


async def dump(dsn: str, copy: IO[bytes]) -> None:
    """Write everything in the database to `copy`, as of one moment, beside running daemons. Raises Refused."""
    await _run("pg_dump", dsn, ["--format=custom", "--no-owner", "--no-privileges"], writes=copy)


async def restore(dsn: str, copy: IO[bytes]) -> None:
    """Fill an empty database from `copy`: wholly or not at all. Raises Refused."""
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    await _run("pg_restore", dsn, options, reads=copy)


async def _run(
    program: str, dsn: str, options: Sequence[str], *, reads: IO[bytes] | None = None, writes: IO[bytes] | None = None
) -> None:
    address, password = _without_password(dsn)
    process = await asyncio.create_subprocess_exec(
        _program(program),
        *options,
        f"--dbname={address}",
        stdin=reads or asyncio.subprocess.DEVNULL,
        stdout=writes or asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": password},  # the command line is for all to see
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Refused(f"{program}: {' | '.join(said.decode(errors='replace').splitlines())[-_SAID:]}")


def _program(name: str) -> Path:
    return find_binaries() / name


def _without_password(dsn: str) -> tuple[str, str]:
    parts = urlsplit(dsn)
    user, _, server = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return parts._replace(netloc=f"{name}@{server}" if name else server).geturl(), unquote(password)
