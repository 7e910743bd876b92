"""Exchanges that have no entry: asked through ccxt's own classes, or honestly not at all."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from alertd.config import Settings
from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks import EXCHANGES
from alertd.model import Permissions, Reason, Secret
from tests.credentials.exchanges.conftest import asking, ref

HELD = Secret("key", "c2VjcmV0")
BALANCES = {
    "success": True,
    "payload": {"balances": [{"currency": "bat", "available": "0.1", "locked": "0.0", "total": "0.1"}]},
}


class Answering:
    """A server with one answer to everything."""

    status = 200
    body: object = BALANCES

    async def handle(self, _request: web.BaseRequest) -> web.Response:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return web.Response(text=text, status=self.status)


@pytest.fixture
def answering() -> Answering:
    return Answering()


@pytest.fixture
async def exchanges(answering: Answering, tmp_path: Path) -> AsyncIterator[Exchanges]:
    runner = web.ServerRunner(web.Server(answering.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = Settings(
        state_dir=tmp_path,
        exchanges={"bitso": {"connect_to": address}, "binance": {"enabled": False}},
    )
    async with asking(settings) as opened:
        yield opened
    await runner.cleanup()


async def test_a_balance_shows_that_the_key_works(exchanges: Exchanges) -> None:
    result = await exchanges.ask(ref("bitso"), HELD)

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True))


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"success": False, "error": {"code": "0201", "message": ""}}, Reason.INVALID_KEY),
        (401, {"success": False, "error": {"code": "9999", "message": ""}}, Reason.BAD_RESPONSE),
        (429, {"success": False, "error": {"code": "9999", "message": ""}}, Reason.RATE_LIMITED),
        (503, {"success": False, "error": {"code": "9999", "message": ""}}, Reason.EXCHANGE_DOWN),
        (200, {"success": True, "payload": {"balances": []}}, Reason.OK),
        (200, {"code": 1002, "message": "unauthorized"}, Reason.BAD_RESPONSE),
        (200, "<html>maintenance</html>", Reason.BAD_RESPONSE),
    ],
)
async def test_what_ccxt_knows_is_told(
    status: int, body: object, reason: Reason, answering: Answering, exchanges: Exchanges
) -> None:
    answering.status, answering.body = status, body

    result = await exchanges.ask(ref("bitso"), HELD)

    assert result.reason is reason


async def test_a_label_that_no_table_has_is_not_shown(answering: Answering, exchanges: Exchanges) -> None:
    answering.status, answering.body = 400, {"success": False, "error": {"code": "a-key-perhaps"}}

    result = await exchanges.ask(ref("bitso"), HELD)

    assert result.code == "http 400 other"


@pytest.mark.parametrize(
    "exchange",
    [
        "no_such_exchange",
        "binance",  # switched off
        "aster",  # only a wallet's key: its balance is public
        "coinmate",  # needs a field that the store has not
    ],
)
async def test_what_cannot_be_asked_is_said(exchange: str, exchanges: Exchanges) -> None:
    result = await exchanges.ask(ref(exchange), HELD)

    assert result.reason is Reason.UNSUPPORTED_EXCHANGE
    assert not exchanges.known(exchange)


async def test_an_exchange_that_ccxt_has_dropped(exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ccxt.async_support.kraken")

    result = await exchanges.ask(ref("kraken"), HELD)

    assert result.reason is Reason.UNSUPPORTED_EXCHANGE


@pytest.mark.parametrize("exchange", ["bitso", *(name for name in EXCHANGES if name != "binance")])
async def test_what_can_be_asked_is_known(exchange: str, exchanges: Exchanges) -> None:
    assert exchanges.known(exchange)
