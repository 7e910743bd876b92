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
_PASSWORD: Final = "password="  # noqa: S105 - the name of an option


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
    """The DSN as it may be seen, and the password, which stands before the host or among the options."""
    parts = urlsplit(dsn)
    user, _, server = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    options = parts.query.split("&")
    asked = [option.removeprefix(_PASSWORD) for option in options if option.startswith(_PASSWORD)]
    query = "&".join(option for option in options if not option.startswith(_PASSWORD))
    # Put together by hand: the library leaves the slashes of an empty host out, and no program takes that for a DSN.
    address = f"{parts.scheme}://{name}{'@' if name else ''}{server}{parts.path}{'?' if query else ''}{query}"
    return address, unquote(password or "".join(asked[:1]))
