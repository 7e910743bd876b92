"""Who is answered what, route by route. A route that is not here fails the tests, so every new one adds its row.

Whoever has no key that works gets 401 at every route that needs one; a row says the rest.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from alertd.admin.access import Role
from alertd.alerts import silence_store
from alertd.alerts.silences import Silence
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin
from alertd.db import new_id
from alertd.model import CredentialRef
from alertd.secretstore import parse
from alertd.webhooks import endpoints
from tests import factories
from tests.admin.port import Port

Json = Mapping[str, Any] | list[Mapping[str, Any]]

HOUR = timedelta(hours=1)

TENANT = "/api/v1/tenants/{id}"
ONE = "/api/v1/credentials/{tenant_id}/{exchange}/{leaf}"
WEBHOOK = "/api/v1/webhooks/{id}"
DELIVERY = "/api/v1/deliveries/{id}"
PERFORMANCE = "/api/v1/performance"
SUBJECT = f"{PERFORMANCE}/subjects/{{id}}"
SCHEDULE = "/api/performance-alerts/schedule"
A_DAY_AGO = "2026-01-04T00:00:00Z"
A_WINDOW = {"first_date": "2025-11-01", "last_date": "2025-11-30", "in_sample": 0.002, "out_of_sample": 0.001}
PUBLIC = "https://93.184.216.34/hook"  # a number is not looked up


@dataclass(frozen=True)
class Case:
    """One request of a row: what goes into the path, and the body."""

    path: Mapping[str, object] = field(default_factory=dict)
    body: Json | None = None


@dataclass(frozen=True)
class Row:
    """The status for each kind of key. `prepare(port, tenant)` makes what the request is about, anew for each of them,
    as the property of `tenant`; `other` is a key of another tenant, None: the same as `tenant`."""

    method: str
    path: str
    viewer: int
    operator: int
    admin: int
    tenant: int = 403
    other: int | None = None
    keyless: int = 401
    open: bool = False
    prepare: Callable[[Port, UUID], Awaitable[Case]] | None = None


def everybody(
    method: str, path: str, status: int, *, prepare: Callable[[Port, UUID], Awaitable[Case]] | None = None
) -> Row:
    """A route that needs no key."""
    return Row(method, path, status, status, status, tenant=status, keyless=status, open=True, prepare=prepare)


async def no_such_key(_port: Port, _tenant: UUID) -> Case:
    return Case(body={"api_key": "nobody's"})


async def a_key(port: Port, _tenant: UUID) -> Case:
    await port.key(Role.VIEWER, name="to be revoked")
    rows = await port.daemon.db.fetch("SELECT id FROM api_keys WHERE name = 'to be revoked' AND revoked_at IS NULL")
    return Case(path={"id": rows[0]["id"]})


async def a_credential(port: Port, tenant: UUID) -> Case:
    label = str(uuid4())
    await factories.credential(port.daemon.db, tenant, label=label)
    return Case(path={"tenant_id": tenant, "exchange": "nowhere", "leaf": f"trading.{label}"})


async def a_stored_key(port: Port, tenant: UUID) -> Case:
    case = await a_credential(port, tenant)
    ref = parse("{tenant_id}/exchanges/{exchange}/{leaf}".format(**case.path))
    assert isinstance(ref, CredentialRef)
    await port.daemon.secrets.write(ref, {"api_key": "k", "api_secret": "s"})
    return case


async def a_key_to_store(_port: Port, tenant: UUID) -> Case:
    path = {"tenant_id": tenant, "exchange": "nowhere", "leaf": f"trading.{uuid4()}?unverified=true"}
    return Case(path, {"api_key": "k", "api_secret": "s"})


async def a_key_to_check(port: Port, tenant: UUID) -> Case:
    case = await a_stored_key(port, tenant)
    return Case(case.path, {"label": str(case.path["leaf"]).removeprefix("trading.")})


async def no_sweep(port: Port, _tenant: UUID) -> Case:
    """Whatever runs, ends."""
    await port.daemon.db.execute("UPDATE sweeps SET state = 'cancelled' WHERE state = 'running'")
    return Case()


async def a_sweep(port: Port, tenant: UUID) -> Case:
    await no_sweep(port, tenant)
    sweep_id = await sweep_store.begin(port.daemon.db, origin=Origin.API, requested_by="test", now=port.clock())
    return Case({"id": sweep_id})


async def a_tenant(_port: Port, tenant: UUID) -> Case:
    return Case({"id": tenant})


async def a_new_tenant(_port: Port, _tenant: UUID) -> Case:
    return Case(body={"id": str(uuid4())})


async def a_new_name(_port: Port, tenant: UUID) -> Case:
    return Case({"id": tenant}, {"name": "Theirs"})


async def a_tenant_to_purge(port: Port, _tenant: UUID) -> Case:
    doomed = await factories.tenant(port.daemon.db)
    return Case({"id": doomed}, {"confirm": str(doomed)})


async def an_alert(port: Port, tenant: UUID) -> Case:
    return Case(path={"id": await factories.alert(port.daemon.db, tenant)})


async def a_silence(port: Port, _tenant: UUID) -> Case:
    now, silence_id = port.clock(), new_id()
    async with port.daemon.db.transaction() as tx:
        await silence_store.add(tx, Silence(silence_id, {"exchange": ("okx",)}, "why", "ops", now, now, now + HOUR))
    return Case(path={"id": silence_id})


async def a_silence_wish(_port: Port, _tenant: UUID) -> Case:
    return Case(body={"matchers": {"exchange": "okx"}, "comment": "maintenance"})


async def a_preview_wish(_port: Port, _tenant: UUID) -> Case:
    return Case(body={"matchers": {"exchange": ["okx", "k*"]}})


async def an_endpoint(port: Port, tenant: UUID) -> Case:
    return Case(path={"id": await factories.webhook(port.daemon.db, tenant)})


async def an_endpoint_to_add(_port: Port, tenant: UUID) -> Case:
    return Case(body={"tenant_id": str(tenant), "url": PUBLIC})


async def an_endpoint_to_change(port: Port, tenant: UUID) -> Case:
    return Case((await an_endpoint(port, tenant)).path, {"description": "new"})


async def a_new_secret(port: Port, tenant: UUID) -> Case:
    case = await an_endpoint(port, tenant)
    await endpoints.rotate_secret(
        port.daemon.db,
        UUID(str(case.path["id"])),
        overlap=timedelta(hours=1),
        cipher=port.daemon.cipher,
        now=port.clock(),
    )
    return case


def tenants_own(
    method: str, path: str, status: int, prepare: Callable[[Port, UUID], Awaitable[Case]] | None, *, other: int = 404
) -> Row:
    """A route for those who configure, and for tenants with what is theirs."""
    return Row(method, path, 403, 403, status, tenant=status, other=other, prepare=prepare)


async def a_finished_delivery(port: Port, tenant: UUID, state: str = "failed") -> Case:
    db, webhook_id = port.daemon.db, await factories.webhook(port.daemon.db, tenant)
    event_id = await endpoints.test(db, webhook_id, now=port.clock())
    await db.execute("UPDATE webhook_deliveries SET state = $2 WHERE event_id = $1", event_id, state)
    return Case(path={"id": await db.fetchval("SELECT id FROM webhook_deliveries WHERE event_id = $1", event_id)})


async def a_delivery_to_repeat(port: Port, tenant: UUID) -> Case:
    return await a_finished_delivery(port, tenant, "delivered")


def a_row(**said: object) -> Callable[[Port, UUID], Awaitable[Case]]:
    """One row about the tenant's subject `alpha`."""

    async def prepare(_port: Port, tenant: UUID) -> Case:
        return Case(body=[{"tenant_id": str(tenant), "subject": "alpha", **said}])

    return prepare


