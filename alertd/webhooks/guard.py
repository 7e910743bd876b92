"""Asks `addresses.allowed` wherever an address comes up: in a URL that is saved, in the answer of the
name servers, and once more at each connect, where the numeric address can no longer change.

The URL keeps its name, so Host, SNI and certificate checks are untouched. A name of which only one
address is forbidden is refused outright.
"""

import contextlib
import re
import socket
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from alertd.config import WebhookSettings
from alertd.webhooks.addresses import Address, Policy, Refusal, allowed, parse_address
from alertd.webhooks.dns import LookupFailed, Names

LONGEST_URL: Final = 2048
DNS_SECONDS: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 3.0  # below what receivers use (Node: 5 s), or we race their closing
NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
NUMERIC: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")

# The numeric address that the request of this task goes to, for the delivery log.
CONNECTED: Final[ContextVar[str | None]] = ContextVar("CONNECTED", default=None)


class RefusedAddress(OSError):
    """The guard said no. Travels through the HTTP client as the reason of a failed connect."""


@dataclass(frozen=True, slots=True)
class Review:
    """A URL as it should be saved, what forbids saving it, and what its owner should know."""

    url: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def policy_of(settings: WebhookSettings, own: frozenset[tuple[Address, int]]) -> Policy:
    """What the settings allow; `own` is never connected to."""
    return Policy(allow_cidrs=settings.allow_cidrs, allow_http=settings.allow_http, ports=settings.ports, own=own)


def check_url(url: str, policy: Policy) -> list[str]:
    """What is wrong with a URL, without asking anybody; the texts never repeat the URL."""
    problems = check_form(url, policy)
    if problems:
        return problems
    host, port = _target(URL(url))
    address = parse_address(host)
    refusal = None if address is None else _refused(address, port, policy)
    return [] if refusal is None else [_spoken(refusal)]


def check_form(url: str, policy: Policy) -> list[str]:
    """The part of `check_url` that does not judge addresses; at sending, the connect judges those."""
    if len(url) > LONGEST_URL:
        return [f"is longer than {LONGEST_URL} characters"]
    if not url.isprintable() or any(character in url for character in ' \\"<>^`{|}'):
        return ["holds a space, a backslash or another character that a URL must not hold"]
    try:
        parsed = URL(url)
        authority = urlsplit(url).netloc
    except ValueError:
        return ["is not a URL"]
    return [
        *_scheme_problems(parsed, policy),
        *_authority_problems(parsed, authority),
        *_host_problems(*_target(parsed), policy),
    ]


async def review_url(url: str, policy: Policy, names: Names, *, timeout_seconds: float = DNS_SECONDS) -> Review:
    """Check a URL before it is saved, its name's addresses included.

    A name that does not resolve just now is a note, not a problem: the name servers may be down, and
    every attempt checks again.
    """
    problems = check_url(url, policy)
    if problems:
        return Review(url, tuple(problems))
    host, port = _target(URL(url))
    saved = str(URL(url))
    if parse_address(host) is not None:
        return Review(saved)
    try:
        found = await names.addresses(host, timeout_seconds=timeout_seconds)
    except LookupFailed:
        return Review(saved, notes=("the name does not resolve at the moment; each attempt looks again",))
    refusal = _first_refusal(found, port, policy)
    return Review(saved, () if refusal is None else (_spoken(refusal),))


async def own_addresses(servers: Iterable[tuple[str, int]], names: Names) -> frozenset[tuple[Address, int]]:
    """For `Policy.own`: the addresses of (host, port) pairs; hosts may be names or numeric.

    What is no network address (a socket's path, a name that does not resolve) is left out.
    """
    own: set[tuple[Address, int]] = set()
    for host, port in servers:
        literal = parse_address(host)
        if literal is not None:
            own.add((literal, port))
        elif NAME.fullmatch(host.lower()):
            with contextlib.suppress(LookupFailed):
                found = await names.addresses(host, timeout_seconds=DNS_SECONDS)
                own.update((address, port) for address in found)
    return frozenset(own)


