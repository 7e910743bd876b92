"""What nobody acknowledges reaches the pager, once, from a daemon that was not there when it was due."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from alertd.alerts import observations
from alertd.alerts.lifecycle import Sign
from alertd.alerts.observations import Observation, policy_of
from alertd.db import Db
from alertd.model import Severity
from tests import factories
from tests.e2e.daemon import Home, running
from tests.e2e.waiting import until, until_answered

SETTINGS = """
[alerts]
escalation_delay_minutes = 0.02

[[notify]]
name = "pager"
url = "json://127.0.0.1:{port}/"
escalation = true
min_severity = "emergency"
"""


class Pager:
    """An operators' service, as Apprise calls it."""

    def __init__(self) -> None:
        self.read: list[dict[str, Any]] = []

    async def page(self, request: web.Request) -> web.Response:
        self.read.append(json.loads(await request.text()))
        return web.Response()


@pytest.fixture
async def pager() -> Pager:
    return Pager()


@pytest.fixture
async def given(pager: Pager, home: Home, dsn: str) -> AsyncIterator[dict[str, object]]:
    app = web.Application()
    app.router.add_post("/", pager.page)
    async with TestServer(app) as server:
        file = home.folder / "alertd.toml"
        file.write_text(SETTINGS.format(port=server.port))
        yield {"ALERTD_CONFIG": file, "ALERTD_DATABASE__DSN": dsn}


async def found(db: Db, tenant: UUID, sign: Sign) -> None:
    now = datetime.now(UTC)
    loss = Observation(
        tenant_id=tenant,
        check="performance_threshold_check",
        subject="fund-1",
        rule="daily_loss",
        sign=sign,
        severity=Severity.CRITICAL,
        message="The day lost 6 %.",
    )
    async with db.transaction() as tx:
        await observations.apply(tx, [loss], policy=policy_of(timedelta(hours=1)), seen_at=now, now=now)


async def test_escalation_survives_the_daemon(home: Home, db: Db, pager: Pager, given: dict[str, object]) -> None:
    tenant = await factories.tenant(db)
    async with running(home, given) as daemon:
        await found(db, tenant, Sign.BAD)
        await daemon.kill()
    await asyncio.sleep(1.3)  # it becomes due while nobody is there
    unheard = list(pager.read)
    async with running(home, given):
        await until(lambda: pager.read)
        await until_answered(
            lambda: db.fetchval("SELECT bool_and(state = 'delivered') FROM webhook_deliveries WHERE tenant_id IS NULL")
        )
        await found(db, tenant, Sign.GOOD)
        await until(lambda: len(pager.read) > 1)

    assert unheard == []
    assert [each["title"] for each in pager.read] == ["[critical] system.alert: Acme", "[over] system.alert: Acme"]
    escalated, over = (each["message"].splitlines()[0] for each in pager.read)
    assert (escalated, over) == ("Nobody has acknowledged 1 alert of Acme.", "Over: 1 alert of Acme.")
