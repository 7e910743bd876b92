"""The daemon in the test's own process, with a clock that can be set, its lines and its metrics in reach."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from structlog.testing import capture_logs

from alertd import app, metrics
from alertd.admin import vitals
from alertd.config import load
from alertd.core import Core, World
from alertd.schedule import AlarmClock
from alertd.webhooks import sender
from tests.e2e.daemon import Home
from tests.e2e.waiting import PATIENCE_SECONDS, until


@dataclass
class Clock:
    """The wall clock, set forward or back by somebody."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Stage:
    """A daemon that is up."""

    clock: Clock
    lines: list[Any]
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def said(self, event: str, **fields: object) -> list[Any]:
        return [line for line in self.lines if line["event"] == event and fields.items() <= line.items()]

    async def says(self, event: str, *, times: int = 1, **fields: object) -> None:
        await until(lambda: len(self.said(event, **fields)) >= times)

    async def shows(self, name: str, value: float, **labels: str) -> None:
        """The metric gets this value."""
        await until(lambda: metrics.REGISTRY.get_sample_value(name, labels) == value)


@asynccontextmanager
async def rehearsing(
    home: Home, given: Mapping[str, object], *, ahead: timedelta = timedelta()
) -> AsyncIterator[Stage]:
    """Stops in order; fails if it does not. `ahead` is where the clock stands at the start."""
    with capture_logs() as lines:
        stage, stop, up = Stage(Clock(ahead), lines), asyncio.Event(), asyncio.Event()
        environ = home.environment(given)

        def started(_core: Core, url: str) -> None:
            stage.url = url
            up.set()

        daemon = asyncio.create_task(
            app.run(
                load(environ=environ),
                stop,
                world=World(now=stage.clock),
                read=lambda: load(environ=environ),
                reload=stage.reload,
                started=started,
            )
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await up.wait()
            yield stage
        except BaseException as exc:
            exc.add_note("\n".join(map(str, lines[-20:])))
            raise
        finally:
            stop.set()
            await daemon


def hurry(monkeypatch: Any) -> None:
    """Looks that are taken every fifteen seconds are taken all the time."""
    monkeypatch.setattr(vitals, "EVERY", timedelta(milliseconds=50))
    monkeypatch.setattr(vitals, "AFTER_A_LOSS", timedelta(milliseconds=50))
    monkeypatch.setattr(sender, "GAUGES_SECONDS", 0.05)
    monkeypatch.setitem(AlarmClock.__init__.__kwdefaults__, "heartbeat", timedelta(milliseconds=50))
