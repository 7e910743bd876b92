"""The dead man's switch, against a real server: it beats while all is well, within the rules for addresses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from alertd.config import Settings
from alertd.db import Db
from alertd.heartbeat import keep_beating
from alertd.live import Live
from alertd.webhooks.dns import Names

OPEN = {"allow_http": True, "ports": [], "allow_cidrs": ["127.0.0.0/8"]}


class Switch:
    """Counts beats; answers with what it is told to."""

    def __init__(self) -> None:
        self.beats: asyncio.Queue[str] = asyncio.Queue()
        self.status = 200
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.beats.put_nowait(request.path)
        return web.Response(status=self.status)


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    made = Switch()
    app = web.Application()
    app.router.add_post("/{uuid}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield made
    await runner.cleanup()


@asynccontextmanager
async def beating(db: Db, port: int, *, webhooks: dict[str, Any], well: Callable[[], bool]) -> AsyncIterator[None]:
    given = {"webhooks": webhooks, "metrics": {"heartbeat_url": f"http://127.0.0.1:{port}/secret-uuid"}}
    settings = Settings.model_validate({"state_dir": Path("/nowhere"), **given})
    stop, names = asyncio.Event(), Names()
    live = Live(settings, db, read=lambda: settings, now=lambda: datetime.now(UTC))
    beats = keep_beating(
        stop,
        live=live,
        names=names,
        own=frozenset(),
        well=well,
        now=lambda: datetime.now(UTC),
        every=timedelta(milliseconds=5),
    )
    task = asyncio.create_task(beats)
    yield
    stop.set()
    await task
    await names.close()


async def test_it_beats_while_all_is_well(db: Db, switch: Switch) -> None:
    async with beating(db, switch.port, webhooks=OPEN, well=lambda: True), asyncio.timeout(10):
        beats = [await switch.beats.get(), await switch.beats.get()]

    assert beats == ["/secret-uuid", "/secret-uuid"]


async def test_it_is_silent_while_something_is_wrong(db: Db, switch: Switch) -> None:
    asked = asyncio.Event()

    def unwell() -> bool:
        asked.set()
        return False

    async with beating(db, switch.port, webhooks=OPEN, well=unwell), asyncio.timeout(10):
        await asked.wait()

    assert switch.beats.empty()


async def test_the_rules_for_addresses_hold(db: Db, switch: Switch) -> None:
    with capture_logs() as lines:
        async with beating(db, switch.port, webhooks=OPEN | {"allow_cidrs": []}, well=lambda: True):
            await asyncio.sleep(0.1)

    assert switch.beats.empty()
    assert [line["event"] for line in lines] == ["Heartbeat not accepted"]


async def test_a_refusal_is_said_once_without_the_address(db: Db, switch: Switch) -> None:
    switch.status = 500
    with capture_logs() as lines:
        async with beating(db, switch.port, webhooks=OPEN, well=lambda: True), asyncio.timeout(10):
            _ = [await switch.beats.get() for _ in range(3)]
            switch.status = 200
            _ = [await switch.beats.get() for _ in range(3)]

    assert [line["event"] for line in lines] == ["Heartbeat not accepted", "Heartbeat accepted again"]
    assert "secret-uuid" not in str(lines)
