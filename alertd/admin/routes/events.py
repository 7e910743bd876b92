"""What happens, as it happens: server-sent events for dashboards, and for tenants who rather listen than be called."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.feed import Feed, News
from alertd.admin.routes.alerts import AlertView, at_present
from alertd.admin.routes.sweeps import sweep_view
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import NoBody, Params
from alertd.admin.streams import EVENTS, MOST, MOST_OF_TENANTS, Listener
from alertd.errors import Transient
from alertd.process import pause
from alertd.webhooks.message import event_time

LAST_EVENT_ID: Final = "Last-Event-ID"


class StreamParams(Params):
    """What to listen to."""

    tenant_id: Annotated[UUID | None, Field(description="Only what is about this tenant.")] = None
    after: Annotated[
        str | None,
        Field(
            pattern=r"^evt_[0-9a-f]{32}$",
            description="The id of an event: those since then come first. The header `Last-Event-ID` does the same.",
        ),
    ] = None


async def stream_events(daemon: Daemon, call: Call[StreamParams, NoBody]) -> web.StreamResponse:
    """Events as they are stored; for operators also alerts that change, and how far sweeps are."""
    tenant_id, after = call.within(call.params.tenant_id), _after(call)
    most = MOST if call.scope is None else MOST_OF_TENANTS
    with daemon.streams.taking_part(call.who.key_ref or call.who.user_id, most=most):
        feed = Feed(daemon.db, tenant_id=tenant_id, events_only=call.scope is not None)
        await feed.begin(call.now, after=after)
        listener = Listener(call.request, patience=daemon.streams.patience)
        try:
            await listener.begin()
            await _keep_telling(daemon, call, feed, listener)
        except ConnectionError:
            pass  # hung up, as everybody does in the end
        return listener.response


async def _keep_telling(daemon: Daemon, call: Call[StreamParams, NoBody], feed: Feed, listener: Listener) -> None:
    """Until the server stops, the listener is gone, or its key does not work any more."""
    clock, streams = asyncio.get_running_loop().time, daemon.streams
    beat_at = clock()
    while not streams.ending.is_set() and not listener.gone:
        beats = clock() - beat_at >= streams.heartbeat.total_seconds()
        try:
            news = await _news(daemon, feed)
            if (news or beats) and not await _still_admitted(daemon, call):
                return
        except Transient:  # while the database is away there is nothing to tell, and the next look finds it all
            news = None
        if news is not None:
            feed.heard(news)
            await _tell(listener, news)
        if beats:
            await listener.beat()
            beat_at = clock()
        await pause(streams.ending, streams.look)


async def _news(daemon: Daemon, feed: Feed) -> News:
    news = await feed.news()
    return replace(news, alerts=await at_present(daemon, news.alerts)) if news.alerts else news


async def _tell(listener: Listener, news: News) -> None:
    for event in news.events:
        await listener.tell("event", event.body, event_id=event.id)
    for alert in news.alerts:
        await listener.tell("alert", AlertView.model_validate(alert).model_dump_json().encode())
    for sweep in news.sweeps:
        await listener.tell("sweep", sweep_view(sweep).model_dump_json().encode())


async def _still_admitted(daemon: Daemon, call: Call[StreamParams, NoBody]) -> bool:
    try:
        await daemon.gate.admit(call.request, Permission.VIEW_STATUS, peer=call.peer, tenant_scoped=True)
    except web.HTTPException:
        return False
    return True


def _after(call: Call[StreamParams, Any]) -> str | None:
    """Raises 400 for what is no id of ours: whoever sends one expects to miss nothing."""
    after = call.request.headers.get(LAST_EVENT_ID) or call.params.after
    if after is None:
        return None
    try:
        event_time(after)
    except ValueError:
        raise web.HTTPBadRequest(text=f"{LAST_EVENT_ID} is not the id of an event.") from None
    return after


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/events/stream",
        handler=stream_events,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="Events as they happen, and for operators alerts and sweeps as they change (server-sent events)",
        params=StreamParams,
        media_type=EVENTS,
    ),
)
