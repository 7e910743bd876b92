"""How a message leaves the house. A channel is one file here and one line in `CHANNELS`."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final, Protocol

from alertd.config import Settings
from alertd.webhooks.channels import apprise, webhook
from alertd.webhooks.message import Endpoint, Message
from alertd.webhooks.post import Poster
from alertd.webhooks.retry import Outcome


class Channel(Protocol):
    """One way to reach a receiver."""

    async def send(self, message: Message, endpoint: Endpoint, at: datetime) -> Outcome:
        """One attempt, made at `at`. Whatever the receiver does is in the outcome, never raised."""
        ...


class Configured(Channel, Protocol):
    """A channel as the settings opened it, and as other settings would have it."""

    async def ready_for(self, settings: Settings) -> Callable[[], None]:
        """What makes it use these settings from the next attempt on. Raises ConfigError if it could not."""
        ...


Opener = Callable[[Settings, Poster], AbstractAsyncContextManager[Configured]]

# The name is what `tenant_webhooks.channel` holds.
CHANNELS: Final[Mapping[str, Opener]] = {
    "webhook": webhook.open_channel,
    "apprise": apprise.open_channel,
}


@asynccontextmanager
async def open_channels(settings: Settings, poster: Poster) -> AsyncIterator[Mapping[str, Configured]]:
    """Every channel, by name. Raises ConfigError with the problems of the first that cannot work."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(opening(settings, poster)) for name, opening in CHANNELS.items()}
