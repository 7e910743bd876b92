"""Asks one exchange about one key; the only importer of ccxt.

ccxt signs, names endpoints and knows error classes; connections and limits are ours. Each check
has a driver of its own, with its own credentials and options, so that nothing of one
tenant is seen by the next. Exception texts of ccxt hold signed URLs: they are never kept.
"""

import asyncio
import functools
import ssl
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import aiohttp
import ccxt.async_support as ccxt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from alertd.config import Settings
from alertd.credentials.asking import Exchanges, Heard, StalledSince
from alertd.credentials.classify import Ruling, ruling
from alertd.credentials.connect import open_session, trust
from alertd.credentials.limits import Limits
from alertd.credentials.quirks import EXCHANGES
from alertd.credentials.quirks.generic import generic
from alertd.credentials.quirks.shape import Answer, Call, Quirks, Site, everything
from alertd.model import Permissions, Reason, Secret

__all__ = ["Exchanges", "open_exchanges", "wallet_address"]

log = structlog.get_logger(__name__)

READ_LIMIT: Final = 1 << 20
# What an answer of an odd shape does to a driver.
ODD: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
UNSIGNABLE: Final = (ccxt.AuthenticationError, ccxt.ArgumentsRequired, UnsupportedAlgorithm, *ODD)


BROKEN: Final = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ServerConnectionError, "disconnected"),
    (aiohttp.ClientPayloadError, "truncated"),
)


class _Silence(Exception):
    """No complete answer arrived; the text is one word for operators."""


class _Unsignable(Exception):
    """The secret cannot be signed with; nothing was sent."""


