"""From a line of the table to an answer: let in, understand, carry out, write down. The order is the defence."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import BaseModel

from alertd.admin.bodies import JSON, parse, receive
from alertd.admin.cursors import Cursors
from alertd.admin.daemon import Daemon
from alertd.admin.idempotency import HEADER, once
from alertd.admin.parameters import read_parameters
from alertd.admin.routing import Call, Outcome, Reply, Route

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
PEER: Final = web.RequestKey("peer", str)

_BAD_PATHS: Final[Mapping[int, type[web.HTTPException]]] = {400: web.HTTPBadRequest, 404: web.HTTPNotFound}


def answering(route: Route, daemon: Daemon) -> Answering:
    """The route as the server calls it. A request that may not pass learns nothing else of what is wrong with it."""
    cursors = Cursors(daemon.secret.cursors, f"{route.method} {route.path}")
    bad_path = _BAD_PATHS[route.bad_path]

    async def answer(request: web.Request) -> web.StreamResponse:
        peer = request[PEER]
        who = await daemon.gate.admit(request, route.permission, peer=peer, tenant_scoped=route.tenant_scoped)
        params = read_parameters(request, route.params, bad_path=bad_path)
        raw = await receive(request, max_bytes=route.max_bytes) if request.can_read_body else b""
        body = await parse(raw, request=request, model=route.body)
        call = Call(who, params, body, daemon.now(), peer, request[REQUEST_ID], cursors, request)
        if not route.remembered or HEADER not in request.headers:
            return await _perform(route, daemon, call)
        return await once(
            lambda claim: _perform(route, daemon, replace(call, claim=claim)),
            request=request,
            raw=raw,
            principal=who.key_ref or who.user_id,
            route=f"{route.method} {route.path}",
            db=daemon.db,
            cipher=daemon.cipher,
            now=call.now,
        )

    return answer


async def _perform(route: Route, daemon: Daemon, call: Call[Any, Any]) -> web.StreamResponse:
    return _response(await route.handler(daemon, call), usual=route.status)


def _response(outcome: Outcome, *, usual: int) -> web.StreamResponse:
    match outcome:
        case web.StreamResponse():
            return outcome
        case Reply():
            return _object(outcome.content, outcome.status or usual, outcome.headers)
        case BaseModel() | None:
            return _object(outcome, usual, {})


def _object(content: BaseModel | None, status: int, headers: Mapping[str, str]) -> web.Response:
    if content is None:
        return web.Response(status=204 if status == 200 else status, headers=headers)
    body = content.model_dump_json().encode()
    return web.Response(status=status, body=body, headers={hdrs.CONTENT_TYPE: JSON, **headers})
