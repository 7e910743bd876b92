"""The admin server: what surrounds every request, whatever its route is.

A route that is not in the table does not exist. Every answer, even to what is no HTTP, says in the
same shape what is wrong, and nothing of our insides.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket as Socket  # noqa: N812 - `socket` is the setting
from typing import Final, NamedTuple, cast
from uuid import uuid4

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.typedefs import Middleware
from structlog.contextvars import bound_contextvars

from alertd.admin.dispatch import PEER, REQUEST_ID, Answering
from alertd.admin.peers import Neighbours, check_host, check_origin, peer_of
from alertd.admin.problems import problem, problem_of
from alertd.db import Forbidden
from alertd.errors import Absent, Busy, ConfigError, Conflict, Refused, StoreDown, StoreFault, Transient

log = structlog.get_logger(__name__)

REQUEST_ID_HEADER: Final = "X-Request-Id"

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEEP_ALIVE_SECONDS: Final = 15.0
_LINGER_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 5.0
_SOCKET_MODE: Final = 0o660
_RETRY_SECONDS: Final = 5
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STORE_DOWN: Final = {
    StoreFault.SEALED: "The secret store is sealed",
    StoreFault.UNREACHABLE: "The secret store does not answer",
    StoreFault.LOGIN_REFUSED: "The secret store refuses our login",
    StoreFault.FORBIDDEN: "The secret store forbids us what this needs",
}
# After these the rest of the body is not worth waiting for.
_LAST: Final = frozenset({400, 408, 413, 431})


class Endpoint(NamedTuple):
    """A method and a path, and what answers there; `endless` answers have nothing to say to HEAD."""

    method: str
    path: str
    answer: Answering
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Who may ask at the moment, how the port is secured, and a door beside it.

    An `inherited` socket is one that the service manager listens on already; then no port is opened.
    """

    neighbours: Callable[[], Neighbours] = Neighbours
    tls: ssl.SSLContext | None = None
    socket: Path | None = None
    inherited: Socket | None = None


class Address(NamedTuple):
    """Where the server listens, with the port that it really got."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@asynccontextmanager
async def open_server(
    endpoints: Iterable[Endpoint], *, host: str, port: int, surroundings: Surroundings = Surroundings()
) -> AsyncIterator[Address]:
    """Serve the endpoints while inside; leaving lets requests under way finish for some seconds.

    Port 0 takes a free one. Raises Transient if the address cannot be had.
    """
    runner = web.AppRunner(application(endpoints, surroundings), shutdown_timeout=_DRAIN_SECONDS)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        answering = _protocols(runner)
        listening = await _listen(answering, host, port, surroundings)
        stack.callback(listening.close)
        if surroundings.socket is not None:
            stack.callback((await _listen_locally(answering, surroundings.socket)).close)
        taken = listening.sockets[0].getsockname()
        yield Address(taken[0], taken[1], "http" if surroundings.tls is None else "https")


def application(endpoints: Iterable[Endpoint], surroundings: Surroundings) -> web.Application:
    """These endpoints, and nothing else, as an application. What answers GET answers HEAD."""
    app = web.Application(middlewares=[_identified, _answered, _addressed(surroundings)])
    app.on_response_prepare.append(_dressed(secure=surroundings.tls is not None))
    for method, path, answer, endless in endpoints:
        app.router.add_route(method, path, answer)
        if method == hdrs.METH_GET and not endless:
            app.router.add_route(hdrs.METH_HEAD, path, answer)
    return app


def _protocols(runner: web.AppRunner) -> Callable[[], "_Protocol"]:
    """What is made anew for each connection."""
    return partial(
        _Protocol,
        cast("web.Server", runner.server),  # there is one after the setup
        loop=asyncio.get_running_loop(),
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        lingering_time=_LINGER_SECONDS,
        auto_decompress=False,  # compressed bodies are refused
    )


async def _listen(
    answering: Callable[[], "_Protocol"], host: str, port: int, surroundings: Surroundings
) -> asyncio.base_events.Server:
    """On the inherited socket, if there is one. Raises ConfigError for one that is not where the settings say."""
    loop, tls, inherited = asyncio.get_running_loop(), surroundings.tls, surroundings.inherited
    if inherited is not None:
        _check_place(inherited, host, port)
        return await loop.create_server(answering, sock=inherited, ssl=tls)
    try:
        return await loop.create_server(answering, host, port, ssl=tls)
    except OSError as error:
        raise Transient(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _check_place(inherited: Socket, host: str, port: int) -> None:
    """Which keys are strong enough, and which addresses are our own, was judged by the settings."""
    name = inherited.getsockname()
    if name[:2] not in {(host, port), ("127.0.0.1" if host == "localhost" else host, port)}:
        text = f"systemd listens on {name}, the settings say {host} port {port}; let the socket unit say the same"
        raise ConfigError([f"admin.host, admin.port: {text}"])


async def _listen_locally(answering: Callable[[], "_Protocol"], path: Path) -> asyncio.AbstractServer:
    """Replaces a socket that a killed process left behind; only owner and group may connect."""
    try:
        server = await asyncio.get_running_loop().create_unix_server(answering, path, start_serving=False)
        path.chmod(_SOCKET_MODE)  # noqa: ASYNC240 - one system call, before anybody is served
        await server.start_serving()
    except OSError as error:
        raise Transient(f"cannot listen on {path}: {error.strerror}") from error
    return server


@web.middleware
async def _identified(request: web.Request, handler: Answering) -> web.StreamResponse:
    """Give the request an id, or keep the caller's, and put it on every log line."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    request[REQUEST_ID] = given if _SANE_ID.fullmatch(given) else uuid4().hex
    with bound_contextvars(request_id=request[REQUEST_ID]):
        return await handler(request)


