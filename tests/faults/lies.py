"""Answers that are not what they say: late, cut, endless, too long, or none at all."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from aiohttp import web

from tests.faults.plan import Mood

TOO_LATE_SECONDS: Final = 30.0
PIECE: Final = b"." * 8192


async def late_body(request: web.Request) -> web.StreamResponse:
    response = await _begun(request, length=2)
    await asyncio.sleep(TOO_LATE_SECONDS)
    await response.write(b"ok")
    return response


async def half_body(request: web.Request) -> web.StreamResponse:
    response = await _begun(request, length=1000)
    await response.write(b"half of ")
    _transport(request).close()
    return response


async def cut_off(request: web.Request) -> web.StreamResponse:
    response = await _begun(request, status=204)
    _transport(request).abort()
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = await _begun(request)
    while True:
        await response.write(PIECE)


async def long_body(request: web.Request) -> web.StreamResponse:
    """What comes after the announced two bytes looks like the answer to the next request."""
    _transport(request).write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )
    return await _silent(request)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """The next request would go into a connection that is closed by then."""
    _transport(request).write(b"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n")
    return await _silent(request)


async def nonsense(request: web.Request) -> web.StreamResponse:
    _transport(request).write(b"HTTP/1.1 fine thank you\r\n\r\n")
    return await _silent(request)


LIES: Final[Mapping[Mood, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = {
    Mood.LATE_BODY: late_body,
    Mood.HALF_BODY: half_body,
    Mood.CUT_OFF: cut_off,
    Mood.ENDLESS: endless,
    Mood.LONG_BODY: long_body,
    Mood.HANGS_UP: hangs_up,
    Mood.NONSENSE: nonsense,
}


async def _begun(request: web.Request, *, status: int = 200, length: int | None = None) -> web.StreamResponse:
    response = web.StreamResponse(status=status)
    response.content_length = length
    await response.prepare(request)
    return response


async def _silent(request: web.Request) -> web.StreamResponse:
    """What was written by hand is out; the connection ends without a word of the server's own."""
    await asyncio.sleep(0.05)
    _transport(request).abort()
    return web.Response()


def _transport(request: web.Request) -> asyncio.Transport:
    if request.transport is None:
        raise ConnectionError("the other side has gone")
    return cast("asyncio.Transport", request.transport)
