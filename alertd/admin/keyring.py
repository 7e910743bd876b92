"""Whose key is this? Asked at every request, so that a revoked key is of no use from that moment on."""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.admin import store
from alertd.admin.access import Identity, Role
from alertd.admin.keys import digest, lookup_of
from alertd.admin.store import StoredKey
from alertd.config.admin import AdminKeys
from alertd.db import Db
from alertd.errors import Transient

# `last_used_at` is no more exact than this, so that busy keys do not cause a write for every request.
USED_EVERY: Final = timedelta(minutes=1)

_CONFIGURED_ROLES: Final[Mapping[str, Role]] = {
    "admin": Role.ADMIN,
    "master": Role.ADMIN,
    "operator": Role.OPERATOR,
    "viewer": Role.VIEWER,
}
_NOTHING: Final = bytes(32)


class Keyring:
    """The keys of the settings and those of the database. Raises Transient when the database cannot be asked."""

    def __init__(self, db: Db, *, pepper: bytes, configured: AdminKeys) -> None:
        self._db = db
        self._pepper = pepper
        self._configured = _digests(configured, pepper)
        self._used: dict[str, datetime] = {}

    def adopt(self, configured: AdminKeys) -> None:
        """These are the keys of the settings from now on, and no others."""
        self._configured = _digests(configured, self._pepper)

    @property
    def configured(self) -> tuple[Identity, ...]:
        """Who has a key by the settings."""
        return tuple(self._of_settings(user) for user in self._configured)

    async def of_key(self, text: str, now: datetime) -> Identity | None:
        """The owner of a key that works now."""
        given = digest(text, self._pepper)
        # All are compared, and all for as long, so that the time taken says nothing.
        fitting = [user for user, kept in self._configured.items() if hmac.compare_digest(kept, given)]
        if fitting:
            return self._seen(fitting[0], now)
        lookup = lookup_of(text)
        key = None if lookup is None else await store.key_by_lookup(self._db, lookup)
        fits = hmac.compare_digest(_NOTHING if key is None else key.digest, given)
        return await self._admitted(key, now) if key is not None and fits else None

    async def of_ref(self, ref: str, now: datetime) -> Identity | None:
        """The owner of the key behind a token, if that key still works; `ref` is an `Identity.key_ref`."""
        kind, _, name = ref.partition(":")
        if kind == "settings":
            return next((self._seen(who.user_id, now) for who in self.configured if who.key_ref == ref), None)
        try:
            key = await store.key_by_id(self._db, UUID(name))
        except ValueError:
            return None
        return None if key is None else await self._admitted(key, now)

    async def _admitted(self, key: StoredKey, now: datetime) -> Identity | None:
        if not key.works(now):
            return None
        if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
            with suppress(Transient):  # a full disk must not keep out those who come to see why
                await store.touch_key(self._db, key.id, now)
        return Identity(
            user_id=str(key.id),
            username=key.name,
            role=key.role,
            key_ref=f"key:{key.id}",
            tenant_id=key.tenant_id,
            lookup=key.lookup,
            last_used=key.last_used_at or now,
        )

    def _seen(self, user: str, now: datetime) -> Identity:
        self._used[user] = now
        return self._of_settings(user)

    def _of_settings(self, user: str) -> Identity:
        # With the digest in it, a token dies when the setting changes.
        ref = f"settings:{user}:{self._configured[user].hex()[:16]}"
        return Identity(user, user, _CONFIGURED_ROLES[user], ref, last_used=self._used.get(user))


def _digests(configured: AdminKeys, pepper: bytes) -> dict[str, bytes]:
    given = {user: getattr(configured, user) for user in _CONFIGURED_ROLES}
    return {user: digest(secret.get_secret_value(), pepper) for user, secret in given.items() if secret is not None}
