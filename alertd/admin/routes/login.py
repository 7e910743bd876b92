"""Who am I, and a token for a key. A login is in the audit log, and so is one that fails."""

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field

from alertd.admin import store
from alertd.admin.access import ANY_KEY, Identity
from alertd.admin.daemon import Daemon
from alertd.admin.keys import lookup_of
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, NoBody, NoParams, Time
from alertd.admin.store import Deed

UNKNOWN: Final = "unknown"


class Login(Body):
    """An API key of the settings, or one that was made here."""

    api_key: Annotated[str, Field(max_length=1024, repr=False)]


class User(Answer):
    """The owner of a key. `permissions` are those of this moment."""

    user_id: str
    username: str
    roles: list[str]
    permissions: list[str]


class LoggedIn(Answer):
    """A token for `Authorization: Bearer`; `expires_in` is in seconds."""

    access_token: Annotated[str, Field(repr=False)]
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind of token, as RFC 6750 calls it
    expires_in: int
    user: User


class Me(User):
    """Whoever asks."""

    last_used: Time | None
    enabled: bool


async def log_in(daemon: Daemon, call: Call[NoParams, Login]) -> LoggedIn:
    try:
        who, issued = await daemon.gate.log_in(call.body.api_key, peer=call.peer)
    except web.HTTPUnauthorized:
        await _write_down(daemon, call, lookup_of(call.body.api_key) or UNKNOWN, "login.fail")
        raise
    await _write_down(daemon, call, who.actor, "login")
    return LoggedIn(access_token=issued.token, expires_in=issued.expires_in, user=User.model_validate(_described(who)))


async def show_me(_daemon: Daemon, call: Call[NoParams, NoBody]) -> Me:
    return Me.model_validate({**_described(call.who), "last_used": call.who.last_used, "enabled": True})


async def _write_down(daemon: Daemon, call: Call[NoParams, Login], actor: str, action: str) -> None:
    deed = Deed(call.now, actor, action, "login", peer=call.peer, request_id=call.request_id)
    await store.add_deed(daemon.db, deed)


def _described(who: Identity) -> dict[str, object]:
    return {
        "user_id": who.user_id,
        "username": who.username,
        "roles": [str(who.role)],
        "permissions": [str(permission) for permission in who.permissions],
    }


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/performance-alerts/auth/login",
        handler=log_in,
        permission=None,
        summary="A token for an API key",
        body=Login,
        answer=LoggedIn,
        refusals=(400, 401, 429),
    ),
    Route(
        method="GET",
        path="/api/performance-alerts/auth/me",
        handler=show_me,
        permission=ANY_KEY,
        summary="Whose key or token this is, and what it may do",
        answer=Me,
    ),
)
