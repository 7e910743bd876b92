import asyncio
from pathlib import Path

import pytest

from alertd.db import Db, SchemaStatus, apply_schema, open_db, schema_sql, schema_status
from alertd.db.schema import MIGRATIONS, version_of
from alertd.errors import ConfigError
from tests.db.conftest import MakeRole

WANT = version_of(schema_sql())
FIRST = """-- alertd schema version: 1
CREATE TABLE alertd_schema (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE things (id integer);
"""
THIRD = FIRST.replace("version: 1", "version: 3")
TABLES = "SELECT array_agg(table_name::text ORDER BY table_name) FROM information_schema.tables WHERE table_schema = $1"
VERSIONS = "SELECT array_agg(version ORDER BY version) FROM alertd_schema"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    (tmp_path / "0002.sql").write_text("ALTER TABLE things ADD COLUMN name text;\nCREATE TABLE more (id integer);\n")
    (tmp_path / "0003.sql").write_text("ALTER TABLE things DROP COLUMN id;\n")
    return tmp_path


def test_the_schema_says_its_version() -> None:
    assert WANT >= 1


def test_there_is_a_migration_to_every_later_version() -> None:
    assert sorted(path.name for path in MIGRATIONS.glob("*.sql")) == [f"{n:04}.sql" for n in range(2, WANT + 1)]


def test_a_schema_without_a_version_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="version"):
        version_of("CREATE TABLE things (id integer);")


async def test_an_empty_database_has_no_version(admin: Db) -> None:
    assert await schema_status(admin) == SchemaStatus(have=None, want=WANT)


async def test_apply_makes_an_empty_database_current(admin: Db) -> None:
    assert (await apply_schema(admin)).current

    assert await schema_status(admin) == SchemaStatus(have=WANT, want=WANT)


async def test_apply_leaves_a_current_database_as_it_is(db: Db) -> None:
    await apply_schema(db)

    assert await db.fetchval(VERSIONS) == [WANT]


async def test_several_processes_may_apply_at_once(empty_dsn: str) -> None:
    async def apply() -> SchemaStatus:
        async with open_db(empty_dsn, pool_size=1) as db:
            return await apply_schema(db)

    assert await asyncio.gather(apply(), apply(), apply()) == [SchemaStatus(WANT, WANT)] * 3


async def test_an_older_database_goes_forward_step_by_step(admin: Db, migrations: Path) -> None:
    await apply_schema(admin, sql=FIRST)

    await apply_schema(admin, sql=THIRD, migrations=migrations)

    assert await admin.fetchval(VERSIONS) == [1, 2, 3]
    assert await admin.fetchval(TABLES, "public") == ["alertd_schema", "more", "things"]


async def test_a_new_database_needs_no_migration(admin: Db, migrations: Path) -> None:
    await apply_schema(admin, sql=THIRD, migrations=migrations)

    assert await admin.fetchval(VERSIONS) == [3]


async def test_a_migration_that_fails_leaves_the_version_before_it(admin: Db, migrations: Path) -> None:
    await apply_schema(admin, sql=FIRST)
    (migrations / "0003.sql").write_text("DROP TABLE more;\nDROP TABLE no_such_table;\n")

    with pytest.raises(Exception, match="no_such_table"):
        await apply_schema(admin, sql=THIRD, migrations=migrations)

    assert await admin.fetchval(VERSIONS) == [1, 2]
    assert await admin.fetchval(TABLES, "public") == ["alertd_schema", "more", "things"]


async def test_a_newer_database_is_refused(admin: Db) -> None:
    await apply_schema(admin, sql=THIRD)

    with pytest.raises(ConfigError, match="install a newer alertd"):
        await apply_schema(admin, sql=FIRST)


async def test_tables_that_are_not_ours_are_refused(admin: Db) -> None:
    await admin.execute("CREATE TABLE things (theirs text)")

    with pytest.raises(ConfigError, match="tables that alertd did not make"):
        await apply_schema(admin, sql=FIRST)

    assert await admin.fetchval(TABLES, "public") == ["things"]


async def test_a_role_that_may_not_create_is_told_what_to_grant(make_role: MakeRole) -> None:
    async with open_db(await make_role("")) as db:
        with pytest.raises(ConfigError, match="GRANT CREATE ON SCHEMA public"):
            await apply_schema(db)


async def test_a_role_with_no_more_than_create_is_enough(admin: Db, make_role: MakeRole) -> None:
    dsn = await make_role("NOSUPERUSER")
    await admin.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")

    async with open_db(dsn) as db:
        assert (await apply_schema(db)).current


async def test_tables_go_to_public_whatever_the_role_prefers(admin: Db, make_role: MakeRole) -> None:
    dsn = await make_role("SUPERUSER")
    async with open_db(dsn) as db:
        await db.execute("CREATE SCHEMA mine")
        await db.execute("ALTER ROLE CURRENT_USER SET search_path = mine")

    async with open_db(dsn) as db:
        await apply_schema(db, sql=FIRST)

    assert await admin.fetchval(TABLES, "public") == ["alertd_schema", "things"]
