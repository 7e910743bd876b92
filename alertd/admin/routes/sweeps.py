"""Sweeps: started by request, watched, cancelled. At most one runs; scheduled passes are shown beside them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import hdrs, web

from alertd.admin import tenant_store
from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent
from alertd.admin.routing import Call, Reply, Route
from alertd.admin.shapes import Answer, Body, NoBody, NoParams, Page, PageParams, Params, Time, Word
from alertd.credentials import sweep_store
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Origin, Sweep, SweepState
from alertd.db import Sql

_SPREAD: Final = "A scheduled pass is spread over its interval and ends by itself; disable its schedule instead."


class Wanted(Body):
    """What the sweep covers; what is missing does not narrow down."""

    tenant_id: UUID | None = None
    exchange: Word | None = None


class SweepPath(Params):
    """One sweep."""

    id: UUID


class SweepListing(PageParams):
    """Which sweeps to list."""

    state: SweepState | None = None


class SweepView(Answer):
    """One sweep and how far it is. `origin` `schedule`: a pass, which is counted when it ends.

    `skipped`: no credential, deleted meanwhile, or being checked elsewhere.
    """

    id: UUID
    origin: Origin
    requested_by: str | None
    tenant_id: UUID | None
    exchange: str | None
    state: SweepState
    started_at: Time
    finished_at: Time | None
    total: int
    checked: int
    valid: int
    invalid: int
    inconclusive: int
    skipped: int
    error: str | None


async def list_sweeps(daemon: Daemon, call: Call[SweepListing, NoBody]) -> Page[SweepView]:
    mark = after(call)
    place = None if mark is None else (datetime.fromisoformat(mark[0]), UUID(mark[1]))
    found = await sweep_store.before(daemon.db, place, state=call.params.state, limit=call.params.limit + 1)
    views = [sweep_view(sweep) for sweep in found]
    return page(call, views, shape=SweepView, mark=lambda view: (view.started_at.isoformat(), str(view.id)))


async def start_sweep(daemon: Daemon, call: Call[NoParams, Wanted]) -> Reply:
    """Raises 409 while one runs, in whichever process."""
    scope = Scope(call.body.tenant_id, call.body.exchange)
    async with daemon.db.transaction() as tx:
        if scope.tenant_id is not None and await tenant_store.find(tx, scope.tenant_id) is None:
            raise absent("tenant")
        sweep_id = await sweep_store.begin(
            tx,
            origin=Origin.API,
            requested_by=call.who.actor,
            tenant_id=scope.tenant_id,
            exchange=scope.exchange,
            now=call.now,
        )
        await record(
            tx,
            call,
            action="sweep.start",
            object=f"sweep:{sweep_id}",
            tenant_id=scope.tenant_id,
            after={"exchange": scope.exchange},
        )
        sweep = await _found(tx, sweep_id)
    daemon.sweeps.launch(sweep_id, scope)
    return Reply(sweep_view(sweep), headers={str(hdrs.LOCATION): f"/api/v1/sweeps/{sweep_id}"})


async def show_sweep(daemon: Daemon, call: Call[SweepPath, NoBody]) -> SweepView:
    return sweep_view(await _found(daemon.db, call.params.id))


async def cancel_sweep(daemon: Daemon, call: Call[SweepPath, NoBody]) -> SweepView:
    """It stops within a second, in whichever process it runs."""
    sweep_id = call.params.id
    async with daemon.db.transaction() as tx:
        cancelled = await sweep_store.cancel(tx, sweep_id, call.now)
        sweep = await _found(tx, sweep_id)
        if not cancelled:
            over = sweep.state is not SweepState.RUNNING
            raise web.HTTPConflict(text="This sweep is over." if over else _SPREAD)
        await record(tx, call, action="sweep.cancel", object=f"sweep:{sweep_id}", tenant_id=sweep.tenant_id)
    return sweep_view(sweep)


async def _found(sql: Sql, sweep_id: UUID) -> Sweep:
    sweep = await sweep_store.get(sql, sweep_id)
    if sweep is None:
        raise absent("sweep")
    return sweep


def sweep_view(sweep: Sweep) -> SweepView:
    tally = sweep.tally
    return SweepView(
        id=sweep.id,
        origin=sweep.origin,
        requested_by=sweep.requested_by,
        tenant_id=sweep.tenant_id,
        exchange=sweep.exchange,
        state=sweep.state,
        started_at=sweep.started_at,
        finished_at=sweep.finished_at,
        total=tally.total,
        checked=tally.checked,
        valid=tally.valid,
        invalid=tally.invalid,
        inconclusive=tally.inconclusive,
        skipped=tally.skipped,
        error=sweep.error,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/sweeps",
        handler=list_sweeps,
        permission=Permission.VIEW_STATUS,
        summary="Sweeps and scheduled passes, newest first",
        params=SweepListing,
        answer=Page[SweepView],
    ),
    Route(
        method="POST",
        path="/api/v1/sweeps",
        handler=start_sweep,
        permission=Permission.TRIGGER_MANUAL,
        summary="Check every key, or those of a tenant or an exchange, whether due or not",
        body=Wanted,
        answer=SweepView,
        status=202,
        refusals=(404, 409),
    ),
    Route(
        method="GET",
        path="/api/v1/sweeps/{id}",
        handler=show_sweep,
        permission=Permission.VIEW_STATUS,
        summary="One sweep and how far it is",
        params=SweepPath,
        answer=SweepView,
    ),
    Route(
        method="POST",
        path="/api/v1/sweeps/{id}/cancel",
        handler=cancel_sweep,
        permission=Permission.TRIGGER_MANUAL,
        summary="Stop a sweep; what it checked stays recorded, and it accuses nobody",
        params=SweepPath,
        answer=SweepView,
    ),
)
