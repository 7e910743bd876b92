"""Tenants see nothing of each other: what is somebody else's is answered as if it were not there."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from alertd.admin.access import Role
from alertd.admin.routes import TABLE
from alertd.db import pool
from tests import factories
from tests.admin.access_table import ROWS, Case, Row
from tests.admin.port import Answered, Port

TENANTS = {(route.method, route.path): route for route in TABLE if route.tenant_scoped and not route.endless}
# What is about one thing, or one tenant's things: named in the path, or in the body.
OF_ONE = [row for row in ROWS if (row.method, row.path) in TENANTS and row.prepare is not None and row.other != 200]
OF_ALL = [path for (method, path), route in TENANTS.items() if method == "GET" and not route.path_names]
NARROWED = [path for path in OF_ALL if "tenant_id" in TENANTS["GET", path].params.model_fields]

# A replay of many, which takes a tenant's own among them: tests/admin/routes/test_deliveries.py.
ELSEWHERE = {("POST", "/api/v1/deliveries/replay")}


def strange(case: Case, owner: UUID) -> Case:
    """The same request about things, and a tenant, that are not there."""
    path = {name: uuid4() if isinstance(value, UUID) else value for name, value in case.path.items()}
    return Case(path, json.loads(json.dumps(case.body).replace(str(owner), str(uuid4()))))


async def said(port: Port, row: Row, case: Case, key: str) -> Answered:
    return await port.ask(row.method, row.path.format(**case.path), key=key, json=case.body)


def told(answer: Answered) -> tuple[int, str, Mapping[str, str]]:
    """All of an answer but what differs from one request to the next."""
    ours = answer.headers["X-Request-Id"]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    same = {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}
    return answer.status, answer.text.replace(ours, "…"), same


async def keys_of_two(port: Port) -> tuple[UUID, str, str]:
    """A tenant, his key, and that of another."""
    owner, other = await factories.tenant(port.daemon.db), await factories.tenant(port.daemon.db, name="Other")
    return owner, await port.key(Role.TENANT, tenant_id=owner), await port.key(Role.TENANT, tenant_id=other)


def test_every_route_for_tenants_is_looked_at() -> None:
    looked_at = {(row.method, row.path) for row in OF_ONE} | {("GET", path) for path in OF_ALL}

    assert looked_at | ELSEWHERE == TENANTS.keys()


@pytest.mark.parametrize("row", OF_ONE, ids=lambda row: f"{row.method} {row.path}")
async def test_what_is_somebody_elses_is_answered_as_what_is_not_there(port: Port, row: Row) -> None:
    owner, theirs, mine = await keys_of_two(port)
    assert row.prepare is not None
    case = await row.prepare(port, owner)

    hidden = await said(port, row, case, mine)
    nothing = await said(port, row, strange(case, owner), mine)
    seen = await said(port, row, case, theirs)

    assert hidden.status in {404, 422}  # a row of many is named in a 422
    assert seen.status == row.tenant
    assert told(hidden) == told(nothing)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent to the database, in order."""
    sent: list[str] = []

    def noting(plain: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(tx: pool.Tx, sql: str, *args: object) -> Any:
            sent.append(sql)
            return await plain(tx, sql, *args)

        return noted

    for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
        monkeypatch.setattr(pool.Tx, name, noting(getattr(pool.Tx, name)))
    return sent


@pytest.mark.parametrize("row", OF_ONE, ids=lambda row: f"{row.method} {row.path}")
async def test_it_costs_the_same_to_say_so(port: Port, statements: list[str], row: Row) -> None:
    owner, _, mine = await keys_of_two(port)
    assert row.prepare is not None
    case = await row.prepare(port, owner)
    await port.ask("GET", "/api/performance-alerts/auth/me", key=mine)  # its first use is written down

    statements.clear()
    await said(port, row, case, mine)
    for_hidden = list(statements)
    statements.clear()
    await said(port, row, strange(case, owner), mine)

    assert for_hidden == statements


@pytest.mark.parametrize("path", OF_ALL)
async def test_no_list_and_no_count_tells_of_another(port: Port, path: str) -> None:
    _, mine, _ = await keys_of_two(port)
    before = await port.ask("GET", path, key=mine)
    await everything_of(await factories.tenant(port.daemon.db, name="Newcomer"), port)

    after = await port.ask("GET", path, key=mine)

    assert before.status == 200
    assert told(after) == told(before)


async def everything_of(tenant: UUID, port: Port) -> None:
    """One of each thing that a tenant can have."""
    for row in ROWS:
        if row.prepare is not None:
            await row.prepare(port, tenant)
    await port.daemon.sweeper.inventory.discover(port.clock())


@pytest.mark.parametrize("path", NARROWED)
async def test_asking_for_another_is_asking_for_nobody(port: Port, path: str) -> None:
    owner, _, mine = await keys_of_two(port)

    another = await port.ask("GET", f"{path}?tenant_id={owner}", key=mine)
    nobody = await port.ask("GET", f"{path}?tenant_id={uuid4()}", key=mine)

    assert (another.status, told(another)) == (404, told(nobody))
