"""Where a request comes from and where it wants to go: proxies are believed only if they are ours.

A browser on an admin's machine can be made to send requests to a loopback address under a foreign
name; so the name must be one of ours. An address instead of a name cannot be faked in that way.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from alertd.config.admin import AdminSettings
from alertd.config.kinds import Network

LOOPBACK_NAMES: Final = frozenset({"localhost", "ip6-localhost"})
LOCAL: Final = "local"  # the peer behind a UNIX socket

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_HOPS: Final = 32


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Which names are served, and which proxies are believed."""

    allowed_hosts: Collection[str] = LOOPBACK_NAMES
    trusted_proxies: Collection[Network] = ()


def peer_of(remote: str | None, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """The nearest address that is not a proxy of ours; `forwarded` are the X-Forwarded-For headers, in order."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")][-_MOST_HOPS:]
    peer = _plain(remote or LOCAL)
    while hops and _is_among(peer, trusted):
        hop = _plain(hops.pop().removeprefix("[").partition("]")[0])
        if not _is_address(hop):
            break  # then the proxy itself is all we know
        peer = hop
    return peer


def neighbours_of(settings: AdminSettings) -> Neighbours:
    return Neighbours(
        allowed_hosts=LOOPBACK_NAMES | {settings.host.lower()} | set(settings.allowed_hosts),
        trusted_proxies=settings.trusted_proxies if settings.behind_proxy else (),
    )


def check_host(request: web.Request, allowed: Collection[str]) -> None:
    """Raises 421 for a name that is not ours, and 400 for no name at all in HTTP/1.1."""
    given = request.headers.getall(hdrs.HOST, [])
    if not given and request.version < (1, 1):
        return
    name = _name(given[0]) if len(given) == 1 else None
    if name is None:
        raise web.HTTPBadRequest(text="One Host header with a host is needed.")
    if name not in allowed and not _is_address(name):
        raise web.HTTPMisdirectedRequest


def check_origin(request: web.Request) -> None:
    """Raises 403 when a browser changes something on behalf of a page that is not ours."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get(hdrs.HOST, "").lower():
        raise web.HTTPForbidden(text="Pages of other origins may not change anything here.")


def _name(host: str) -> str | None:
    """Without port and brackets, in small letters."""
    try:
        return URL(f"http://{host}").host if set(host).isdisjoint("/?#@\\") else None
    except ValueError:
        return None


def _plain(text: str) -> str:
    """A socket for both families shows an IPv4 address as an IPv6 one; here it is what it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return text if mapped is None else str(mapped)


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_among(peer: str, networks: Collection[Network]) -> bool:
    if not _is_address(peer):
        return False
    address = ip_address(peer.partition("%")[0])
    return any(address.version == network.version and address in network for network in networks)
