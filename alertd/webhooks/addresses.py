"""Which addresses a receiver may have: an explicit table of forbidden networks. Pure.

`ipaddress.is_global` is no guard: it calls multicast, tunnels, Azure's host service and whole
reserved blocks global, and changes between patch releases. IPv6 is the other way round, closed
but for global unicast. An address that carries an IPv4 address inside must pass for both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORBIDDEN: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),  # Azure's host service has a public-looking address
        ("169.254.0.0/16", "link-local"),  # metadata services of most clouds live here
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        # inside 2000::/3, the only part of IPv6 that is open
        ("2001::/32", "Teredo tunnel"),
        ("2001::/23", "protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4 tunnel"),
        ("3ffe::/16", "6bone"),
        ("3fff::/20", "documentation"),
        # outside of it; closed anyway, named for the message
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::ffff:0:0:0/96", "IPv4-translated"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
UNICAST: Final = IPv6Network("2000::/3")

# Where an IPv6 network keeps an IPv4 address: how many bits stand to the right of it.
EMBEDDING: Final = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("::/96"), 0),  # but for ::1 and ::, which are what they are
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
    (IPv6Network("2001::/32"), 64),  # the Teredo server; its client is below
)
TEREDO: Final = IPv6Network("2001::/32")
ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. `ports` empty: any.

    `allow_cidrs` opens forbidden networks, but never `own`: the addresses and ports at which our
    admin server and our database listen.
    """

    allow_cidrs: tuple[Network, ...] = ()
    allow_http: bool = False
    ports: frozenset[int] = frozenset({443, 8443})
    own: frozenset[tuple[Address, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an address may not be connected to; the text ends a sentence: "this address is ..."."""

    address: Address
    why: str


def allowed(address: Address, port: int, policy: Policy) -> Refusal | None:
    """None: go ahead. With a wrapped address the wrapper and what is inside must both pass."""
    if policy.ports and port not in policy.ports:
        return Refusal(address, "on a port that is not allowed")
    for face in _faces(address):
        if _is_own(face, port, policy.own):
            return Refusal(address, "alertd's own")
        if not any(face in network for network in policy.allow_cidrs):
            why = _forbidden(face)
            if why is not None:
                return Refusal(address, f"forbidden ({why})")
    return None


def parse_address(text: str) -> Address | None:
    """The numeric address in a URL's host or a socket's name, if it is one; a zone is dropped."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _faces(address: Address) -> Iterator[Address]:
    """The address itself and every IPv4 address it carries."""
    yield address
    if isinstance(address, IPv4Address) or int(address) <= 1:
        return
    number = int(address)
    for network, shift in EMBEDDING:
        if address in network:
            yield IPv4Address((number >> shift) & 0xFFFF_FFFF)
    if address in TEREDO:
        yield IPv4Address(~number & 0xFFFF_FFFF)
    if (number >> 32) & 0xFFFF_FFFF in ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)


def _forbidden(address: Address) -> str | None:
    for network, why in FORBIDDEN:
        if address in network:
            return why
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return "not global unicast"
    return None


def _is_own(address: Address, port: int, own: frozenset[tuple[Address, int]]) -> bool:
    """A server on one loopback address may well listen on all of them."""
    return any(
        port == own_port and (address == owner or (_is_here(address) and _is_here(owner))) for owner, own_port in own
    )


def _is_here(address: Address) -> bool:
    return address.is_loopback or address.is_unspecified
