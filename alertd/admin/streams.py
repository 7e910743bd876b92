"""Answers that go on until somebody hangs up: how many there may be, and how they end with the server."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web

EVENTS: Final = "text/event-stream"
MOST: Final = 100
MOST_OF_TENANTS: Final = 80  # the others are kept for operators, however many tenants listen
MOST_OF_ONE: Final = 10
LOOK: Final = timedelta(seconds=1)
HEARTBEAT: Final = timedelta(seconds=15)
PATIENCE: Final = timedelta(seconds=20)
_RETRY_SECONDS: Final = 30
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: EVENTS,
    hdrs.CACHE_CONTROL: "no-cache, no-transform",
    "X-Accel-Buffering": "no",  # a proxy that collects would make the stream late
}


class Streams:
    """The streams that are open, and what holds for all of them. `ending` is set when the server stops.

    Each looks for news every `look`, beats every `heartbeat`, and gives up who takes nothing for `patience`.
    """

    def __init__(self) -> None:
        self.ending = asyncio.Event()
        self.look = LOOK
        self.heartbeat = HEARTBEAT
        self.patience = PATIENCE
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._open.total()

    @contextmanager
    def taking_part(self, principal: str, *, most: int = MOST) -> Iterator[None]:
        """Raises 429 while there are `most` altogether, or too many of this principal."""
        if len(self) >= most or self._open[principal] >= MOST_OF_ONE:
            text = "Too many streams are open; close one."
            raise web.HTTPTooManyRequests(text=text, headers={hdrs.RETRY_AFTER: str(_RETRY_SECONDS)})
        self._open[principal] += 1
        try:
            yield
        finally:
            self._open[principal] -= 1
            self._open += Counter()  # forgets whoever has none

    def end(self) -> None:
        self.ending.set()


class Listener:
    """One who listens to server-sent events. Methods raise ConnectionError when it is gone."""

    def __init__(self, request: web.Request, *, patience: timedelta) -> None:
        self.response = web.StreamResponse(headers=_HEADERS)
        self._request = request
        self._patience = patience

    @property
    def gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()

    async def begin(self) -> None:
        await self.response.prepare(self._request)
        await self._write(b"retry: 3000\n\n")

    async def tell(self, name: str, data: bytes, *, event_id: str | None = None) -> None:
        """`data` is one line. The last `event_id` comes back as `Last-Event-ID` when the connection was lost."""
        lead = f"id: {event_id}\n" if event_id is not None else ""
        await self._write(f"{lead}event: {name}\ndata: ".encode() + data + b"\n\n")

    async def beat(self) -> None:
        """A comment, which readers pass over; without it proxies would hang up."""
        await self._write(b": still here\n\n")

    async def _write(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self.response.write(frame)
        except TimeoutError:
            raise ConnectionError("the listener takes nothing any more") from None
