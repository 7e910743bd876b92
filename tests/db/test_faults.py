"""What becomes of the driver's errors; each is provoked at a real server."""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from alertd.db import Db, open_db
from alertd.db.faults import our_errors, place_of
from alertd.errors import ConfigError, Conflict, Refused, Transient
from tests.db.conftest import MakeRole

AT_ONCE = timedelta(0)
MINE = "SELECT pg_backend_pid()"


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://user:pa%40ss@db.example:5433/alertd?sslmode=require", "db.example:5433/alertd"),
        ("postgresql://user:pa@ss@db.example/a%20b", "db.example/a b"),
        ("postgresql://alertd@/postgres?host=%2Fvar%2Flib&port=5432", "/var/lib/postgres"),
        ("postgresql:///postgres", "localhost/postgres"),
        ("postgresql://user:hunter/2@db/alertd", None),
        ("postgresql://user:hunter#2@db/alertd", None),
        ("postgresql://user:hunter?2@db/alertd", None),
        ("postgresql://user:hunter2@[db/alertd", None),
        ("hunter2", None),
    ],
)
def test_a_place_is_host_and_database_at_most(dsn: str, place: str | None) -> None:
    assert place_of(dsn) == place


# In the middle of work


async def test_a_lost_connection_is_transient_and_says_what_was_attempted(db: Db) -> None:
    with pytest.raises(Transient, match=r"SELECT 'next' at .*/test_"):
        await _lose_the_connection(db)


async def _lose_the_connection(db: Db) -> None:
    async with db.transaction() as tx:
        await db.execute("SELECT pg_terminate_backend($1)", await tx.fetchval(MINE))
        await tx.fetchval("SELECT 'next'")


async def test_a_connection_found_closed_is_transient(db: Db) -> None:
    with pytest.raises(Transient, match=r"SELECT 2 .* connection is closed"):
        await _go_on_after_a_lost_connection(db)


async def _go_on_after_a_lost_connection(db: Db) -> None:
    async with db.transaction() as tx:
        await db.execute("SELECT pg_terminate_backend($1)", await tx.fetchval(MINE))
        with suppress(Transient):
            await tx.fetchval("SELECT 1")
        await tx.fetchval("SELECT 2")


async def test_the_pool_goes_on_after_a_lost_connection(db: Db) -> None:
    with suppress(Transient):
        await _lose_the_connection(db)

    assert await db.fetchval("SELECT 1") == 1


async def test_a_deadlock_is_transient_for_one_of_the_two(db: Db) -> None:
    await db.execute("CREATE TABLE pair AS SELECT n FROM generate_series(1, 2) AS n")
    met = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with db.transaction() as tx:
            await tx.execute("UPDATE pair SET n = n WHERE n = $1", first)
            await met.wait()
            await tx.execute("UPDATE pair SET n = n WHERE n = $1", second)

    outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)

    assert sorted(type(outcome) for outcome in outcomes if outcome) == [Transient]


async def test_a_serialization_failure_is_transient(db: Db) -> None:
    await db.execute("CREATE TABLE counter AS SELECT 0 AS n")

    with pytest.raises(Transient, match="could not serialize"):
        await _write_what_changed_meanwhile(db)


async def _write_what_changed_meanwhile(db: Db) -> None:
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await tx.fetchval("SELECT n FROM counter")
        await db.execute("UPDATE counter SET n = n + 1")
        await tx.execute("UPDATE counter SET n = n + 1")


async def test_a_statement_that_takes_too_long_is_transient(db: Db) -> None:
    with pytest.raises(Transient, match="statement timeout"):
        await _sleep_too_long(db)


async def _sleep_too_long(db: Db) -> None:
    async with db.transaction() as tx:
        await tx.execute("SET LOCAL statement_timeout = 10")
        await tx.fetchval("SELECT pg_sleep(60)")