async def a_subject(port: Port, tenant: UUID) -> Case:
    case = await a_row(date="2026-01-04", **{"return": 0.01})(port, tenant)
    answer = await port.ask("POST", f"{PERFORMANCE}/returns", json=case.body)
    return Case(path={"id": answer.json["subjects"][0]["id"]})


async def a_flow(port: Port, tenant: UUID) -> Case:
    """Of an account that has equity, as it must."""
    reading = {"tenant_id": str(tenant), "subject": "beta", "at": A_DAY_AGO}
    answer = await port.ask("POST", f"{PERFORMANCE}/equity", json=[{**reading, "equity": 100, "currency": "USD"}])
    assert answer.status == 200, answer.text
    return Case(body=[{**reading, "amount": 5}])


async def a_time(port: Port, _tenant: UUID) -> Case:
    return Case(body={"since": port.clock().isoformat()})


async def a_day(_port: Port, _tenant: UUID) -> Case:
    return Case(path={"hours": 24})


async def a_check(_port: Port, _tenant: UUID) -> Case:
    return Case(path={"name": "daily_pnl_check"})


async def a_wish(_port: Port, tenant: UUID) -> Case:
    return Case(body={"role": "tenant", "name": "theirs", "tenant_id": str(tenant)})


async def a_script(_port: Port, _tenant: UUID) -> Case:
    return Case(path={"file": "app.js"})


