"""A bounded memory of secrets that were read, each with the version it had. Pure: time is a parameter."""

from collections import OrderedDict
from typing import Final

from alertd.model import CredentialRef, Secret

CAPACITY: Final = 10_000


class Cache:
    """Times are seconds on any clock that never runs backwards."""

    def __init__(self, *, ttl_seconds: float, capacity: int = CAPACITY) -> None:
        self._ttl_seconds = ttl_seconds
        self._capacity = capacity
        self._entries: OrderedDict[CredentialRef, tuple[float, Secret]] = OrderedDict()

    def get(self, ref: CredentialRef, *, at: float) -> Secret | None:
        stored = self._entries.get(ref)
        if stored is None:
            return None
        stored_at, secret = stored
        if at - stored_at < self._ttl_seconds:
            return secret
        self.drop(ref)
        return None

    def put(self, ref: CredentialRef, secret: Secret, *, at: float) -> None:
        """Makes room by dropping what was stored longest ago."""
        self._entries.pop(ref, None)
        self._entries[ref] = (at, secret)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def drop(self, ref: CredentialRef) -> None:
        self._entries.pop(ref, None)

    def drop_unless(self, ref: CredentialRef, *, version: str) -> None:
        stored = self._entries.get(ref)
        if stored is not None and stored[1].version != version:
            self.drop(ref)