async def test_what_is_there_already_is_a_conflict_that_quotes_no_values(db: Db) -> None:
    await db.execute("CREATE TABLE names (name text CONSTRAINT one_of_each UNIQUE)")
    await db.execute("INSERT INTO names VALUES ('hidden')")

    with pytest.raises(Conflict, match="one_of_each") as caught:
        await db.execute("INSERT INTO names VALUES ($1)", "hidden")

    assert "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_mistake_of_ours_stays_as_it_is(db: Db) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await db.execute("SELEKT 1")


async def test_a_wrong_argument_stays_as_it_is(db: Db) -> None:
    with pytest.raises(asyncpg.DataError):
        await db.fetchval("SELECT $1::integer", "three")


async def test_a_wrong_number_of_arguments_stays_as_it_is(db: Db) -> None:
    with pytest.raises(asyncpg.InterfaceError, match="expects 0 arguments"):
        await db.fetchval("SELECT 1", 5)


def test_no_answer_in_time_is_said_so() -> None:
    with (
        pytest.raises(Transient, match="SELECT 1 at db/alertd: no answer in time"),
        our_errors("SELECT 1", "db/alertd"),
    ):
        raise TimeoutError


def test_of_a_long_statement_only_the_beginning_is_named() -> None:
    with pytest.raises(Transient) as caught, our_errors("SELECT\n  a," + " b," * 1000, "db/alertd"):
        raise ConnectionResetError

    assert str(caught.value).startswith("SELECT a, b,")
    assert len(str(caught.value)) < 120


async def test_a_missing_right_is_refused(admin: Db, make_role: MakeRole) -> None:
    await admin.execute("CREATE TABLE private (id integer)")

    async with open_db(await make_role("")) as db:
        with pytest.raises(Refused, match="permission denied"):
            await db.fetchval("SELECT id FROM private")


# At the start


async def test_a_server_that_is_not_there_is_transient_and_named_without_the_password() -> None:
    with pytest.raises(Transient, match=r"connect at 127\.0\.0\.1:1/alertd") as caught:
        async with open_db("postgresql://alertd:hunter2@127.0.0.1:1/alertd", patience=AT_ONCE):
            pass

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "mysql://alertd:hunter2@db/alertd",
        "postgresql://alertd:hunter2@db:port/alertd",
        "postgresql://alertd:hunter2@db/alertd?nonsense",
        "postgresql://alertd:hunter2@[db/alertd",
        "postgresql://alertd:/hunter2@db/alertd",
        "hunter2",
    ],
)
async def test_a_malformed_dsn_is_a_setting_to_correct_and_is_not_quoted(dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"^database\.dsn: ") as caught:
        async with open_db(dsn, patience=AT_ONCE):
            pass

    assert "hunter2" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_a_setting_to_correct(postgres_dsn: str) -> None:
    with pytest.raises(ConfigError, match="no_such_database"):
        async with open_db(postgres_dsn.replace("/postgres?", "/no_such_database?")):
            pass


async def test_a_role_that_does_not_exist_is_a_setting_to_correct(postgres_dsn: str) -> None:
    with pytest.raises(ConfigError, match="no_such_role"):
        async with open_db(postgres_dsn.replace("//alertd@", "//no_such_role@")):
            pass


async def test_too_many_connections_is_transient(make_role: MakeRole) -> None:
    with pytest.raises(Transient, match="too many connections"):
        async with open_db(await make_role("CONNECTION LIMIT 0"), patience=AT_ONCE):
            pass


async def test_a_server_that_comes_later_is_waited_for(postgres_dsn: str, server_home: Path) -> None:
    later = server_home / f"later-{os.getpid()}"
    later.mkdir()
    real = Path(parse_qs(urlsplit(postgres_dsn).query)["host"][0])
    opening = asyncio.create_task(_select_one(f"postgresql://alertd@/postgres?host={later}&port=5432"))
    await asyncio.sleep(0.2)

    (later / ".s.PGSQL.5432").symlink_to(real / ".s.PGSQL.5432")

    assert await opening == 1


async def _select_one(dsn: str) -> object:
    async with open_db(dsn) as db:
        return await db.fetchval("SELECT 1")