def open_connector(policy: Policy, names: Names, ssl: SSLContext) -> aiohttp.TCPConnector:
    """The only way out: aiohttp's connector with the guard at the name lookup and at each connect."""
    return _Connector(
        ssl=ssl,
        resolver=_Resolver(policy, names),
        use_dns_cache=False,
        socket_factory=lambda info: _checked_socket(info, policy),
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        limit=0,  # the sender bounds what is in flight
    )


class _Connector(aiohttp.TCPConnector):
    """Also remembers where a request went, for the log; a reused connection has an address too."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[aiohttp.tracing.Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            peer = connection.transport.get_extra_info("peername")
            CONNECTED.set(peer[0] if peer else None)
        return connection


class _Resolver(AbstractResolver):
    """Not asked for literal addresses, hence only the first of two checks; it sees whole answers."""

    def __init__(self, policy: Policy, names: Names) -> None:
        self._policy = policy
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._names.addresses(host, timeout_seconds=DNS_SECONDS)
        refusal = _first_refusal(found, port, self._policy)
        if refusal is not None:
            raise RefusedAddress(_spoken(refusal))
        wanted = (address for address in found if family in (socket.AF_UNSPEC, _family(address)))
        return [_resolved(host, address, port) for address in wanted]

    async def close(self) -> None:
        """The names belong to whoever opened them."""


def _scheme_problems(parsed: URL, policy: Policy) -> Iterable[str]:
    if parsed.scheme == "http" and not policy.allow_http:
        yield "must start with https://"
    elif parsed.scheme not in ("http", "https"):
        yield "must start with https://" + (" or http://" if policy.allow_http else "")


def _authority_problems(parsed: URL, authority: str) -> Iterable[str]:
    """What two parsers could read differently is refused rather than guessed."""
    if "@" in authority:
        yield "must not hold a user name or password; a header can carry them"
    if "%" in authority:
        yield "must not hold percent signs in the host name"
    if parsed.fragment:
        yield "must not hold a fragment (#...)"


def _host_problems(host: str, port: int, policy: Policy) -> Iterable[str]:
    if not host:
        yield "has no host name"
        return
    if policy.ports and port not in policy.ports:
        yield f"must use one of the ports {', '.join(map(str, sorted(policy.ports)))}"
        return
    if port == 0:
        yield "must not use port 0"
        return
    if parse_address(host) is not None:
        return
    if NUMERIC.fullmatch(host.rpartition(".")[2]):
        yield "must write an IPv4 address as four decimal numbers"
    elif len(host) > 253 or not NAME.fullmatch(host):
        yield "has no proper host name"


def _checked_socket(info: aiohttp.connector.AddrInfoType, policy: Policy) -> socket.socket:
    family, kind, protocol, _, target = info
    address = parse_address(str(target[0]))
    if address is None:
        raise RefusedAddress("not a numeric address")
    refusal = _refused(address, int(target[1]), policy)
    if refusal is not None:
        raise RefusedAddress(_spoken(refusal))
    return socket.socket(family, kind, protocol)


def _first_refusal(addresses: Sequence[Address], port: int, policy: Policy) -> Refusal | None:
    refusals = (_refused(address, port, policy) for address in addresses)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _refused(address: Address, port: int, policy: Policy) -> Refusal | None:
    """A server of ours that listens on loopback or everywhere is also behind our other addresses."""
    refusal = allowed(address, port, policy)
    if refusal is None and any(port == own for _, own in policy.own) and _is_local(address, port):
        return Refusal(address, "alertd's own")
    return refusal


def _is_local(address: Address, port: int) -> bool:
    """Whether this machine would talk to itself. Asks the routing table; nothing is sent."""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), port))
            return parse_address(str(probe.getsockname()[0])) == address
        except OSError:
            return False


def _resolved(host: str, address: Address, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=_family(address),
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6


def _target(parsed: URL) -> tuple[str, int]:
    return parsed.raw_host or "", parsed.port or 0


def _spoken(refusal: Refusal) -> str:
    """Without the address: what a name means inside our network is nobody's business."""
    return f"leads to an address that is {refusal.why}"
