"""Tenants: named, paused, and erased. Discovery finds them by their keys; a person may be earlier."""

from typing import Final, Literal
from uuid import UUID

from aiohttp import web

from alertd.admin import tenant_store
from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent, wrong
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, Name, NoBody, NoParams, Page, PageParams, Params, Time
from alertd.admin.tenant_store import Tenant
from alertd.db import Tx

_LEFT: Final = (
    "The keys that lie in the secret store were not touched. While they are there, discovery finds this tenant again."
)


class NewTenant(Body):
    """A tenant whose endpoints, say, are set up before its first key."""

    id: UUID
    name: Name | None = None


class NewName(Body):
    """What people call the tenant; null: nothing."""

    name: Name | None


class Confirmation(Body):
    """The tenant's id once more, since nothing brings it back."""

    confirm: str


class TenantPath(Params):
    """One tenant."""

    id: UUID


class TenantView(Answer):
    """A tenant. `paused`: no checks and no messages. `credentials`: how many keys are on file."""

    id: UUID
    name: str | None
    paused: bool
    created_at: Time
    credentials: int


class Erased(Answer):
    """How many of each were erased."""

    credentials: int
    checks: int
    alerts: int
    events: int
    deliveries: int
    webhooks: int
    keys: int


class Purged(Answer):
    """What became of the tenant. `note` says what is left of it."""

    id: UUID
    erased: Erased
    note: str


async def list_tenants(daemon: Daemon, call: Call[PageParams, NoBody]) -> Page[TenantView]:
    mark = after(call)
    after_id = None if mark is None else UUID(mark[0])
    found = await tenant_store.tenants_after(daemon.db, after_id, limit=call.params.limit + 1, only=call.scope)
    return page(call, found, shape=TenantView, mark=lambda tenant: (str(tenant.id),))


async def show_tenant(daemon: Daemon, call: Call[TenantPath, NoBody]) -> TenantView:
    call.own(call.params.id, "tenant")
    return TenantView.model_validate(_known(await tenant_store.find(daemon.db, call.params.id)))


async def add_tenant(daemon: Daemon, call: Call[NoParams, NewTenant]) -> TenantView:
    wish = call.body
    async with daemon.db.transaction() as tx:
        if not await tenant_store.add(tx, wish.id, wish.name, call.now):
            raise web.HTTPConflict(text="There is a tenant with this id; PATCH changes its name.")
        await _write_down(tx, call, "create", wish.id, after={"name": wish.name})
        return TenantView.model_validate(await tenant_store.find(tx, wish.id))


async def rename_tenant(daemon: Daemon, call: Call[TenantPath, NewName]) -> TenantView:
    tenant_id, name = call.params.id, call.body.name
    async with daemon.db.transaction() as tx:
        tenant = _known(await tenant_store.lock(tx, tenant_id))
        await tenant_store.rename(tx, tenant_id, name)
        await _write_down(tx, call, "rename", tenant_id, before={"name": tenant.name}, after={"name": name})
        return TenantView.model_validate(await tenant_store.find(tx, tenant_id))


async def pause_tenant(daemon: Daemon, call: Call[TenantPath, NoBody]) -> TenantView:
    """A check or a message that is under way is finished."""
    return await _switch(daemon, call, paused=True)


async def resume_tenant(daemon: Daemon, call: Call[TenantPath, NoBody]) -> TenantView:
    """What became due meanwhile is due now."""
    view = await _switch(daemon, call, paused=False)
    daemon.sweeper.wake()
    daemon.sender.wake()
    return view


async def purge_tenant(daemon: Daemon, call: Call[TenantPath, Confirmation]) -> Purged:
    tenant_id = call.params.id
    if call.body.confirm != str(tenant_id):
        raise wrong("/confirm", "must be the tenant's id, as in the address, in small letters")
    async with daemon.db.transaction() as tx:
        _known(await tenant_store.lock(tx, tenant_id))
        erased = await tenant_store.purge(tx, tenant_id)
        counts = {name: erased[name] for name in Erased.model_fields}
        await _write_down(tx, call, "purge", tenant_id, after=counts)
    return Purged(id=tenant_id, erased=Erased(**counts), note=_LEFT)


async def _switch(daemon: Daemon, call: Call[TenantPath, NoBody], *, paused: bool) -> TenantView:
    tenant_id = call.params.id
    async with daemon.db.transaction() as tx:
        tenant = _known(await tenant_store.lock(tx, tenant_id))
        if tenant.paused is not paused:
            await tenant_store.set_paused(tx, tenant_id, paused=paused)
            await _write_down(tx, call, "pause" if paused else "resume", tenant_id)
        return TenantView.model_validate(await tenant_store.find(tx, tenant_id))


def _known(tenant: Tenant | None) -> Tenant:
    if tenant is None:
        raise absent("tenant")
    return tenant


async def _write_down(
    tx: Tx,
    call: Call[Params, Body],
    verb: Literal["create", "rename", "pause", "resume", "purge"],
    tenant_id: UUID,
    *,
    before: dict[str, str | None] | None = None,
    after: dict[str, str | None] | dict[str, int] | None = None,
) -> None:
    await record(
        tx,
        call,
        action=f"tenant.{verb}",
        object=f"tenant:{tenant_id}",
        tenant_id=tenant_id,
        before=before,
        after=after,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/tenants",
        handler=list_tenants,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="All tenants; to a tenant, itself",
        params=PageParams,
        answer=Page[TenantView],
    ),
    Route(
        method="POST",
        path="/api/v1/tenants",
        handler=add_tenant,
        permission=Permission.CONFIGURE,
        summary="Add a tenant before discovery finds it",
        body=NewTenant,
        answer=TenantView,
        status=201,
        refusals=(409,),
    ),
    Route(
        method="GET",
        path="/api/v1/tenants/{id}",
        handler=show_tenant,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="One tenant",
        params=TenantPath,
        answer=TenantView,
    ),
    Route(
        method="PATCH",
        path="/api/v1/tenants/{id}",
        handler=rename_tenant,
        permission=Permission.CONFIGURE,
        summary="Give a tenant another name",
        params=TenantPath,
        body=NewName,
        answer=TenantView,
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/{id}/pause",
        handler=pause_tenant,
        permission=Permission.CONFIGURE,
        summary="Stop its checks and its messages",
        params=TenantPath,
        answer=TenantView,
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/{id}/resume",
        handler=resume_tenant,
        permission=Permission.CONFIGURE,
        summary="Check and tell again",
        params=TenantPath,
        answer=TenantView,
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/{id}/purge",
        handler=purge_tenant,
        permission=Permission.ADMIN,
        summary="Erase everything on file about a tenant, except that it was erased",
        params=TenantPath,
        body=Confirmation,
        answer=Purged,
    ),
)
