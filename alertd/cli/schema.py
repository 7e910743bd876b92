"""`alertd schema`: print the SQL, apply it, say its version; copy the whole database and bring it back."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer

from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import FAILED, print_json, say
from alertd.config import Settings, load
from alertd.db import SchemaStatus, apply_schema, open_db, schema_sql, schema_status
from alertd.db.schema import version_of
from alertd.errors import Refused
from alertd.postgres import copies, open_embedded
from alertd.postgres.record import read_record

commands = typer.Typer(no_args_is_help=True, help="The database schema.")


@commands.command("print", epilog="Example: alertd schema print > schema.sql")
def print_() -> None:
    """Print the whole schema as SQL."""
    sys.stdout.write(schema_sql())


@commands.command(epilog="Example: alertd schema apply -c /etc/alertd/alertd.toml")
def apply(config: ConfigFile = None) -> None:
    """Bring the database to this version; a database that is there already stays as it is."""
    status = asyncio.run(_with_database(load(config), applying=True))
    say(f"The database has schema version {status.have}.")


@commands.command(epilog="Example: alertd schema status --json")
def status(config: ConfigFile = None, *, json: Json = False) -> None:
    """Say which version the database has, and which one this alertd wants; exit 1 if they differ."""
    found = asyncio.run(_with_database(load(config), applying=False))
    if json:
        print_json({"have": found.have, "want": found.want})
    else:
        say(f"database: {found.have or 'none'}; this alertd: {found.want}")
    if found.have != found.want:
        raise typer.Exit(FAILED)


@commands.command(epilog="Example: alertd schema dump -c /etc/alertd/alertd.toml > alertd.dump")
def dump(config: ConfigFile = None) -> None:
    """Copy the database to standard output, beside a running daemon or without one."""
    if sys.stdout.isatty():
        raise typer.BadParameter("this is a file, not for a terminal: alertd schema dump > alertd.dump")
    asyncio.run(_copied(load(config), lambda dsn: copies.dump(dsn, sys.stdout.buffer)))


@commands.command(epilog="Example: alertd schema restore -c /etc/alertd/alertd.toml < alertd.dump")
def restore(config: ConfigFile = None) -> None:
    """Fill an empty database with a copy, and bring it to this version; the daemon must not run yet."""
    if sys.stdin.isatty():
        raise typer.BadParameter("give the copy on standard input: alertd schema restore < alertd.dump")
    asyncio.run(_copied(load(config), _restored))


async def _copied(settings: Settings, copy: Callable[[str], Awaitable[None]]) -> None:
    if settings.database.dsn is not None:
        await copy(settings.database.dsn.get_secret_value())
        return
    async with open_embedded(settings.state_dir, attach=True) as dsn:
        await copy(dsn)


async def _restored(dsn: str) -> None:
    async with open_db(dsn, pool_size=1) as db:
        if (await schema_status(db)).have is not None:
            raise Refused("This database is in use: a copy goes into an empty one")
        await copies.restore(dsn, sys.stdin.buffer)
        status = await apply_schema(db)
    say(f"Restored; the database has schema version {status.have}.")


def has_embedded(state_dir: Path) -> bool:
    """Whether there is a database to look at; where we may not look, opening it says why."""
    try:
        return read_record(state_dir) is not None
    except OSError:
        return True


async def _with_database(settings: Settings, *, applying: bool) -> SchemaStatus:
    if settings.database.dsn is not None:
        return await _ask(settings.database.dsn.get_secret_value(), applying=applying)
    if not applying and not has_embedded(settings.state_dir):
        return SchemaStatus(have=None, want=version_of(schema_sql()))  # to look makes no database
    async with open_embedded(settings.state_dir, attach=True) as dsn:
        return await _ask(dsn, applying=applying)


async def _ask(dsn: str, *, applying: bool) -> SchemaStatus:
    async with open_db(dsn, pool_size=1) as db:
        return await (apply_schema(db) if applying else schema_status(db))
