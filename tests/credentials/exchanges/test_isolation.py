"""Nothing of one tenant is ever seen by the next; with ccxt's own ways of sharing, it would be."""

import asyncio

import ccxt.async_support as ccxt
import pytest

from alertd.credentials.connect import open_session, trust
from alertd.credentials.exchange import Exchanges
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Account, State
from alertd.model import Reason
from tests.credentials.exchanges.conftest import ref, secret

TENANTS = 40


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_forty_keys_at_once_are_each_signed_with_their_own_secret(
    exchange: str, sim: Simulator, exchanges: Exchanges
) -> None:
    accounts = [sim.add(exchange, number) for number in range(TENANTS)]
    sim.exchange(exchange).delay_seconds = 0.02

    results = await asyncio.gather(*(exchanges.ask(ref(exchange), secret(each)) for each in accounts))

    assert [result.reason for result in results] == [Reason.OK] * TENANTS
    assert {made.key for made in sim.requests} == {account.key for account in accounts}


async def test_one_instance_for_all_tenants_signs_with_foreign_keys(sim: Simulator) -> None:
    """The counter-test: what the clones are for."""
    accounts = [sim.add("binance", number) for number in range(TENANTS)]
    async with open_session(context=trust(), timeout_seconds=5, connect_to=sim.url) as session:
        shared = ccxt.binance({"session": session, "ssl_context": trust(), "rateLimit": 1})

        async def check(account: Account) -> None:
            shared.apiKey, shared.secret = account.key, account.secret
            await shared.sapiGetAccountApiRestrictions()

        await asyncio.gather(*(check(account) for account in accounts))

    assert len({made.key for made in sim.requests}) < TENANTS


async def test_a_revoked_binance_key_is_invalid_after_anothers_success(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("binanceus"), secret(sim.add("binanceus", 0)))
    revoked = sim.add("binanceus", 1, state=State.REVOKED)

    result = await exchanges.ask(ref("binanceus"), secret(revoked))

    assert (result.reason, result.code) == (Reason.INVALID_KEY, "http 401 -2015")


async def test_ccxt_itself_would_call_it_throttling(sim: Simulator) -> None:
    """The counter-test: options that outlive a check mask -2015."""
    good, revoked = sim.add("binanceus", 0), sim.add("binanceus", 1, state=State.REVOKED)
    async with open_session(context=trust(), timeout_seconds=5, connect_to=sim.url) as session:
        shared = ccxt.binanceus({"session": session, "ssl_context": trust(), "enableRateLimit": False})
        shared.apiKey, shared.secret = good.key, good.secret
        await shared.privateGetAccount()
        shared.apiKey, shared.secret = revoked.key, revoked.secret

        with pytest.raises(ccxt.DDoSProtection):
            await shared.privateGetAccount()