class _Driver(ccxt.Exchange):  # type: ignore[misc]
    """Put in front of a class of ccxt: does the request itself, and remembers its answer for one check."""

    answer: Answer | None = None
    raised: tuple[str, ...] = ()
    exchange_seconds = 0.0

    def start(self) -> None:
        """Forgets the call before."""
        self.answer, self.raised, self.exchange_seconds = None, (), 0.0

    def check_required_credentials(self, *_: object) -> bool:
        """An entry's `needs` were checked before."""
        return True

    def sign(self, *args: Any, **options: Any) -> Any:
        try:
            return super().sign(*args, **options)
        except UNSIGNABLE as fault:
            raise _Unsignable from fault

    async def fetch2(
        self, path: str, api: Any = ("public",), method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        """ccxt's own throttles, retries and caches, which is all done elsewhere here."""
        del config
        signed = self.sign(path, api, method, params or {})
        return await self.fetch(signed["url"], signed["method"], signed["headers"], signed["body"])

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """Redirects are not followed: they would carry the key to wherever the answer says."""
        headers = self.prepare_request_headers(headers)
        self.answer, self.raised = None, ()
        began = perf_counter()
        try:
            async with self.session.request(
                method,
                URL(url, encoded=True),
                data=body.encode() if body else None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                text = (await _bounded(response)).decode(errors="replace").strip()
        except (aiohttp.ClientError, OSError) as fault:
            raise _Silence(_what_broke(fault)) from fault
        finally:
            self.exchange_seconds += perf_counter() - began
        parsed = self.parse_json(text)
        self.answer = Answer(response.status, response.headers, text, parsed)
        self._judge(response, url, method, text, parsed, headers, body)
        return text if parsed is None else parsed

    def _judge(self, response: aiohttp.ClientResponse, url: str, method: str, text: str, *rest: Any) -> None:
        """Lets ccxt raise; what its driver says is worth more than what it makes of a bare status."""
        status, reason = response.status, response.reason or ""
        try:
            self.handle_errors(status, reason, url, method, response.headers, text, *rest)
        except ccxt.BaseError as fault:
            self.raised = tuple(ancestor.__name__ for ancestor in type(fault).__mro__)
            raise
        self.handle_http_status_code(status, reason, url, method, text)

    @staticmethod
    def urlencode(params: Any, *rest: Any) -> str:
        """ccxt's, but for numbers alone, of which most signed reads consist: they need no quoting."""
        if all(type(value) is int and name.isascii() and name.isalnum() for name, value in params.items()):
            return "&".join([f"{name}={value}" for name, value in params.items()])
        return str(ccxt.Exchange.urlencode(params, *rest))

    @staticmethod
    def rsa(request: str, secret: str, alg: str = "sha256", padding_mode: str = "pkcs1") -> str:
        """ccxt loads and validates the key for every request, which takes 32 ms."""
        key = _private_key(secret)
        if isinstance(key, Ed25519PrivateKey):
            return b64encode(key.sign(request.encode())).decode()
        if not isinstance(key, RSAPrivateKey) or (alg, padding_mode) != ("sha256", "pkcs1"):
            raise ValueError("not a key that can sign here")
        return b64encode(key.sign(request.encode(), PKCS1v15(), SHA256())).decode()

    def __del__(self) -> None:
        """ccxt would log, for every copy, that a session is left open; it is not theirs."""


@functools.lru_cache(maxsize=1024)
def _private_key(pem: str) -> object:
    return load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)


def wallet_address(private_key: str) -> str:
    """The address, in lower case, that a private key in hexadecimal signs for; ValueError where it is none."""
    return str(ccxt.Exchange.eth_get_address_from_private_key(private_key))


def _over(permissions: Permissions, now: datetime) -> bool:
    return permissions.expires_at is not None and permissions.expires_at <= now


def _what_broke(fault: Exception) -> str:
    return next((word for kind, word in BROKEN if isinstance(fault, kind)), "broken")


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut off where it is larger than any answer that we could use."""
    content = response.content
    body = await content.readany()
    while len(body) <= READ_LIMIT and not content.at_eof():
        body += await content.readany()
    return body[:READ_LIMIT]


@dataclass(frozen=True, slots=True)
class Place:
    """One exchange, live or testnet. Of `kind`, which holds all that checks share, there is one driver to a check."""

    quirks: Quirks
    calls: tuple[Call, ...]
    kind: Any
    options: Mapping[str, Any]
    semaphore: asyncio.Semaphore
    now: Callable[[], datetime]

    def check(self, secret: Secret) -> "_Check":
        """A driver for one check. Its options are its own: ccxt notes in them who has authenticated before."""
        if self.quirks.wallet:
            secret = replace(secret, api_secret=wallet_address(secret.api_secret))
        driver = object.__new__(self.kind)
        driver.options = dict(self.options)
        driver.headers = dict(self.kind.headers)
        for name, value in self.quirks.credentials(secret).items():
            setattr(driver, name, value)
        return _Check(self.quirks, driver, secret, self.now)


@dataclass(frozen=True, slots=True)
class _Check:
    """One key on its way through an exchange's calls: the same driver for all of them, as nonces must rise."""

    quirks: Quirks
    driver: Any
    secret: Secret
    now: Callable[[], datetime]

    async def hear(self, call: Call, earlier: tuple[object, ...]) -> Heard:
        driver, secret = self.driver, self.secret
        driver.start()
        signed_at = self.now()
        permissions: Permissions | None = None
        refusal: Ruling | None = None
        body: object = None
        try:
            body = await getattr(driver, call.method)(dict(call.params(secret, earlier)))
            if call.mine is not everything and driver.answer.body is not None:
                body = call.mine(body, secret)
                driver.answer = replace(driver.answer, body=body, text="")
            permissions = self._good(call, body)
            if permissions is not None and call.lapses and _over(permissions, self.now()):
                permissions, refusal = None, Ruling(Reason.EXPIRED, f"http {driver.answer.status}")
        except _Silence as silence:
            refusal = Ruling(Reason.NETWORK, str(silence))
        except _Unsignable:
            refusal = Ruling(Reason.BAD_SECRET, "")
        except Exception as fault:  # noqa: BLE001 - around a request
            if driver.answer is None or not isinstance(fault, (ccxt.BaseError, *ODD)):
                _log_bug(self.quirks.id, fault)
                refusal = Ruling(Reason.INTERNAL_ERROR, "")
        if permissions is None and refusal is None:
            refusal = ruling(self.quirks, driver.answer, driver.raised, self.now(), signed_at=signed_at)
        return Heard(driver.exchange_seconds, permissions, body, refusal)

    def _good(self, call: Call, body: object) -> Permissions | None:
        if not 200 <= self.driver.answer.status < 300:
            return None
        found, left = call.good(body), call.lasts(body)
        return found if found is None or left is None else replace(found, expires_at=self.now() + left)


@asynccontextmanager
async def open_exchanges(
    settings: Settings,
    *,
    limits: Limits,
    now: Callable[[], datetime],
    stalled_since: StalledSince,
) -> AsyncIterator[Exchanges]:
    """Shared connections for all exchanges; those with `connect_to` have a pool of their own."""
    context = trust()
    async with AsyncExitStack() as stack:
        # Also those of settings that were replaced: checks under way hold on to theirs, and idle ones cost nothing.
        sessions: dict[tuple[str | None, float], aiohttp.ClientSession] = {}

        def session_of(detour: str | None, timeout: float) -> aiohttp.ClientSession:
            if (detour, timeout) not in sessions:
                opened = open_session(context=context, timeout_seconds=timeout, connect_to=detour)
                stack.push_async_callback(opened.close)
                sessions[detour, timeout] = opened
            return sessions[detour, timeout]

        def build(chosen: Settings, exchange: str, site: Site) -> Place | None:
            session = session_of(chosen.exchange(exchange).connect_to, chosen.credentials.timeout_seconds)
            return place(exchange, chosen, session=session, context=context, site=site, now=now)

        yield Exchanges(settings, limits=limits, now=now, build=build, stalled_since=stalled_since)


def place(
    exchange: str,
    settings: Settings,
    *,
    session: aiohttp.ClientSession,
    context: ssl.SSLContext,
    site: Site,
    now: Callable[[], datetime],
) -> Place | None:
    """None where this version of ccxt, or this environment of the exchange, cannot be asked."""
    quirks = EXCHANGES.get(exchange) or _generic(exchange)
    if quirks is None or not quirks.calls(site):
        return None
    driver = getattr(ccxt, quirks.driver or exchange, None)
    if driver is None:
        return None
    template = type(driver.__name__, (_Driver, driver), {})(
        {
            "session": session,
            "ssl_context": context,
            "enableRateLimit": False,
            "enableLastHttpResponse": False,
            "enableLastResponseHeaders": False,
        }
    )
    if site is Site.TESTNET:
        template.set_sandbox_mode(True)
    # Never None, or a driver fetches 8 MB of markets first.
    template.markets = {}
    own = settings.exchange(exchange)
    options = {**template.options, **quirks.options, **own.options}
    return Place(quirks, quirks.calls(site), _kind(template), options, asyncio.Semaphore(own.concurrency), now)


def _kind(template: Any) -> Any:
    """A class with all that the instance has, to be had for nothing; an instance of ccxt is 9 KB to copy."""
    own = {name: staticmethod(value) if callable(value) else value for name, value in vars(template).items()}
    return type(type(template).__name__, (type(template),), own)


def _generic(exchange: str) -> Quirks | None:
    if exchange not in ccxt.exchanges:
        return None
    driver = getattr(ccxt, exchange)()
    required = frozenset(name for name, needed in driver.requiredCredentials.items() if needed)
    return generic(exchange, required) if driver.has.get("fetchBalance") is True else None


def _log_bug(exchange: str, fault: BaseException) -> None:
    """Class and place only: the text of an exception may be a signed URL."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("Exchange check failed in our own code", exchange=exchange, fault=type(fault).__name__, where=where)
