"""Tenants' endpoints: listed, added, changed, removed. A secret is in one answer and nowhere else."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import Flaw, Invalid, absent, wrong
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, NoBody, NoParams, Page, PageParams, Params, Text, Time
from alertd.alerts.catch_up import send_current_alerts
from alertd.credentials.catch_up import send_current_failures
from alertd.db import Sql, Tx
from alertd.errors import Absent, Refused
from alertd.model import EventType
from alertd.webhooks import endpoints
from alertd.webhooks.endpoints import Changes, Draft, Webhook
from alertd.webhooks.guard import LONGEST_URL, Review, review_url
from alertd.webhooks.requirements import ALL, MOST_HEADERS, SUBSCRIBABLE, header_problems
from alertd.webhooks.seals import header_names

PATH: Final = "/api/v1/webhooks"
ONE: Final = f"{PATH}/{{id}}"


def _subscribable(value: str) -> str:
    if value not in {ALL, *SUBSCRIBABLE}:
        raise ValueError(f"must be one of {', '.join((ALL, *SUBSCRIBABLE))}")
    return value


Url = Annotated[str, Field(max_length=LONGEST_URL, examples=["https://hooks.example.com/alertd"])]
Kind = Annotated[str, AfterValidator(_subscribable), WithJsonSchema({"type": "string", "enum": [ALL, *SUBSCRIBABLE]})]
Kinds = Annotated[tuple[Kind, ...], Field(max_length=len(SUBSCRIBABLE) + 1, description="Empty: all.")]
Headers = Annotated[dict[str, str], Field(max_length=MOST_HEADERS, description="Sent with each message.")]


class WebhookWish(Body):
    """An endpoint to be. A tenant's own key may leave `tenant_id` out."""

    tenant_id: UUID | None = None
    url: Annotated[Url, Field(repr=False)]  # a path or a query may be a secret
    event_types: Kinds = ()
    description: Text = ""
    headers: Annotated[Headers, Field(default_factory=dict, repr=False)]


class WebhookChange(Body):
    """What is to be different; null leaves as it is. Empty `headers` removes them. A new `url` closes the circuit."""

    url: Annotated[Url | None, Field(repr=False)] = None
    event_types: Kinds | None = None
    description: Text | None = None
    headers: Annotated[Headers | None, Field(repr=False)] = None
    is_active: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError("nothing is to be different")
        return self


class WebhookView(Answer):
    """An endpoint without its secrets; of its headers the names, null where they cannot be read any more.

    `circuit_until`: when an endpoint that failed too often is tried again. `rotation_ends_at`: until then, old and
    new secret sign; null: no rotation is under way.
    """

    id: UUID
    tenant_id: UUID
    url: Annotated[str, Field(repr=False)]
    event_types: list[str]
    description: str
    headers: list[str] | None
    is_active: bool
    disabled_reason: str | None
    circuit: Literal["closed", "open", "half_open"]
    circuit_until: Time | None
    consecutive_failures: int
    rotation_ends_at: Time | None
    created_at: Time


class SavedWebhook(WebhookView):
    """An endpoint as it was saved. `notes` are for its owner, such as that its name does not resolve just now."""

    notes: list[str]


class CreatedWebhook(SavedWebhook):
    """A new endpoint, with its secret for the only time."""

    secret: Annotated[str, Field(repr=False)]


class WebhookListing(PageParams):
    """Which endpoints to list."""

    tenant_id: UUID | None = None


class WebhookPath(Params):
    """One endpoint."""

    id: UUID


async def list_webhooks(daemon: Daemon, call: Call[WebhookListing, NoBody]) -> Page[WebhookView]:
    """The oldest first."""
    mark = after(call)
    found = await endpoints.find(
        daemon.db,
        tenant_id=call.within(call.params.tenant_id),
        after=None if mark is None else UUID(mark[0]),
        limit=call.params.limit + 1,
    )
    views = [view(daemon, webhook, call.now) for webhook in found]
    return page(call, views, shape=WebhookView, mark=lambda shown: (str(shown.id),))


async def create_webhook(daemon: Daemon, call: Call[NoParams, WebhookWish]) -> CreatedWebhook:
    """What fails at the moment is sent to the new endpoint at once."""
    wish = call.body
    tenant_id = call.within(wish.tenant_id)
    if tenant_id is None:
        raise wrong("/tenant_id", "is required")
    reviewed = await _reviewed(daemon, wish.url, wish.headers)
    draft = Draft(tenant_id, reviewed.url, wish.event_types, wish.description, wish.headers)
    async with daemon.db.transaction() as tx:
        added = await endpoints.add(tx, draft, cipher=daemon.cipher, now=call.now, prefix=_prefix(daemon))
        await _tell_current(daemon, tx, added.webhook, call.now)
        shown = view(daemon, added.webhook, call.now)
        await write_down(tx, call, shown, "create", after=_told(shown, _CHANGEABLE))
    daemon.sender.wake()
    return CreatedWebhook(**dict(shown), notes=list(reviewed.notes), secret=added.secret)


async def show_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> WebhookView:
    return view(daemon, await own_webhook(daemon.db, call), call.now)


