"""Connections to exchanges: one shared pool, and one for each exchange that `connect_to` sends elsewhere.

The detour is taken below ccxt: the URL, the Host header and the signature stay those of the exchange.
"""

import asyncio
import socket
import ssl

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL


class Detour(AbstractResolver):
    """Answers every name with the addresses, and the port, of another place."""

    def __init__(self, place: URL) -> None:
        self._place = place
        self._names = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del port
        found = await self._names.resolve(self._place.host or "", self._place.port or 0, family)
        return [ResolveResult(**{**place, "hostname": host}) for place in found]

    async def close(self) -> None:
        await self._names.close()


class PlainRequest(aiohttp.ClientRequest):
    """A request for an https URL that travels without TLS."""

    def is_ssl(self) -> bool:
        return False


def trust() -> ssl.SSLContext:
    """Building one costs 20 ms, so there is one for all; `SSL_CERT_FILE` adds authorities to certifi's."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def open_session(
    *, context: ssl.SSLContext, timeout_seconds: float, connect_to: str | None = None
) -> aiohttp.ClientSession:
    """Whoever asks for it closes it. Requests are bounded by semaphores, not by the pool: a signed one must not queue.

    Cookies are dropped, lest one tenant's ride along with the next one's; the environment's proxies are ignored.
    """
    place = URL(connect_to) if connect_to is not None else None
    connector = aiohttp.TCPConnector(
        ssl=context,
        limit=0,
        resolver=Detour(place) if place is not None else None,
        loop=asyncio.get_running_loop(),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        request_class=PlainRequest if place is not None and place.scheme == "http" else aiohttp.ClientRequest,
        trust_env=False,
    )
