"""How often somebody may do what costs others: a bucket for each name, forgotten in turn when there are too many."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

MOST_BUCKETS: Final = 10_000
_SHARED_PREFIX: Final = 64  # one line of IPv6 has this many addresses below it


@dataclass(slots=True)
class Buckets:
    """`burst` at once (wrong keys of an address, checks of a tenant), then one more each `every`.

    Keeps one time for each name: until when what it took would be spent at one each `every`.
    """

    burst: int
    every: timedelta
    most: int = MOST_BUCKETS
    _spent_until: OrderedDict[str, datetime] = field(default_factory=OrderedDict)

    def wait(self, name: str, now: datetime) -> timedelta:
        """How long this name must wait; zero: not at all."""
        spent_until = self._spent_until.get(name, now)
        return max(timedelta(), spent_until - now - self.every * (self.burst - 1))

    def take(self, name: str, now: datetime, *, times: int = 1) -> None:
        self._spent_until[name] = max(self._spent_until.get(name, now), now) + self.every * times
        self._spent_until.move_to_end(name)
        while len(self._spent_until) > self.most:
            self._spent_until.popitem(last=False)

    def __len__(self) -> int:
        return len(self._spent_until)


@dataclass(slots=True)
class Recent:
    """The marks that were used last, up to `most`."""

    most: int = MOST_BUCKETS
    _marks: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def add(self, mark: bytes) -> None:
        self._marks[mark] = None
        self._marks.move_to_end(mark)
        while len(self._marks) > self.most:
            self._marks.popitem(last=False)

    def forget(self, mark: bytes) -> None:
        self._marks.pop(mark, None)

    def __contains__(self, mark: bytes) -> bool:
        return mark in self._marks


def neighbourhood(peer: str) -> str:
    """What shares one bucket: an IPv4 address, or the network that one IPv6 customer has."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _SHARED_PREFIX << _SHARED_PREFIX))
    return str(address)


def whole_seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
