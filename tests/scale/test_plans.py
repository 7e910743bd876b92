"""On a platform that has grown, what is asked all day is answered from indexes."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from alertd.credentials import inventory_store
from alertd.db import Db, apply_schema, open_db
from alertd.db.pool import Row
from alertd.postgres.server import Cluster, dsn_of
from benchmarks.scaling.asking import KEY, QUESTIONS, TENANT, Ask
from benchmarks.scaling.filling import Size, fill

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
GROWN = Size(keys=30_000, checks=60_000, deliveries=30_000)
# What discovery asks, over all keys but some at a time.
DISCOVERY: Mapping[str, Ask] = {
    "discovery: keys of some tenants": lambda sql, now: inventory_store.known_of(sql, TENANT, TENANT, listed_at=now),
    "discovery: broken keys, in turns": lambda sql, _: inventory_store.unsettled_after(sql, KEY, 500),
    "discovery: working keys, in turns": lambda sql, _: inventory_store.settled_after(sql, KEY, 500),
}
BIG = {
    "credentials",
    "credential_health_checks",
    "events",
    "tenant_webhooks",
    "tenants",
    "webhook_deliveries",
    "webhook_delivery_log",
}


class Explaining:
    """Asks the database for its plan before each statement, and keeps the tables that would be read whole."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self.read_whole: list[str] = []

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        await self._explain(sql, args)
        return await self._db.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        await self._explain(sql, args)
        return await self._db.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        await self._explain(sql, args)
        return await self._db.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        await self._explain(sql, args)
        return await self._db.execute(sql, *args)

    async def _explain(self, sql: str, args: tuple[object, ...]) -> None:
        plans = await self._db.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *args)
        self.read_whole += [
            f"{node['Relation Name']} in {sql}"
            for node in nodes(plans[0]["Plan"])
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
        ]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grown(cluster: Cluster) -> AsyncIterator[str]:
    """The address of a filled database."""
    async with open_db(cluster.dsn, pool_size=1) as server:
        await server.execute("CREATE DATABASE grown STRATEGY file_copy")
        dsn = dsn_of(cluster.sockets, database="grown")
        async with open_db(dsn, pool_size=1) as db:
            await apply_schema(db)
            await fill(db, GROWN, NOW)
        yield dsn
        await server.execute("DROP DATABASE grown WITH (FORCE)")


@pytest.mark.parametrize("name", [*QUESTIONS, *DISCOVERY])
async def test_no_big_table_is_read_whole(grown: str, name: str) -> None:
    async with open_db(grown, pool_size=1) as db:
        explaining = Explaining(db)

        await {**QUESTIONS, **DISCOVERY}[name](explaining, NOW)

    assert explaining.read_whole == []


async def test_a_table_that_is_read_whole_is_noticed(grown: str) -> None:
    async with open_db(grown, pool_size=1) as db:
        explaining = Explaining(db)

        await explaining.fetchval("SELECT count(*) FROM credentials WHERE code = 'x'")

    assert len(explaining.read_whole) == 1
