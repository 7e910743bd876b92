"""Silences: made with a comment and an end, tried out first, and ended early."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import Flaw, Invalid, absent
from alertd.admin.routes.alerts import AlertView, at_present
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, Name, NoBody, NoParams, Page, PageParams, Params, Text, Time, When
from alertd.alerts import listing, silence_store
from alertd.alerts.silences import MAX_VALUES, Fault, Matchers, Silence, State, faults, matcher_faults
from alertd.db import new_id
from alertd.model import iso_utc

ALL: Final = "/api/v1/silences"
USUAL: Final = timedelta(hours=1)
SHOWN: Final = 20


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must say why")
    return text


Value = Name | Annotated[list[Name], Field(min_length=1, max_length=MAX_VALUES)]


class MatchersWish(Body):
    """What an alert must be: for each label a word, a glob (`*`, `?`, `[…]`), or a list of them of which one fits.

    All labels that are given must fit, and at least one must be given.
    """

    tenant: Value | None = None
    check: Value | None = None
    subject: Value | None = None
    exchange: Value | None = None

    @property
    def matchers(self) -> Matchers:
        given = self.model_dump(exclude_none=True).items()
        return {label: (value,) if isinstance(value, str) else tuple(value) for label, value in given}


class SilenceWish(Body):
    """It begins at once and ends after an hour, unless other times are given. The author is known from the key."""

    matchers: MatchersWish
    comment: Annotated[Text, Field(min_length=1, max_length=1000), AfterValidator(_not_blank)]
    starts_at: When | None = None
    ends_at: When | None = None


class PreviewWish(Body):
    """What a silence would match."""

    matchers: MatchersWish


class SilenceView(Answer):
    """A silence; `expired_at` and `expired_by`: when it was ended early, and by whom."""

    id: UUID
    state: State
    matchers: dict[str, list[str]]
    comment: str
    created_by: str
    created_at: Time
    starts_at: Time
    ends_at: Time
    expired_at: Time | None
    expired_by: str | None


class PreviewView(Answer):
    """How many alerts fire now that such a silence would cover, and the newest of them."""

    count: int
    items: list[AlertView]


class SilenceListing(PageParams):
    """Which silences to list."""

    state: State | None = None


class SilencePath(Params):
    """One silence."""

    id: UUID


async def list_silences(daemon: Daemon, call: Call[SilenceListing, NoBody]) -> Page[SilenceView]:
    mark = after(call)
    last = None if mark is None else UUID(mark[0])
    found = await silence_store.before(
        daemon.db, last, state=call.params.state, now=call.now, limit=call.params.limit + 1
    )
    return page(call, [_view(silence, call) for silence in found], shape=SilenceView, mark=lambda view: (str(view.id),))


async def create_silence(daemon: Daemon, call: Call[NoParams, SilenceWish]) -> SilenceView:
    wish = call.body
    starts_at = max(wish.starts_at or call.now, call.now)
    silence = Silence(
        id=new_id(),
        matchers=wish.matchers.matchers,
        comment=wish.comment,
        created_by=call.who.actor,
        created_at=call.now,
        starts_at=starts_at,
        ends_at=wish.ends_at or starts_at + USUAL,
    )
    _check(faults(silence.matchers, silence.starts_at, silence.ends_at, call.now))
    async with daemon.db.transaction() as tx:
        await silence_store.add(tx, silence)
        await record(tx, call, action="silence.create", object=f"silence:{silence.id}", after=_noted(silence))
    return _view(silence, call)


async def expire_silence(daemon: Daemon, call: Call[SilencePath, NoBody]) -> SilenceView:
    async with daemon.db.transaction() as tx:
        silence = await silence_store.find(tx, call.params.id)
        if silence is None:
            raise absent("silence")
        if silence.state(call.now) is State.EXPIRED:
            raise web.HTTPConflict(text="This silence is over.")
        await silence_store.expire(tx, silence.id, by=call.who.actor, now=call.now)
        await record(tx, call, action="silence.expire", object=f"silence:{silence.id}", before=_noted(silence))
        ended = await silence_store.find(tx, silence.id)
    return _view(ended or silence, call)


async def preview_silence(daemon: Daemon, call: Call[NoParams, PreviewWish]) -> PreviewView:
    matchers = call.body.matchers.matchers
    _check(matcher_faults(matchers))
    covered = await listing.covered(daemon.db, matchers, shown=SHOWN)
    newest = await at_present(daemon, covered.newest)
    return PreviewView(count=covered.count, items=[AlertView.model_validate(alert) for alert in newest])


def _check(found: Iterable[Fault]) -> None:
    flaws = [Flaw(fault.where, fault.detail) for fault in found]
    if flaws:
        raise Invalid(flaws)


def _view(silence: Silence, call: Call[Any, Any]) -> SilenceView:
    return SilenceView(
        id=silence.id,
        state=silence.state(call.now),
        matchers={label: list(values) for label, values in silence.matchers.items()},
        comment=silence.comment,
        created_by=silence.created_by,
        created_at=silence.created_at,
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        expired_at=silence.expired_at,
        expired_by=silence.expired_by,
    )


def _noted(silence: Silence) -> dict[str, Any]:
    return {
        "matchers": {label: list(values) for label, values in silence.matchers.items()},
        "comment": silence.comment,
        "starts_at": iso_utc(silence.starts_at),
        "ends_at": iso_utc(silence.ends_at),
    }


ROUTES: Final = (
    Route(
        method="GET",
        path=ALL,
        handler=list_silences,
        permission=Permission.VIEW_STATUS,
        summary="The silences, newest first",
        params=SilenceListing,
        answer=Page[SilenceView],
    ),
    Route(
        method="POST",
        path=ALL,
        handler=create_silence,
        permission=Permission.ENABLE_DISABLE,
        summary="A new silence: alerts that match are recorded, and nobody is told",
        body=SilenceWish,
        answer=SilenceView,
        status=201,
    ),
    Route(
        method="POST",
        path=f"{ALL}/preview",
        handler=preview_silence,
        permission=Permission.VIEW_STATUS,
        summary="Which alerts that fire now a silence would cover; nothing is changed",
        body=PreviewWish,
        answer=PreviewView,
    ),
    Route(
        method="POST",
        path=f"{ALL}/{{id}}/expire",
        handler=expire_silence,
        permission=Permission.ENABLE_DISABLE,
        summary="End a silence now; what still fires is told then, or with its next check",
        params=SilencePath,
        answer=SilenceView,
        refusals=(404, 409),
    ),
)