async def change_webhook(daemon: Daemon, call: Call[WebhookPath, WebhookChange]) -> SavedWebhook:
    change = call.body
    earlier = await own_webhook(daemon.db, call)  # nobody's address is looked up for a stranger
    reviewed = await _reviewed(daemon, change.url, change.headers or {})
    changes = Changes(**{**dict(change), "url": change.url and reviewed.url})
    async with daemon.db.transaction() as tx:
        before = await own_webhook(tx, call)
        changed = await endpoints.update(
            tx, earlier.id, changes, cipher=daemon.cipher, now=call.now, prefix=_prefix(daemon)
        )
        await _tell_current(daemon, tx, changed, call.now, before=before)
        shown = view(daemon, changed, call.now)
        names = [name for name, value in change if value is not None]
        told = _told(view(daemon, before, call.now), names)
        await write_down(tx, call, shown, "update", before=told, after=_told(shown, names))
    daemon.sender.wake()
    return SavedWebhook(**dict(shown), notes=list(reviewed.notes))


async def remove_webhook(daemon: Daemon, call: Call[WebhookPath, NoBody]) -> None:
    async with daemon.db.transaction() as tx:
        shown = view(daemon, await own_webhook(tx, call), call.now)
        await endpoints.remove(tx, shown.id)
        await write_down(tx, call, shown, "delete", before=_told(shown, _CHANGEABLE))


async def own_webhook(sql: Sql, call: Call[WebhookPath, Any]) -> Webhook:
    """Raises the same 404 for one that is not there and for somebody else's."""
    try:
        webhook = await endpoints.get(sql, call.params.id)
    except Absent:
        raise absent("webhook") from None
    call.own(webhook.tenant_id, "webhook")
    return webhook


def view(daemon: Daemon, webhook: Webhook, now: datetime) -> WebhookView:
    shown = {name: getattr(webhook, name) for name in WebhookView.model_fields if name != "headers"}
    if webhook.rotation_ends_at is not None and webhook.rotation_ends_at <= now:
        shown["rotation_ends_at"] = None  # it commits itself when something is sent next
    return WebhookView(**shown, headers=_header_names(daemon, webhook))


async def write_down(
    tx: Sql,
    call: Call[Any, Any],
    shown: WebhookView,
    verb: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    await record(
        tx,
        call,
        action=f"webhook.{verb}",
        object=f"webhook:{shown.id}",
        tenant_id=shown.tenant_id,
        before=before,
        after=after,
    )


def _header_names(daemon: Daemon, webhook: Webhook) -> list[str] | None:
    try:
        return sorted(header_names(daemon.cipher, webhook.id, webhook.sealed_headers))
    except Refused:
        return None


async def _reviewed(daemon: Daemon, url: str | None, headers: Mapping[str, str]) -> Review:
    """Raises 422 for what must not be saved."""
    review = Review("") if url is None else await review_url(url, daemon.policy, daemon.names)
    flaws = [Flaw("/url", problem) for problem in review.problems]
    flaws += [Flaw("/headers", text.removeprefix("headers: ")) for text in header_problems(headers, _prefix(daemon))]
    if flaws:
        raise Invalid(flaws)
    return review


async def _tell_current(
    daemon: Daemon, tx: Tx, webhook: Webhook, now: datetime, *, before: Webhook | None = None
) -> None:
    """What is wrong now, of the kinds that the endpoint did not hear `before`."""

    def begins_to_hear(kind: EventType) -> bool:
        return webhook.hears(kind) and (before is None or not before.hears(kind))

    if daemon.settings.credentials.notify and begins_to_hear(EventType.CREDENTIAL_FAILED):
        await send_current_failures(tx, webhook.tenant_id, webhook.id, now=now)
    if begins_to_hear(EventType.PERFORMANCE_ALERT):
        await send_current_alerts(tx, webhook.tenant_id, webhook.id, now=now)


def _prefix(daemon: Daemon) -> str:
    return daemon.settings.webhooks.header_prefix


_CHANGEABLE: Final = tuple(WebhookChange.model_fields)


def _told(shown: WebhookView, names: Iterable[str]) -> Mapping[str, Any]:
    """What the audit log keeps of these fields: of a URL only which server it is on."""
    told = {name: getattr(shown, name) for name in names}
    if "url" in told:
        told["url"] = "{0.scheme}://{0.netloc}".format(urlsplit(shown.url))
    return told


ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=list_webhooks,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="Endpoints, without their secrets",
        params=WebhookListing,
        answer=Page[WebhookView],
    ),
    Route(
        method="POST",
        path=PATH,
        handler=create_webhook,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="A new endpoint; its secret is shown this once",
        body=WebhookWish,
        answer=CreatedWebhook,
        status=201,
        refusals=(404,),
    ),
    Route(
        method="GET",
        path=ONE,
        handler=show_webhook,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="One endpoint",
        params=WebhookPath,
        answer=WebhookView,
    ),
    Route(
        method="PATCH",
        path=ONE,
        handler=change_webhook,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="Change an endpoint",
        params=WebhookPath,
        body=WebhookChange,
        answer=SavedWebhook,
    ),
    Route(
        method="DELETE",
        path=ONE,
        handler=remove_webhook,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary="Remove an endpoint and its deliveries",
        params=WebhookPath,
        status=204,
    ),
)
