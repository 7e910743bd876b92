"""The one outgoing HTTP POST: whatever a receiver does comes back as an `Outcome`, within one deadline.

On aiohttp itself. Measured by `benchmarks/http_clients.py` on two cores, 50 in flight: httpx with a client per
attempt 61 POST/s, httpx with one client 635, httpx on aiohttp 4,106, aiohttp 15,593. The guard sits in
aiohttp's connector either way; httpx above it adds a second family of errors and hides which fault it was.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from alertd.webhooks.addresses import Policy
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import CONNECTED, RefusedAddress, check_form, open_connector
from alertd.webhooks.retry import Fault, Outcome, retry_after

READ_AT_MOST: Final = 16 * 1024
KEEP_AT_MOST: Final = 4 * 1024
# Nothing but the one deadline around everything: aiohttp's own default timeouts would be second opinions.
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=None)
CONTROLS: Final = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r")


@dataclass(frozen=True, slots=True)
class Request:
    """What to POST; neither its URL nor its headers are for logs."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Answer:
    """What has arrived so far; the deadline may strike at any point of it."""

    status: int | None = None
    retry_after: str | None = None
    body: bytearray = field(default_factory=bytearray)


class Poster:
    """POSTs within a policy. `connect` opens connections within one, and closes them in the end."""

    def __init__(self, connect: Callable[[Policy], aiohttp.ClientSession], policy: Policy, timeout: timedelta) -> None:
        self._connect = connect
        self._session = connect(policy)
        self._policy = policy
        self._timeout = timeout

    def adopt(self, policy: Policy, timeout: timedelta) -> None:
        """From the next attempt on. Those under way end as they began."""
        if policy != self._policy:
            self._session = self._connect(policy)
        self._policy = policy
        self._timeout = timeout

    async def post(self, request: Request, *, at: datetime) -> Outcome:
        """One attempt. Redirects are not followed, and a status is final once its headers are read:
        a body that breaks off changes nothing, one that outlasts the deadline is a timeout."""
        if check_form(request.url, self._policy):
            return Outcome(error=Fault.REFUSED_URL)
        clock = asyncio.get_running_loop().time
        started = clock()
        answer = _Answer()
        CONNECTED.set(None)
        fault = await self._fault_of(request, answer)
        status = answer.status
        return Outcome(
            status=status,
            error=fault,
            response=_text(answer.body),
            retry_after=None if status is None else retry_after(status, answer.retry_after, at),
            duration=timedelta(seconds=clock() - started),
            address=CONNECTED.get(),
        )

    async def _fault_of(self, request: Request, answer: _Answer) -> Fault | None:
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._exchange(request, answer)
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            return _fault(exc)
        return None

    async def _exchange(self, request: Request, answer: _Answer) -> None:
        response = await self._session.post(
            URL(request.url),
            data=request.body,
            headers={"Accept-Encoding": "identity", **request.headers},
            allow_redirects=False,
        )
        try:
            answer.status = response.status
            answer.retry_after = response.headers.get("Retry-After")
            await _read(response.content, answer.body)
        except (aiohttp.ClientError, ConnectionError):
            return
        finally:
            # a connection with an unread rest cannot be used again
            if response.content.at_eof():
                response.release()
            else:
                response.close()


@asynccontextmanager
async def open_poster(
    policy: Policy, names: Names, *, timeout: timedelta, ca: Path | None = None
) -> AsyncIterator[Poster]:
    """`timeout` covers everything from the name lookup to the last byte; `ca` adds a certificate
    authority to the system's. No proxy, cookie or `.netrc` of the environment has a say."""
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(ca)
    async with AsyncExitStack() as stack:

        def connect(within: Policy) -> aiohttp.ClientSession:
            session = aiohttp.ClientSession(
                connector=open_connector(within, names, context),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=NO_TIMEOUT,
                trust_env=False,
                auto_decompress=False,
                read_bufsize=READ_AT_MOST,
            )
            stack.push_async_callback(session.close)
            return session

        yield Poster(connect, policy, timeout)


async def _read(content: aiohttp.StreamReader, into: bytearray) -> None:
    while len(into) < READ_AT_MOST:
        chunk = await content.read(READ_AT_MOST - len(into))
        if not chunk:
            return
        into += chunk


def _text(body: bytearray) -> str:
    """At most 4 KiB of valid UTF-8 without control characters, fit for a database and a terminal."""
    text = body[:KEEP_AT_MOST].decode("utf-8", "replace").translate(CONTROLS)
    return text.encode()[:KEEP_AT_MOST].decode("utf-8", "ignore")


def _fault(exc: BaseException) -> Fault:
    """Our refusal is found where the client wrapped it; otherwise its error classes tell enough."""
    if isinstance(exc.__cause__, RefusedAddress):
        return Fault.REFUSED_ADDRESS
    match exc:
        case TimeoutError():
            return Fault.TIMEOUT
        case aiohttp.ClientConnectorDNSError():
            return Fault.DNS
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Fault.TLS
        case aiohttp.ClientConnectorError(os_error=ConnectionResetError() | ConnectionAbortedError()):
            return Fault.TLS  # connected, and cut off within the handshake
        case aiohttp.ClientConnectorError():
            return Fault.CONNECT
        case aiohttp.ServerConnectionError() | OSError():
            return Fault.RESET
        case aiohttp.InvalidURL():
            return Fault.REFUSED_URL
        case _:
            return Fault.PROTOCOL
