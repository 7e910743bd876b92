"""Whatever an exchange may answer, all the way through ccxt: nobody is accused and nothing breaks or is passed on."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from alertd.config import Settings
from alertd.credentials.exchange import Exchanges
from alertd.credentials.limits import Limits
from alertd.demo.exchanges.registry import SIMULATED
from alertd.model import ACCUSING, CheckResult, Reason, Secret
from tests.credentials.exchanges.conftest import FAST, asking, ref
from tests.credentials.test_classify import SHOWN, anything, fields, names, statuses, unknown_codes

# A bare refusal of the login is one, whatever its body says.
unsaid = statuses.filter(lambda status: status != 401)
bodies = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, unknown_codes | anything)) | anything
texts = st.text(max_size=80).filter(lambda text: not text.isdigit())


class Answering:
    """A server with one answer to everything."""

    status = 200
    text = ""

    async def handle(self, _request: web.BaseRequest) -> web.Response:
        return web.Response(text=self.text, status=self.status)


@dataclass(frozen=True)
class World:
    """Every exchange, sent to one server. Each question comes days after the last one: no back-off lasts so long."""

    loop: asyncio.Runner
    server: Answering
    exchanges: Exchanges

    def ask(self, exchange: str, status: int, text: str) -> tuple[CheckResult, list[Any]]:
        self.server.status, self.server.text = status, text
        minted = SIMULATED[exchange].mint(1)
        held = Secret(minted.key, minted.secret, minted.passphrase)
        with capture_logs() as logs:
            result = self.loop.run(self.exchanges.ask(ref(exchange), held))
        return result, [line for line in logs if line["log_level"] == "error"]


@asynccontextmanager
async def asked_at(server: Answering, folder: Path) -> AsyncIterator[Exchanges]:
    runner = web.ServerRunner(web.Server(server.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    detour = {"connect_to": f"http://127.0.0.1:{runner.addresses[0][1]}", "requests_per_second": FAST}
    settings = Settings(state_dir=folder, exchanges=dict.fromkeys(SIMULATED, detour))
    days = itertools.count()
    limits = Limits(None, settings, lambda: datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=next(days)))
    async with asking(settings, limits=limits) as opened:
        yield opened
    await runner.cleanup()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = Answering()
    with asyncio.Runner() as loop:
        opening = asked_at(server, tmp_path_factory.mktemp("state"))
        yield World(loop, server, loop.run(opening.__aenter__()))
        loop.run(opening.__aexit__(None, None, None))


@given(names, unsaid, bodies)
def test_json_that_no_rule_knows(world: World, exchange: str, status: int, body: Any) -> None:
    result, errors = world.ask(exchange, status, json.dumps(body))

    assert result.reason not in ACCUSING | {Reason.INTERNAL_ERROR}
    assert (result.code == "" or SHOWN.fullmatch(result.code) is not None, errors) == (True, [])


@given(names, unsaid, texts)
def test_what_is_no_json(world: World, exchange: str, status: int, text: str) -> None:
    result, errors = world.ask(exchange, status, text)

    assert result.reason not in ACCUSING | {Reason.INTERNAL_ERROR, Reason.OK}
    assert (result.code == "" or SHOWN.fullmatch(result.code) is not None, errors) == (True, [])
