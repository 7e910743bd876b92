"""The tenants' channel: a signed POST."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import alertd
from alertd.config import Settings
from alertd.webhooks.message import Endpoint, Message
from alertd.webhooks.post import Poster, Request
from alertd.webhooks.requirements import header_problems
from alertd.webhooks.retry import Outcome
from alertd.webhooks.signing import headers


@dataclass(slots=True)
class SignedWebhook:
    """`prefix` begins the names of the published headers."""

    poster: Poster
    prefix: str

    async def ready_for(self, settings: Settings) -> Callable[[], None]:
        def adopt() -> None:
            self.prefix = settings.webhooks.header_prefix

        return adopt

    async def send(self, message: Message, endpoint: Endpoint, at: datetime) -> Outcome:
        return await self.poster.post(render(message, endpoint, at, self.prefix), at=at)


def render(message: Message, endpoint: Endpoint, at: datetime, prefix: str) -> Request:
    """Raises ValueError when the endpoint has no secret to sign with.

    The tenant's headers are judged again: a row that did not come through our API cannot replace a
    signature or smuggle a second request.
    """
    own = {name: value for name, value in endpoint.headers.items() if not header_problems({name: value}, prefix)}
    signed = headers(
        secret=endpoint.secret,
        next_secret=endpoint.next_secret,
        event_id=message.id,
        event_type=message.type,
        body=message.body,
        at=at,
        prefix=prefix,
    )
    if message.left_out:
        signed[f"{prefix}-Left-Out"] = str(message.left_out)
    fixed = {"Content-Type": "application/json", "User-Agent": f"alertd/{alertd.__version__}"}
    return Request(endpoint.address, {**own, **fixed, **signed}, message.body)


@asynccontextmanager
async def open_channel(settings: Settings, poster: Poster) -> AsyncIterator[SignedWebhook]:
    yield SignedWebhook(poster, settings.webhooks.header_prefix)
