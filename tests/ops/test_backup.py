"""A backup and what becomes of it: everything is there again, and an older version's data goes forward."""

import asyncio
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

from alertd.db import Db, apply_schema, new_id, open_db, schema_sql, schema_status
from alertd.db.schema import version_of
from tests.e2e.conftest import home as home
from tests.e2e.conftest import town as town
from tests.e2e.daemon import ALERTD, Home, running
from tests.e2e.town import Town, standing

CHECKED = "Credential health check completed"


async def piped(home: Home, given: dict[str, object], *words: str, reads: Path | None = None) -> tuple[int, bytes, str]:
    """A command with a file on its standard input; its exit code, and what it wrote and said."""
    with (reads or Path(os.devnull)).open("rb") as source:
        process = await asyncio.create_subprocess_exec(
            *ALERTD, *words, env=home.environment(given), cwd=home.folder, stdin=source, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
    return process.returncode or 0, out, err.decode()


async def test_a_restored_machine_goes_on_where_the_old_one_was(home: Home, town: Town, empty_dsn: str) -> None:
    tenant = await town.tenant("okx")
    given = town.given
    async with running(home, given) as daemon:
        await daemon.says(CHECKED, is_valid=True)
        code, copy, said = await piped(home, given, "schema", "dump")
    (home.folder / "copy").write_bytes(copy)
    elsewhere = Home(home.folder / "elsewhere")
    elsewhere.state.mkdir(parents=True)
    shutil.copy(home.state / "encryption.key", elsewhere.state)
    shutil.copytree(home.state / "secrets", elsewhere.state / "secrets")

    given = given | {"ALERTD_DATABASE__DSN": empty_dsn}
    restored, _, told = await piped(elsewhere, given, "schema", "restore", reads=home.folder / "copy")
    async with open_db(empty_dsn) as db:
        before = await standing(db, tenant)
        async with running(elsewhere, given) as daemon:
            await daemon.says(CHECKED, is_valid=True)
            assert await daemon.stop() == 0

    assert (code, restored) == (0, 0), said + told
    assert before["verdict"] == "valid"
    assert daemon.said(CHECKED, is_valid=False) == []


async def test_a_database_in_use_is_not_overwritten(home: Home, db: Db, dsn: str) -> None:
    code, _, said = await piped(home, {"ALERTD_DATABASE__DSN": dsn}, "schema", "restore")

    assert code == 1
    assert "in use" in said


async def test_a_copy_that_is_none_leaves_the_database_empty(home: Home, empty_dsn: str) -> None:
    given = {"ALERTD_DATABASE__DSN": empty_dsn}

    code, _, said = await piped(home, given, "schema", "restore", reads=Path(sys.executable))

    async with open_db(empty_dsn) as db:
        assert (await schema_status(db)).have is None
    assert code == 1
    assert "pg_restore" in said


async def test_an_older_database_goes_forward_with_all_that_is_in_it(db: Db, tmp_path: Path, now: datetime) -> None:
    tenant = new_id()
    await db.execute("INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Kept', $2)", tenant, now)
    have = version_of(schema_sql())
    newer = schema_sql().replace(f"schema version: {have}", f"schema version: {have + 1}")
    (tmp_path / f"{have + 1:04}.sql").write_text(
        "ALTER TABLE tenants ADD COLUMN region text NOT NULL DEFAULT 'eu';\n"
        "CREATE INDEX tenants_by_region ON tenants (region);\n"
    )

    status = await apply_schema(db, sql=newer, migrations=tmp_path)

    assert (status.have, status.current) == (have + 1, True)
    assert [tuple(row) for row in await db.fetch("SELECT id, name, region FROM tenants")] == [(tenant, "Kept", "eu")]
