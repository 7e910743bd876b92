"""The admin server: a table of routes that each name their permission, and what surrounds every request.

A route that is not in the table does not exist, and one that names a permission is closed until
`authorize` lets the request in.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, cast
from uuid import uuid4

import structlog
from aiohttp import hdrs, web
from structlog.contextvars import bound_contextvars

from alertd import metrics
from alertd.admin.problems import problem
from alertd.errors import Transient

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Authorize = Callable[[web.Request, str], Awaitable[None]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
REQUEST_ID_HEADER: Final = "X-Request-Id"
MAX_BODY_BYTES: Final = 64 * 1024

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEEP_ALIVE_SECONDS: Final = 15.0
_DRAIN_SECONDS: Final = 5.0
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. `permission` None: open to everybody."""

    method: str
    path: str
    handler: Handler
    permission: str | None


class Address(NamedTuple):
    """Where the server listens, with the port that it really got."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def operations(ready: Callable[[], Sequence[str]], *, metrics_permission: str | None = None) -> tuple[Route, ...]:
    """The routes for machines. `ready` names what we are waiting for; nothing: ready."""

    async def show_metrics(_: web.Request) -> web.Response:
        page = await asyncio.to_thread(metrics.page)
        return web.Response(body=page, headers={hdrs.CONTENT_TYPE: metrics.CONTENT_TYPE})

    async def show_healthy(_: web.Request) -> web.Response:
        return web.json_response({"healthy": True})

    async def show_ready(_: web.Request) -> web.Response:
        waiting_for = list(ready())
        answer = {"ready": not waiting_for, "waiting_for": waiting_for}
        return web.json_response(answer, status=503 if waiting_for else 200)

    return (
        Route("GET", "/metrics", show_metrics, metrics_permission),
        Route("GET", "/-/healthy", show_healthy, None),
        Route("GET", "/-/ready", show_ready, None),
    )


async def deny(_: web.Request, __: str) -> None:
    """Let nobody in; what counts until somebody says who may."""
    raise web.HTTPUnauthorized


@asynccontextmanager
async def open_server(
    routes: Iterable[Route],
    *,
    host: str,
    port: int,
    authorize: Authorize = deny,
    tls: ssl.SSLContext | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> AsyncIterator[Address]:
    """Serve the table while inside; leaving lets requests under way finish for some seconds.

    Port 0 takes a free one. `authorize` raises `web.HTTPUnauthorized` or `web.HTTPForbidden` for a
    request that may not pass. Raises Transient if the address cannot be had.
    """
    app = application(routes, authorize=authorize, max_body_bytes=max_body_bytes)
    runner = web.AppRunner(app, shutdown_timeout=_DRAIN_SECONDS)
    await runner.setup()
    try:
        listening = await _listen(runner, host, port, tls)
        try:
            taken = listening.sockets[0].getsockname()
            yield Address(taken[0], taken[1], "http" if tls is None else "https")
        finally:
            listening.close()
    finally:
        await runner.cleanup()


def application(
    routes: Iterable[Route], *, authorize: Authorize, max_body_bytes: int = MAX_BODY_BYTES
) -> web.Application:
    """The table, and nothing else, as an application."""
    app = web.Application(client_max_size=max_body_bytes, middlewares=[_identified, _answered])
    app.on_response_prepare.append(_dress)
    for route in routes:
        app.router.add_route(route.method, route.path, _guarded(route, authorize))
    return app


async def _listen(
    runner: web.AppRunner, host: str, port: int, tls: ssl.SSLContext | None
) -> asyncio.base_events.Server:
    loop = asyncio.get_running_loop()
    server = cast("web.Server", runner.server)  # there is one after the setup
    answering = partial(_Protocol, server, loop=loop, keepalive_timeout=_KEEP_ALIVE_SECONDS)
    try:
        return await loop.create_server(answering, host, port, ssl=tls)
    except OSError as error:
        raise Transient(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _guarded(route: Route, authorize: Authorize) -> Handler:
    permission = route.permission
    if permission is None:
        return route.handler

    async def guarded(request: web.Request) -> web.StreamResponse:
        await authorize(request, permission)
        return await route.handler(request)

    return guarded


@web.middleware
async def _identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, or keep the caller's, and put it on every log line."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    request[REQUEST_ID] = given if _SANE_ID.fullmatch(given) else uuid4().hex
    with bound_contextvars(request_id=request[REQUEST_ID]):
        return await handler(request)


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever was raised into an answer, unless a part of an answer is on its way already."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _problem_of(error)
    except Exception as error:
        begun = request.writer.output_size > 0
        if begun and isinstance(error, ConnectionError):  # whoever listened to a stream hung up
            raise
        resource = request.match_info.route.resource
        log.exception("Request failed", method=request.method, route=resource and resource.canonical)
        if begun:
            raise
        return problem(500, request_id=request[REQUEST_ID])


def _problem_of(error: web.HTTPException) -> web.Response:
    """Keeps what the raiser said, and headers such as `Allow`; drops aiohttp's own wording."""
    said = error.text or ""
    headers = {name: value for name, value in error.headers.items() if name != hdrs.CONTENT_TYPE}
    return problem(error.status, "" if said == f"{error.status}: {error.reason}" else said, headers=headers)


async def _dress(request: web.BaseRequest, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if REQUEST_ID in request:
        response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
    response.headers.popall(hdrs.SERVER, None)  # nobody needs our versions


class _Protocol(web.RequestHandler):
    """Answers what never becomes a request (it is not HTTP) without an echo of it, and without a traceback."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 repeats the client's bytes
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer was sent already")
        if status >= 500:
            log.error("Request failed outside its handler", exc_info=exc)
        else:
            log.info("Malformed request refused", status=status, peer=request.remote)
        response = problem(status, headers={**_HEADERS, hdrs.SERVER: "alertd"})
        response.force_close()
        return response
