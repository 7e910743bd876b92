"""What else people do with an endpoint: try it, switch it, close its circuit, give it a new secret."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.routes.webhooks import ONE, WebhookPath, WebhookView, own_webhook, view, write_down
from alertd.admin.routing import Call, Handler, Route
from alertd.admin.shapes import Answer, Body, NoBody
from alertd.db import Tx
from alertd.errors import Conflict
from alertd.webhooks import endpoints

USUAL_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)
_HOUR: Final = timedelta(hours=1)


class Rotation(Body):
    """For how long the old secret still signs beside the new one; 0: from now on the new one alone."""

    overlap_hours: Annotated[float, Field(ge=0, le=LONGEST_OVERLAP / _HOUR)] = USUAL_OVERLAP / _HOUR


class RotatedWebhook(WebhookView):
    """An endpoint with its new secret, for the only time."""

    secret: Annotated[str, Field(repr=False)]


class SwitchedWebhook(WebhookView):
    """An endpoint, and how many messages were queued for it again, or put aside by switching it off."""

    messages: int


class QueuedTest(Answer):
    """The test is on its way: `GET /api/v1/deliveries?event_id=…` tells how it went."""

    event_id: str


async def test_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> QueuedTest:
    async with daemon.db.transaction() as tx:
        shown = view(daemon, await own_webhook(tx, call), call.now)
        with _conflicts():
            event_id = await endpoints.test(tx, shown.id, now=call.now)
        await write_down(tx, call, shown, "test", after={"event_id": event_id})
    daemon.sender.wake()
    return QueuedTest(event_id=event_id)


async def enable_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> SwitchedWebhook:
    return await _switched(daemon, call, "enable", lambda tx: endpoints.enable(tx, call.params.id, now=call.now))


async def disable_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> SwitchedWebhook:
    return await _switched(daemon, call, "disable", lambda tx: endpoints.disable(tx, call.params.id, now=call.now))


async def reset_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> SwitchedWebhook:
    return await _switched(daemon, call, "reset", lambda tx: endpoints.reset(tx, call.params.id, now=call.now))


async def rotate_secret(daemon: Daemon, call: Call[WebhookPath, Rotation]) -> RotatedWebhook:
    overlap = timedelta(hours=call.body.overlap_hours)
    async with daemon.db.transaction() as tx:
        webhook = await own_webhook(tx, call)
        secret = await endpoints.rotate_secret(tx, webhook.id, overlap=overlap, cipher=daemon.cipher, now=call.now)
        shown = view(daemon, await endpoints.get(tx, webhook.id), call.now)
        await write_down(tx, call, shown, "rotate_secret", after={"overlap_hours": call.body.overlap_hours})
    return RotatedWebhook(**dict(shown), secret=secret)


async def commit_secret(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> WebhookView:
    async with daemon.db.transaction() as tx:
        webhook = await own_webhook(tx, call)
        with _conflicts():
            await endpoints.commit_secret(tx, webhook.id)
        shown = view(daemon, await endpoints.get(tx, webhook.id), call.now)
        await write_down(tx, call, shown, "commit_secret")
    return shown


async def _switched(
    daemon: Daemon, call: Call[WebhookPath, NoBody], verb: str, switch: Callable[[Tx], Awaitable[int]]
) -> SwitchedWebhook:
    async with daemon.db.transaction() as tx:
        before = await own_webhook(tx, call)
        messages = await switch(tx)
        shown = view(daemon, await endpoints.get(tx, before.id), call.now)
        await write_down(
            tx,
            call,
            shown,
            verb,
            before={"is_active": before.is_active, "circuit": before.circuit},
            after={"is_active": shown.is_active, "circuit": shown.circuit, "messages": messages},
        )
    daemon.sender.wake()
    return SwitchedWebhook(**dict(shown), messages=messages)


@contextmanager
def _conflicts() -> Iterator[None]:
    """Say what is in the way; around what makes no rows that could be there already."""
    try:
        yield
    except Conflict as conflict:
        raise web.HTTPConflict(text=str(conflict)) from None


def _post(verb: str, handler: Handler, summary: str, answer: type[BaseModel], *, body: type[Body] = NoBody) -> Route:
    return Route(
        method="POST",
        path=f"{ONE}/{verb}",
        handler=handler,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary=summary,
        params=WebhookPath,
        body=body,
        answer=answer,
    )


ROUTES: Final = (
    _post("test", test_webhook, "Send a test message, also to an endpoint that is switched off", QueuedTest),
    _post("enable", enable_webhook, "Switch an endpoint on, close its circuit, send what waits", SwitchedWebhook),
    _post("disable", disable_webhook, "Switch an endpoint off; its messages wait", SwitchedWebhook),
    _post("reset", reset_webhook, "Close an endpoint's circuit and send what waits", SwitchedWebhook),
    _post("rotate-secret", rotate_secret, "A new secret, shown this once", RotatedWebhook, body=Rotation),
    _post("commit-secret", commit_secret, "From now on the new secret signs alone", WebhookView),
)