async def a_part(_port: Port, _tenant: UUID) -> Case:
    return Case(path={"folder": "vendor", "file": "preact.js"})


ROWS = (
    everybody("GET", "/-/healthy", 200),
    everybody("GET", "/-/ready", 200),
    everybody("GET", "/metrics", 200),
    everybody("GET", "/openapi.json", 200),
    Row("POST", "/-/reload", viewer=403, operator=403, admin=200),
    everybody("GET", "/", 200),
    everybody("GET", "/ui/", 200),
    everybody("GET", "/ui/{file}", 200, prepare=a_script),
    everybody("GET", "/ui/{folder}/{file}", 200, prepare=a_part),
    everybody("POST", "/api/performance-alerts/auth/login", 401, prepare=no_such_key),
    Row("GET", "/api/performance-alerts/auth/me", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", "/api/v1/overview", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", "/api/v1/credentials", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", "/api/v1/credentials/health", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", ONE, viewer=200, operator=200, admin=200, tenant=200, other=404, prepare=a_credential),
    Row("GET", f"{ONE}/history", viewer=200, operator=200, admin=200, tenant=200, other=404, prepare=a_credential),
    Row("PUT", ONE, viewer=403, operator=403, admin=201, prepare=a_key_to_store),
    Row("DELETE", ONE, viewer=403, operator=403, admin=204, prepare=a_stored_key),
    Row(
        "POST",
        "/api/v1/credentials/{tenant_id}/check",
        viewer=403,
        operator=200,
        admin=200,
        tenant=200,
        other=404,
        prepare=a_key_to_check,
    ),
    Row("GET", "/api/v1/sweeps", viewer=200, operator=200, admin=200),
    Row("POST", "/api/v1/sweeps", viewer=403, operator=202, admin=202, prepare=no_sweep),
    Row("GET", "/api/v1/sweeps/{id}", viewer=200, operator=200, admin=200, prepare=a_sweep),
    Row("POST", "/api/v1/sweeps/{id}/cancel", viewer=403, operator=200, admin=200, prepare=a_sweep),
    Row("GET", "/api/v1/tenants", viewer=200, operator=200, admin=200, tenant=200),
    Row("POST", "/api/v1/tenants", viewer=403, operator=403, admin=201, prepare=a_new_tenant),
    Row("GET", TENANT, viewer=200, operator=200, admin=200, tenant=200, other=404, prepare=a_tenant),
    Row("PATCH", TENANT, viewer=403, operator=403, admin=200, prepare=a_new_name),
    Row("POST", f"{TENANT}/pause", viewer=403, operator=403, admin=200, prepare=a_tenant),
    Row("POST", f"{TENANT}/resume", viewer=403, operator=403, admin=200, prepare=a_tenant),
    Row("POST", f"{TENANT}/purge", viewer=403, operator=403, admin=200, prepare=a_tenant_to_purge),
    Row("GET", "/api/v1/alerts", viewer=200, operator=200, admin=200),
    Row("GET", "/api/v1/alerts/{id}", viewer=200, operator=200, admin=200, prepare=an_alert),
    Row("GET", "/api/v1/alerts/{id}/explain", viewer=200, operator=200, admin=200, prepare=an_alert),
    Row("POST", "/api/v1/alerts/{id}/ack", viewer=403, operator=200, admin=200, prepare=an_alert),
    Row("GET", "/api/v1/silences", viewer=200, operator=200, admin=200),
    Row("POST", "/api/v1/silences", viewer=403, operator=201, admin=201, prepare=a_silence_wish),
    Row("POST", "/api/v1/silences/preview", viewer=200, operator=200, admin=200, prepare=a_preview_wish),
    Row("POST", "/api/v1/silences/{id}/expire", viewer=403, operator=200, admin=200, prepare=a_silence),
    tenants_own("GET", "/api/v1/webhooks", 200, None, other=200),
    tenants_own("POST", "/api/v1/webhooks", 201, an_endpoint_to_add),
    tenants_own("GET", WEBHOOK, 200, an_endpoint),
    tenants_own("PATCH", WEBHOOK, 200, an_endpoint_to_change),
    tenants_own("DELETE", WEBHOOK, 204, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/test", 200, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/enable", 200, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/disable", 200, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/reset", 200, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/rotate-secret", 200, an_endpoint),
    tenants_own("POST", f"{WEBHOOK}/commit-secret", 200, a_new_secret),
    Row("GET", "/api/v1/deliveries", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", DELIVERY, viewer=200, operator=200, admin=200, tenant=200, other=404, prepare=a_finished_delivery),
    tenants_own("POST", f"{DELIVERY}/replay", 200, a_delivery_to_repeat),
    tenants_own("POST", "/api/v1/deliveries/replay", 200, a_time, other=200),
    Row("GET", f"{PERFORMANCE}/subjects", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", SUBJECT, viewer=200, operator=200, admin=200, tenant=200, other=404, prepare=a_subject),
    tenants_own("POST", f"{PERFORMANCE}/returns", 200, a_row(date="2026-01-04", **{"return": 0.01}), other=422),
    tenants_own("POST", f"{PERFORMANCE}/equity", 200, a_row(at=A_DAY_AGO, equity=100, currency="USD"), other=422),
    tenants_own("POST", f"{PERFORMANCE}/cashflows", 200, a_flow, other=422),
    tenants_own("POST", f"{PERFORMANCE}/windows", 200, a_row(**A_WINDOW), other=422),
    tenants_own("POST", f"{PERFORMANCE}/references", 200, a_row(returns=[0.01, -0.02, 0.005]), other=422),
    tenants_own("POST", f"{PERFORMANCE}/limits", 200, a_row(drawdown_critical_percent=10), other=422),
    Row("GET", f"{SCHEDULE}/status", viewer=200, operator=200, admin=200),
    Row("GET", f"{SCHEDULE}/summary/{{hours}}", viewer=200, operator=200, admin=200, prepare=a_day),
    Row("POST", f"{SCHEDULE}/trigger/{{name}}", viewer=403, operator=200, admin=200, prepare=a_check),
    Row("POST", f"{SCHEDULE}/enable/{{name}}", viewer=403, operator=200, admin=200, prepare=a_check),
    Row("POST", f"{SCHEDULE}/disable/{{name}}", viewer=403, operator=200, admin=200, prepare=a_check),
    Row("GET", "/api/v1/executions", viewer=200, operator=200, admin=200),
    Row("GET", "/api/v1/events/stream", viewer=200, operator=200, admin=200, tenant=200),
    Row("GET", "/api/v1/keys", viewer=403, operator=403, admin=200),
    Row("POST", "/api/v1/keys", viewer=403, operator=403, admin=201, prepare=a_wish),
    Row("DELETE", "/api/v1/keys/{id}", viewer=403, operator=403, admin=204, prepare=a_key),
    Row("GET", "/api/v1/audit", viewer=403, operator=403, admin=200),
)
