"""The delivery log: what was sent to whom, how it was answered, and sending it again."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent, wrong
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, NoBody, NoParams, Page, PageParams, Params, Time, When, Word
from alertd.db import Sql
from alertd.errors import Absent
from alertd.model import EventType, iso_utc
from alertd.webhooks import deliveries, replay
from alertd.webhooks.deliveries import Delivery, Filter, LoggedAttempt
from alertd.webhooks.replay import Selection

PATH: Final = "/api/v1/deliveries"
ONE: Final = f"{PATH}/{{id}}"

State = Literal["pending", "delivered", "failed", "held", "parked", "superseded"]
Finished = Literal["delivered", "failed", "held", "superseded"]


class AttemptView(Answer):
    """One try. `error` says why no complete answer came: `dns`, `connect`, `tls`, `timeout`, `reset`, …

    `response` is the beginning of the answer. While the try is under way all but `at` is null.
    """

    at: Time
    status: int | None
    duration_ms: int | None
    error: str | None
    response: str | None


class DeliveryView(Answer):
    """One event on its way to one endpoint, or its end; `event` is its type, `event_id` the `webhook-id`.

    `held`: a person has to release it, by replay. `parked`: the endpoint's circuit is open, or it is switched off.
    `superseded`: a newer message of the same matter went instead, and says in `left_out` how many it stands for.
    """

    id: UUID
    webhook_id: UUID
    tenant_id: UUID | None
    event: EventType
    event_id: str
    source: Literal["event", "test", "replay", "catch_up"]
    state: State
    attempts: list[AttemptView]
    next_attempt_at: Time | None
    left_out: int
    superseded_by: UUID | None
    created_at: Time
    finished_at: Time | None


class DeliveryDetail(DeliveryView):
    """A delivery with the body that is signed and sent, byte for byte."""

    body: str


class DeliveryListing(PageParams):
    """Which deliveries to list."""

    webhook_id: UUID | None = None
    tenant_id: UUID | None = None
    state: State | None = None
    event: EventType | None = None
    event_id: Word | None = None
    since: When | None = None
    until: Annotated[When | None, Field(description="Not included.")] = None


class DeliveryPath(Params):
    """One delivery."""

    id: UUID


class ReplayWish(Body):
    """Which deliveries to send again: made since then, in this state; at most 10,000, the oldest first."""

    since: When
    until: Annotated[When | None, Field(description="Not included.")] = None
    state: Finished = "failed"
    webhook_id: UUID | None = None
    tenant_id: UUID | None = None
    event: EventType | None = None


class Replayed(Answer):
    """How many deliveries were queued again."""

    queued: int


async def list_deliveries(daemon: Daemon, call: Call[DeliveryListing, NoBody]) -> Page[DeliveryView]:
    """The newest first."""
    params, mark = call.params, after(call)
    before = None if mark is None else (datetime.fromisoformat(mark[0]), UUID(mark[1]))
    wanted = Filter(
        tenant_id=call.within(params.tenant_id),
        webhook_id=params.webhook_id,
        state=params.state,
        event=params.event,
        event_id=params.event_id,
        since=params.since,
        until=params.until,
    )
    found = await deliveries.deliveries_before(daemon.db, before, wanted, limit=params.limit + 1)
    attempts = await deliveries.attempts(daemon.db, [delivery.id for delivery in found])
    views = [DeliveryView(**_shown(delivery, attempts[delivery.id])) for delivery in found]
    return page(call, views, shape=DeliveryView, mark=lambda view: (view.created_at.isoformat(), str(view.id)))


async def show_delivery(daemon: Daemon, call: Call[DeliveryPath, NoBody]) -> DeliveryDetail:
    delivery = await _own_delivery(daemon.db, call)
    attempts = await deliveries.attempts(daemon.db, [delivery.id])
    body = await deliveries.body(daemon.db, delivery.event_id)
    return DeliveryDetail(**_shown(delivery, attempts[delivery.id]), body=body.decode())


async def replay_delivery(daemon: Daemon, call: Call[DeliveryPath, NoBody]) -> DeliveryView:
    """Raises 409 while it is still on its way."""
    async with daemon.db.transaction() as tx:
        before = await _own_delivery(tx, call)
        _may_release(call, before.state)
        await replay.replay_one(tx, before.id, now=call.now)
        await record(
            tx,
            call,
            action="delivery.replay",
            object=f"delivery:{before.id}",
            tenant_id=before.tenant_id,
            before={"state": before.state},
        )
        queued = await deliveries.get(tx, before.id)
    daemon.sender.wake()
    attempts = await deliveries.attempts(daemon.db, [queued.id])
    return DeliveryView(**_shown(queued, attempts[queued.id]))


async def replay_deliveries(daemon: Daemon, call: Call[NoParams, ReplayWish]) -> Replayed:
    wish = call.body
    if wish.until is not None and wish.until <= wish.since:
        raise wrong("/until", "must be after since")
    _may_release(call, wish.state)
    selection = Selection(
        since=wish.since,
        until=wish.until,
        state=wish.state,
        webhook_id=wish.webhook_id,
        tenant_id=call.within(wish.tenant_id),
        event_type=wish.event,
    )
    async with daemon.db.transaction() as tx:
        queued = await replay.replay(tx, selection, now=call.now)
        await record(
            tx,
            call,
            action="delivery.replay",
            object="deliveries",
            tenant_id=selection.tenant_id,
            after={**_named(wish), "queued": queued},
        )
    daemon.sender.wake()
    return Replayed(queued=queued)


async def _own_delivery(sql: Sql, call: Call[DeliveryPath, Any]) -> Delivery:
    """Raises the same 404 for one that is not there and for somebody else's."""
    try:
        delivery = await deliveries.get(sql, call.params.id)
    except Absent:
        raise absent("delivery") from None
    call.own(delivery.tenant_id, "delivery")
    return delivery


