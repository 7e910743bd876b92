"""Tenants' receivers with moods: what they take they verify and remember; what they refuse they forget."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from alertd.demo.receiver import Received, verified
from tests.faults.lasting import lasting
from tests.faults.lies import LIES
from tests.faults.plan import Mood, Strike

SLOW_SECONDS: Final = 30.0
AT_ONCE: Final = 25

REFUSALS: Final = {
    Mood.ERROR: (500, {}, "no"),
    Mood.REDIRECT: (302, {"Location": "/elsewhere"}, ""),
    Mood.THROTTLE: (429, {"Retry-After": "1"}, ""),
}


@dataclass
class Mailbox:
    """`heard` holds each distinct message once, in the order of first arrival; `repeats` counts the rest."""

    secrets: dict[str, str] = field(default_factory=dict)
    moods: dict[str, Mood] = field(default_factory=dict)
    heard: dict[str, Received] = field(default_factory=dict)
    repeats: int = 0
    asked: Counter[Mood] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    port: int = 0

    async def misbehave(self, strike: Strike) -> int:
        """Some endpoints get another mood; how many messages met it."""
        mood, paths = Mood(strike.way), sorted(self.secrets)
        chosen = [paths[(strike.which + 7 * n) % len(paths)] for n in range(AT_ONCE)]
        self.moods |= dict.fromkeys(chosen, mood)
        try:
            return await lasting(strike.seconds, lambda: self.asked[mood])
        finally:
            self.moods |= dict.fromkeys(chosen, Mood.GOOD)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        mood = self.moods.get(request.path, Mood.GOOD)
        self.asked[mood] += 1
        if mood is Mood.RESET and request.transport is not None:
            request.transport.abort()
        if mood in REFUSALS or mood is Mood.RESET:
            status, headers, text = REFUSALS.get(mood, (500, {}, ""))
            return web.Response(status=status, headers=headers, text=text)
        if mood is not Mood.NONSENSE:
            self._remember(verified(request.path, dict(request.headers), raw, self.secrets[request.path]))
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if mood in LIES:
            with suppress(ConnectionError):  # of this lie the other side has heard enough
                return await LIES[mood](request)
        return web.Response(status=204)

    def _remember(self, received: Received) -> None:
        if not received.verified:
            self.wrong.append(received.problem)
            return
        before = self.heard.setdefault(received.event_id, received)
        if before is not received:
            self.repeats += 1
            if before != received:
                self.wrong.append(f"{received.event_id} came with two bodies or to two endpoints")


@asynccontextmanager
async def open_mailbox() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    application = web.Application()
    application.router.add_post("/{path:.*}", mailbox.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        mailbox.port = int(runner.addresses[0][1])
        yield mailbox
    finally:
        await runner.cleanup()
