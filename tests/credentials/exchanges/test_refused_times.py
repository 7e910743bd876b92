"""A clock that differs from the exchange's, and a nonce that the tenant's own programs have passed, accuse nobody."""

from datetime import timedelta
from pathlib import Path

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.model import Reason
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for, wall_clock

NONCES = ["bitfinex", "kraken"]
TIMELESS = ["hyperliquid", "krakenfutures"]
TIMED = sorted(SIMULATED.keys() - {*NONCES, *TIMELESS})


@pytest.mark.parametrize("exchange", TIMED)
@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_time_that_is_refused(minutes: int, exchange: str, tmp_path: Path) -> None:
    async with open_simulator(lambda: wall_clock() + timedelta(minutes=minutes)) as sim:
        settings = settings_for(sim, tmp_path)
        held = secret(sim.add(exchange))
        async with asking(settings) as exchanges:
            result = await exchanges.ask(ref(exchange), held)

    assert result.reason is Reason.CLOCK_SKEW


@pytest.mark.parametrize("exchange", TIMELESS)
async def test_where_no_time_is_sent_the_clock_does_not_matter(exchange: str, tmp_path: Path) -> None:
    async with open_simulator(lambda: wall_clock() + timedelta(minutes=10)) as sim:
        settings = settings_for(sim, tmp_path)
        held = secret(sim.add(exchange))
        async with asking(settings) as exchanges:
            result = await exchanges.ask(ref(exchange), held)

    assert result.reason is Reason.OK


@pytest.mark.parametrize("exchange", NONCES)
async def test_a_nonce_that_the_tenants_bot_has_passed(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange)
    account.last_nonce = 10**18

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.reason is Reason.CLOCK_SKEW


async def test_our_nonces_do_not_get_in_the_way_of_the_tenants_own(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("whitebit")
    account.last_nonce = 5

    result = await exchanges.ask(ref("whitebit"), secret(account))

    assert (result.reason, account.last_nonce) == (Reason.OK, 5)


async def test_nor_do_theirs_in_the_way_of_ours(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("whitebit")
    account.last_nonce = 10**18

    result = await exchanges.ask(ref("whitebit"), secret(account))

    assert result.reason is Reason.OK
