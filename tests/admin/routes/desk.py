"""An open admin port whose tenants may have receivers on this machine, and its messages sent when told to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from alertd.admin.access import Role
from alertd.db import Db, Row
from alertd.webhooks import endpoints
from tests import factories
from tests.admin.port import KEYS, Answered, Port, open_port

WEBHOOKS = "/api/v1/webhooks"
DELIVERIES = "/api/v1/deliveries"
PUBLIC = "https://93.184.216.34/hook"  # a number is not looked up, and saving asks nobody
LOOPBACK = {
    "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
    "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
    "ALERTD_WEBHOOKS__PORTS": "[]",
    "WEBHOOK_RETRY_ATTEMPTS": "1",
}


@dataclass
class Desk:
    """One tenant with an API key, and what is asked of the port on its behalf."""

    port: Port
    tenant: UUID
    key: str

    @property
    def db(self) -> Db:
        return self.port.daemon.db

    async def ask(self, method: str, path: str, **options: Any) -> Answered:
        return await self.port.ask(method, path, **options)

    async def add(self, url: str = PUBLIC, **wishes: Any) -> dict[str, Any]:
        """A new endpoint of the tenant, as it was answered."""
        answer = await self.ask("POST", WEBHOOKS, json={"tenant_id": str(self.tenant), "url": url, **wishes})
        assert answer.status == 201, answer.text
        created: dict[str, Any] = answer.json
        return created

    async def do(self, webhook: Mapping[str, Any], verb: str, **options: Any) -> Answered:
        """One of the actions on an endpoint."""
        return await self.ask("POST", f"{WEBHOOKS}/{webhook['id']}/{verb}", **options)

    async def send(self) -> None:
        """Deliver what is due."""
        await self.port.daemon.sender.flush(within=timedelta(0))

    async def deed(self, action: str) -> Row:
        """The only deed of this kind in the audit log."""
        [row] = await self.db.fetch("SELECT * FROM audit_log WHERE action = $1", action)
        return row

    async def failing_key(self, tenant: UUID | None = None) -> UUID:
        """A key whose failure was announced."""
        credential_id = await factories.credential(self.db, tenant or self.tenant)
        await self.db.execute(
            """
            UPDATE credentials
            SET verdict = 'invalid', reason = 'expired', alerting = true, consecutive_failures = 3,
                first_failure_at = $2
            WHERE id = $1
            """,
            credential_id,
            self.port.clock() - timedelta(days=1),
        )
        return credential_id

    async def firing_strategy(self) -> UUID:
        """A performance alert that was told."""
        alert_id = await factories.alert(self.db, self.tenant, check="daily_pnl_check", exchange=None)
        await self.db.execute("UPDATE alerts SET announced_at = started_at WHERE id = $1", alert_id)
        return alert_id

    async def test_messages(self, webhook: Mapping[str, Any], count: int = 1) -> list[str]:
        """Queue as many test messages, a minute after each other; answers the event ids."""
        queued = []
        for _ in range(count):
            queued.append(await endpoints.test(self.db, UUID(webhook["id"]), now=self.port.clock()))
            self.port.clock.turn(timedelta(minutes=1))
        return queued


@asynccontextmanager
async def open_desk(
    dsn: str, folder: Path, now: datetime, *, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Desk]:
    async with open_port(dsn, folder, now, environ={**KEYS, **LOOPBACK, **(environ or {})}) as port:
        tenant = await factories.tenant(port.daemon.db)
        yield Desk(port, tenant, await port.key(Role.TENANT, tenant_id=tenant))
