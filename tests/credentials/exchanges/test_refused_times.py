"""An exchange that refuses a time or a nonce has words for it, and those accuse nobody."""

from datetime import timedelta
from pathlib import Path

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.model import Reason
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for, wall_clock

TIMED = ["binance", "bitget", "bitstamp", "bybit", "gate", "gateeu", "htx", "kucoin", "mexc", "okx"]
NONCES = ["bitfinex", "kraken"]


@pytest.mark.parametrize("exchange", TIMED)
@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_time_that_is_refused(minutes: int, exchange: str, tmp_path: Path) -> None:
    async with open_simulator(lambda: wall_clock() + timedelta(minutes=minutes)) as sim:
        settings = settings_for(sim, tmp_path)
        held = secret(sim.add(exchange))
        async with asking(settings) as exchanges:
            result = await exchanges.ask(ref(exchange), held)

    assert result.reason is Reason.CLOCK_SKEW


@pytest.mark.parametrize("exchange", NONCES)
async def test_a_nonce_that_the_tenants_bot_has_passed(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange)
    account.last_nonce = 10**18

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.reason is Reason.CLOCK_SKEW
