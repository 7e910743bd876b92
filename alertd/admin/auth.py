"""The gate: who sent this request, and may they do that? Nobody passes by default.

Everything that is wrong with a key or a token is the same 401; the cause is for the log.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from aiohttp import hdrs, web

from alertd import metrics
from alertd.admin.access import ANONYMOUS, Identity, Needed, Role
from alertd.admin.keyring import Keyring
from alertd.admin.keys import lookup_of
from alertd.admin.limits import Buckets, Recent, neighbourhood, whole_seconds
from alertd.admin.tokens import Issued, Tokens
from alertd.config.admin import AdminKeys

log = structlog.get_logger(__name__)

# Whoever uses an open route while authentication is on; belongs to no tenant that exists.
STRANGER: Final = Identity("nobody", "nobody", Role.TENANT, None, tenant_id=UUID(int=0))

_MOST_CHARACTERS: Final = 8192


@dataclass(frozen=True, slots=True)
class Limits:
    """How many wrong keys are looked at before somebody must wait."""

    login: Buckets = field(default_factory=lambda: Buckets(burst=20, every=timedelta(seconds=3)))
    address: Buckets = field(default_factory=lambda: Buckets(burst=300, every=timedelta(seconds=1)))
    key: Buckets = field(default_factory=lambda: Buckets(burst=300, every=timedelta(seconds=1)))


class Gate:
    """Lets requests in. `enabled` false: everybody is an admin, as the settings wanted."""

    def __init__(
        self,
        keyring: Keyring,
        tokens: Tokens,
        *,
        now: Callable[[], datetime],
        key_header: str,
        enabled: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self.keyring = keyring
        self.enabled = enabled
        self._tokens = tokens
        self._now = now
        self._key_header = key_header
        self.limits = limits or Limits()
        self._known = Recent()

    def adopt(self, configured: AdminKeys, tokens: Tokens, *, key_header: str, enabled: bool) -> None:
        """Other settings, for the next request on. Tokens that another secret signed are of no use then."""
        self.keyring.adopt(configured)
        self._tokens = tokens
        self._key_header = key_header
        self.enabled = enabled

    async def admit(self, request: web.Request, needed: Needed, *, peer: str, tenant_scoped: bool = False) -> Identity:
        """Who this is. Raises 401, 403, or 429 after too many wrong keys."""
        if not self.enabled:
            return ANONYMOUS
        if needed is None:
            return STRANGER
        text, is_token = self._credential(request)
        who = await self._known_or_limited(text, peer, self.limits.address, is_token=is_token)
        if not who.may(needed, tenant_scoped=tenant_scoped):
            raise web.HTTPForbidden(text=f"This key may not do that; it needs {needed}.")
        return who

    async def log_in(self, api_key: str, *, peer: str) -> tuple[Identity, Issued]:
        """A token for a key. Raises 400 while there is nothing to log in to, 401, or 429."""
        if not self.enabled:
            raise web.HTTPBadRequest(text="Authentication is switched off; no token is needed.")
        who = await self._known_or_limited(api_key, peer, self.limits.login, is_token=False)
        return who, self._tokens.issue(who, self._now())

    def _credential(self, request: web.Request) -> tuple[str, bool]:
        """What the request shows, and whether that is a token. Raises 401 for nothing, or too much."""
        keys = request.headers.getall(self._key_header, [])
        authorizations = request.headers.getall(hdrs.AUTHORIZATION, [])
        if len(keys) + len(authorizations) != 1:
            raise unauthorized("One key or one token is needed, in one header.")
        if keys:
            return keys[0], False
        scheme, _, text = authorizations[0].partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized()
        # Machines that know no other header, such as Prometheus, send their key as a bearer.
        return text.strip(), "." in text and lookup_of(text.strip()) is None

    async def _known_or_limited(self, text: str, peer: str, address: Buckets, *, is_token: bool) -> Identity:
        """One who was let in before is not kept out by somebody who guesses at the same address."""
        now = self._now()
        mark = hashlib.sha256(f"{peer}\0{text}".encode(errors="replace")).digest()
        names = [(address, neighbourhood(peer))]
        if (lookup := lookup_of(text)) is not None:
            names.append((self.limits.key, lookup))
        if mark not in self._known:
            _refuse_while(max(buckets.wait(name, now) for buckets, name in names))
        who = await self._identify(text, now, is_token=is_token)
        if who is None:
            for buckets, name in names:
                buckets.take(name, now)
            metrics.REFUSED_KEYS.inc()
            log.info("Key or token refused", peer=peer, lookup=lookup)
            self._known.forget(mark)
            raise unauthorized()
        self._known.add(mark)
        return who

    async def _identify(self, text: str, now: datetime, *, is_token: bool) -> Identity | None:
        if len(text) > _MOST_CHARACTERS:
            return None
        if not is_token:
            return await self.keyring.of_key(text, now)
        claims = self._tokens.read(text, now)
        return None if claims is None else await self.keyring.of_ref(claims.key, now)


def unauthorized(text: str | None = None) -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(text=text, headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="alertd"'})


def _refuse_while(wait: timedelta) -> None:
    if wait > timedelta():
        raise web.HTTPTooManyRequests(
            text="Too many wrong keys from here; wait as long as Retry-After says.",
            headers={hdrs.RETRY_AFTER: str(whole_seconds(wait))},
        )
