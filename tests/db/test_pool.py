import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from alertd.db import Db
from alertd.errors import Conflict
from tests import factories

COUNT = "SELECT count(*) FROM tenants"


# Values


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("jsonb", {"a": [1, None, "ä"]}),
        ("json", ["x"]),
        ("uuid", uuid4()),
        ("timestamptz", datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)),
        ("text[]", ["a", "b"]),
        ("bytea", b"\x00\xff"),
    ],
)
async def test_a_value_comes_back_as_it_went(db: Db, kind: str, value: object) -> None:
    assert await db.fetchval(f"SELECT $1::{kind}", value) == value


async def test_times_come_back_in_utc(db: Db) -> None:
    assert (await db.fetchval("SELECT '2026-01-05 14:00+02'::timestamptz")).tzinfo is UTC


async def test_the_session_is_named_and_in_utc(db: Db) -> None:
    row = await db.fetchrow("SELECT current_setting('application_name') AS name, current_setting('timezone') AS zone")

    assert dict(row or {}) == {"name": "alertd", "zone": "UTC"}


# Statements


async def test_execute_answers_the_rows_affected(db: Db) -> None:
    await factories.tenant(db)
    await factories.tenant(db)

    assert await db.execute("UPDATE tenants SET paused = true") == 2


async def test_execute_answers_zero_for_what_affects_no_rows(db: Db) -> None:
    assert await db.execute("CREATE TABLE extra (id integer)") == 0


async def test_executemany_is_all_or_nothing(db: Db) -> None:
    rows = [(uuid4(), datetime.now(UTC)), (None, datetime.now(UTC))]

    with pytest.raises(Exception, match="null"):
        await db.executemany("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", rows)

    assert await db.fetchval(COUNT) == 0


async def test_fetch_answers_rows_by_name(db: Db) -> None:
    assert [row["n"] for row in await db.fetch("SELECT n FROM generate_series(1, 3) AS n")] == [1, 2, 3]


async def test_fetchrow_answers_none_without_a_row(db: Db) -> None:
    assert await db.fetchrow("SELECT 1 WHERE false") is None


async def test_more_tasks_than_connections_all_get_their_turn(db: Db) -> None:
    answers = await asyncio.gather(*[db.fetchval("SELECT $1::integer", n) for n in range(50)])

    assert answers == list(range(50))


# Transactions


async def test_a_transaction_commits_at_its_end(db: Db) -> None:
    async with db.transaction() as tx:
        await factories.tenant(tx)

    assert await db.fetchval(COUNT) == 1


async def test_others_do_not_see_an_open_transaction(db: Db) -> None:
    async with db.transaction() as tx:
        await factories.tenant(tx)
        assert await db.fetchval(COUNT) == 0


async def test_an_exception_rolls_back_and_passes_through(db: Db) -> None:
    with pytest.raises(OSError, match="the caller's own"):
        await _insert_and_fail(db)

    assert await db.fetchval(COUNT) == 0


async def _insert_and_fail(db: Db) -> None:
    async with db.transaction() as tx:
        await factories.tenant(tx)
        raise OSError("the caller's own")


async def test_a_cancelled_statement_rolls_back_and_frees_the_connection(db: Db) -> None:
    async def hang() -> None:
        async with db.transaction() as tx:
            await factories.tenant(tx)
            await tx.fetchval("SELECT pg_sleep(60)")

    tasks = [asyncio.create_task(hang()) for _ in range(5)]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert await db.fetchval(COUNT) == 0


async def test_a_commit_can_fail_too(db: Db) -> None:
    await db.execute("CREATE TABLE seats (number integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    with pytest.raises(Conflict, match="COMMIT"):
        await _take_a_seat_twice(db)


async def _take_a_seat_twice(db: Db) -> None:
    async with db.transaction() as tx:
        await tx.executemany("INSERT INTO seats VALUES ($1)", [(1,), (1,)])


async def test_a_transaction_reads_in_all_forms(db: Db) -> None:
    async with db.transaction() as tx:
        await factories.tenant(tx, name="Acme")

        assert await tx.fetchval(COUNT) == 1
        assert len(await tx.fetch("SELECT id FROM tenants")) == 1
        assert dict(await tx.fetchrow("SELECT name FROM tenants") or {}) == {"name": "Acme"}
