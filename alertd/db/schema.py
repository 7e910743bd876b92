"""The tables: applied to an empty database, carried forward in an older one, refused in a newer one."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alertd.db.pool import Db, Sql, Tx
from alertd.errors import ConfigError, Conflict, Refused

PACKAGE: Final = Path(__file__).parents[1]
MIGRATIONS: Final = PACKAGE / "migrations"
# Any number, as long as every alertd takes the same one.
LOCK: Final = 0x616C657274


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The version a database has (None: none of our tables) and the one this alertd wants."""

    have: int | None
    want: int

    @property
    def current(self) -> bool:
        return self.have == self.want


def schema_sql() -> str:
    """The whole schema: inside the package when installed, beside it in a checkout."""
    installed = PACKAGE / "schema.sql"
    return (installed if installed.exists() else PACKAGE.parent / "schema.sql").read_text(encoding="utf-8")


def version_of(sql: str) -> int:
    found = re.search(r"^-- alertd schema version: (\d+)$", sql, re.MULTILINE)
    if found is None:
        raise ValueError("schema.sql does not say its version")
    return int(found[1])


async def schema_status(db: Sql, *, sql: str | None = None) -> SchemaStatus:
    return SchemaStatus(await _have(db), version_of(sql or schema_sql()))


async def apply_schema(db: Db, *, sql: str | None = None, migrations: Path = MIGRATIONS) -> SchemaStatus:
    """Make the database current; what is current already stays as it is.

    An empty database takes the whole schema as one transaction; an older one each `NNNN.sql` as one, with
    its version row. Several processes may do this at once. Raises ConfigError when the database is newer
    than this program, holds foreign tables of our names, or forbids us to create.
    """
    sql = sql or schema_sql()
    want = version_of(sql)
    try:
        while not (status := await _step(db, sql, want=want, migrations=migrations)).current:
            pass
    except Conflict as exc:
        raise ConfigError([f"database.dsn: {db.place} holds tables that alertd did not make ({exc})"]) from None
    except Refused as exc:
        raise ConfigError(
            [f"database.dsn: the role may not create tables; GRANT CREATE ON SCHEMA public TO it ({exc})"]
        ) from None
    return status


async def _step(db: Db, sql: str, *, want: int, migrations: Path) -> SchemaStatus:
    """One transaction closer to `want`, alone: whoever waited for the lock looks again."""
    async with db.transaction() as tx:
        await tx.fetchval("SELECT pg_advisory_xact_lock($1)", LOCK)
        have = await _have(tx)
        if have == want:
            return SchemaStatus(have, want)
        if have is not None and have > want:
            raise ConfigError(
                [f"database.dsn: {db.place} has schema {have}, this alertd knows {want}; install a newer alertd"]
            )
        version, script = (want, sql) if have is None else (have + 1, _migration(migrations, have + 1))
        await _run(tx, script, version=version)
        return SchemaStatus(version, want)


async def _run(tx: Tx, script: str, *, version: int) -> None:
    await tx.script(script)
    await tx.execute("INSERT INTO alertd_schema (version) VALUES ($1)", version)


async def _have(db: Sql) -> int | None:
    if await db.fetchval("SELECT to_regclass('public.alertd_schema')") is None:
        return None
    version: int | None = await db.fetchval("SELECT max(version) FROM public.alertd_schema")
    return version


def _migration(folder: Path, version: int) -> str:
    return (folder / f"{version:04}.sql").read_text(encoding="utf-8")