def _may_release(call: Call[Any, Any], state: str) -> None:
    """What is held waits for the operators, who may know that the tenant is not to blame."""
    if state == "held" and call.scope is not None:
        raise web.HTTPForbidden(text="Held messages are released by the operators.")


def _shown(delivery: Delivery, attempts: tuple[LoggedAttempt, ...]) -> dict[str, Any]:
    names = DeliveryView.model_fields.keys() - {"attempts"}
    tries = [AttemptView(**{name: getattr(one, name) for name in AttemptView.model_fields}) for one in attempts]
    return {**{name: getattr(delivery, name) for name in names}, "attempts": tries}


def _named(wish: ReplayWish) -> dict[str, str | None]:
    """The wish as the audit log keeps it."""
    told = {name: None if value is None else str(value) for name, value in wish}
    return told | {"since": iso_utc(wish.since), "until": iso_utc(wish.until)}


ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=list_deliveries,
        permission=Permission.VIEW_HISTORY,
        tenant_scoped=True,
        summary="Deliveries with their attempts, newest first",
        params=DeliveryListing,
        answer=Page[DeliveryView],
    ),
    Route(
        method="GET",
        path=ONE,
        handler=show_delivery,
        permission=Permission.VIEW_HISTORY,
        tenant_scoped=True,
        summary="One delivery with its attempts and its body",
        params=DeliveryPath,
        answer=DeliveryDetail,
    ),
    Route(
        method="POST",
        path=f"{ONE}/replay",
        handler=replay_delivery,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="Send one delivery again, or release it where it is held",
        params=DeliveryPath,
        answer=DeliveryView,
    ),
    Route(
        method="POST",
        path=f"{PATH}/replay",
        handler=replay_deliveries,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="Send many deliveries again",
        body=ReplayWish,
        answer=Replayed,
        refusals=(404,),
    ),
)
