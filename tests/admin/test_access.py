"""Every route with every kind of key: exactly the status that its row says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.admin.access import Role
from alertd.admin.routes import TABLE
from tests import factories
from tests.admin.access_table import ROWS, Case, Row
from tests.admin.port import ADMIN, MASTER, OPERATOR, VIEWER, Port, open_port

UNKNOWN = "alertd_0123456789_" + "A" * 43 + "_000000"


@pytest.fixture
async def tenant(port: Port) -> UUID:
    return await factories.tenant(port.daemon.db)


async def visitors(port: Port, tenant: UUID) -> Mapping[str, str | None]:
    """One key of each kind; the first four are of no use."""
    stranger = await factories.tenant(port.daemon.db, name="Other")
    expired = await port.key(expires_in=timedelta(hours=1))
    port.clock.turn(timedelta(hours=2))
    return {
        "nobody": None,
        "wrong": UNKNOWN,
        "revoked": await port.key(revoked=True),
        "expired": expired,
        "other tenant": await port.key(Role.TENANT, tenant_id=stranger),
        "tenant": await port.key(Role.TENANT, tenant_id=tenant),
        "viewer": VIEWER,
        "operator": OPERATOR,
        "stored operator": await port.key(Role.OPERATOR),
        "admin": ADMIN,
        "master": MASTER,
    }


def expected(row: Row) -> Mapping[str, int]:
    return {
        "nobody": row.keyless,
        "wrong": row.keyless,
        "revoked": row.keyless,
        "expired": row.keyless,
        "other tenant": row.tenant if row.other is None else row.other,
        "tenant": row.tenant,
        "viewer": row.viewer,
        "operator": row.operator,
        "stored operator": row.operator,
        "admin": row.admin,
        "master": row.admin,
    }


async def answered(port: Port, row: Row, tenant: UUID, key: str | None) -> int:
    case = await row.prepare(port, tenant) if row.prepare is not None else Case()
    answer = await port.ask(row.method, row.path.format(**case.path), key=key, json=case.body)
    return answer.status


def test_every_route_has_a_row() -> None:
    assert {(row.method, row.path) for row in ROWS} == {(route.method, route.path) for route in TABLE}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
async def test_each_key_is_answered_as_its_row_says(port: Port, tenant: UUID, row: Row) -> None:
    keys = await visitors(port, tenant)

    statuses = {visitor: await answered(port, row, tenant, key) for visitor, key in keys.items()}

    assert statuses == expected(row)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.open], ids=lambda row: f"{row.method} {row.path}")
async def test_without_authentication_everybody_is_admin(dsn: str, tmp_path: Path, now: datetime, row: Row) -> None:
    async with open_port(dsn, tmp_path, now, environ={"ALERT_AUTH_ENABLED": "false"}) as port:
        tenant = await factories.tenant(port.daemon.db)

        assert await answered(port, row, tenant, None) == row.admin
