"""Tenants see nothing of each other: what is somebody else's is answered as if it were not there."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from alertd.admin.access import Role
from alertd.admin.routes import TABLE
from tests import factories
from tests.admin.access_table import ROWS, Row
from tests.admin.port import Answered, Port

READABLE = {
    route.path
    for route in TABLE
    if route.method == "GET" and route.tenant_scoped and route.path_names and not route.endless
}
READS = [row for row in ROWS if row.method == "GET" and row.path in READABLE]


def strange(path: Mapping[str, object]) -> Mapping[str, object]:
    """The same place, with ids of nothing."""
    return {name: uuid4() if isinstance(value, UUID) else value for name, value in path.items()}


def told(answer: Answered) -> tuple[int, str, Mapping[str, str]]:
    """All of an answer but what differs from one request to the next."""
    ours = answer.headers["X-Request-Id"]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    same = {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}
    return answer.status, answer.text.replace(ours, "…"), same


def test_what_one_thing_is_read_from_is_made_by_its_row() -> None:
    assert [row.path for row in READS if row.prepare is None] == []


@pytest.mark.parametrize("row", READS, ids=lambda row: row.path)
async def test_what_is_somebody_elses_is_answered_as_what_is_not_there(port: Port, row: Row) -> None:
    owner, other = await factories.tenant(port.daemon.db), await factories.tenant(port.daemon.db, name="Other")
    theirs, mine = await port.key(Role.TENANT, tenant_id=owner), await port.key(Role.TENANT, tenant_id=other)
    assert row.prepare is not None
    case = await row.prepare(port, owner)

    seen = await port.ask("GET", row.path.format(**case.path), key=theirs)
    hidden = await port.ask("GET", row.path.format(**case.path), key=mine)
    nothing = await port.ask("GET", row.path.format(**strange(case.path)), key=mine)

    assert (seen.status, hidden.status) == (200, 404)
    assert told(hidden) == told(nothing)
