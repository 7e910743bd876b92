"""A tenant's webhook receiver as it should be: verifies every request, tells repeats apart by `webhook-id`."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

PREFIX = "X-AlphaPulse"


@dataclass(frozen=True, slots=True)
class Received:
    """One request that arrived. `verified` holds only if both signatures do; `body` is {} otherwise."""

    path: str
    event_id: str
    body: Mapping[str, Any]
    verified: bool
    problem: str = ""


class Receiver:
    """Takes requests for any path; `secret_of` knows the secret of a path, `heard` gets each request."""

    def __init__(self, secret_of: Callable[[str], str], heard: Callable[[Received], None]) -> None:
        self._secret_of = secret_of
        self._heard = heard

    async def handle(self, request: web.Request) -> web.Response:
        """Answers 204 to what is authentic, 401 to the rest."""
        raw = await request.read()
        received = verified(request.path, dict(request.headers), raw, self._secret_of(request.path))
        self._heard(received)
        if not received.verified:
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text=received.problem)
        return web.Response(status=HTTPStatus.NO_CONTENT)


def verified(path: str, headers: Mapping[str, str], raw: bytes, secret: str) -> Received:
    """Check a request with the public library of Standard Webhooks and with the published header."""
    folded = {name.lower(): value for name, value in headers.items()}
    event_id = folded.get("webhook-id", "")
    try:
        Webhook(secret).verify(raw, folded)
    except (WebhookVerificationError, ValueError) as exc:
        return Received(path, event_id, {}, verified=False, problem=f"webhook-signature: {exc}")
    expected = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, folded.get(f"{PREFIX.lower()}-signature", "")):
        return Received(path, event_id, {}, verified=False, problem=f"{PREFIX}-Signature does not match")
    return Received(path, event_id, json.loads(raw), verified=True)


@asynccontextmanager
async def listening(receiver: Receiver, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve the receiver; yields the port. Raises OSError if the port is taken."""
    application = web.Application()
    application.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