@web.middleware
async def _answered(request: web.Request, handler: Answering) -> web.StreamResponse:
    """Turn whatever was raised into an answer, unless a part of an answer is on its way already."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _refusal(request, error)
    except Exception as error:
        begun = request.writer.output_size > 0
        if begun and isinstance(error, ConnectionError):  # whoever listened to a stream hung up
            raise
        known = None if begun else _known(error)
        if known is not None:
            return _refusal(request, known)
        resource = request.match_info.route.resource
        log.exception("Request failed", method=request.method, route=resource and resource.canonical)
        if begun:
            raise
        return problem(500, request_id=request[REQUEST_ID])


def _refusal(request: web.Request, error: web.HTTPException) -> web.Response:
    response = problem_of(error, request_id=request[REQUEST_ID])
    if error.status in _LAST and request.can_read_body:
        response.force_close()
    return response


def _known(error: Exception) -> web.HTTPException | None:
    """Our own errors. What may speak of the database, or of where things are, stays inside."""
    match error:
        case Forbidden():
            return None
        case Absent():
            return web.HTTPNotFound(text=str(error))
        case Busy():
            return web.HTTPConflict(text=str(error))
        case Conflict():
            return web.HTTPConflict(text="That is there already.")
        case Refused():
            return web.HTTPUnprocessableEntity(text=str(error))
        case StoreDown():
            return _put_off(error, f"{_STORE_DOWN[error.fault]}; try again when it is well. The log says more.")
        case Transient():
            return _put_off(error)
        case _:
            return None


def _put_off(error: Transient, text: str | None = None) -> web.HTTPException:
    log.warning("Request put off", error=str(error))
    return web.HTTPServiceUnavailable(text=text, headers={hdrs.RETRY_AFTER: str(_RETRY_SECONDS)})


def _addressed(surroundings: Surroundings) -> Middleware:
    """Refuse what was meant for somebody else, and say who is really asking."""

    @web.middleware
    async def addressed(request: web.Request, handler: Answering) -> web.StreamResponse:
        forwarded = request.headers.getall("X-Forwarded-For", [])
        neighbours = surroundings.neighbours()
        request[PEER] = peer_of(request.remote, forwarded, neighbours.trusted_proxies)
        check_host(request, neighbours.allowed_hosts)
        check_origin(request)
        return await handler(request)

    return addressed


def _dressed(*, secure: bool) -> Callable[[web.BaseRequest, web.StreamResponse], Awaitable[None]]:
    wanted = {**_HEADERS, "Strict-Transport-Security": "max-age=31536000"} if secure else _HEADERS

    async def dress(request: web.BaseRequest, response: web.StreamResponse) -> None:
        for name, value in wanted.items():
            response.headers.setdefault(name, value)
        if REQUEST_ID in request:
            response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
        response.headers.popall(hdrs.SERVER, None)  # nobody needs our versions

    return dress


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
        if isinstance(exc, LineTooLong):
            status = 431
        if status >= 500:
            log.error("Request failed outside its handler", exc_info=exc)
        else:
            log.info("Malformed request refused", status=status, peer=request.remote)
        response = problem(status, headers={**_HEADERS, hdrs.SERVER: "alertd"})
        response.force_close()
        return response
