"""A clock that differs from the exchange's is nobody's fault, also where the exchange has no word for it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.model import CheckResult, Reason
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for


async def asked_across(difference: timedelta, exchange: str, tmp_path: Path) -> CheckResult:
    """The check of a good key at an exchange whose clock differs by so much."""
    async with open_simulator(lambda: datetime.now(UTC) + difference) as sim:
        settings = settings_for(sim, tmp_path)
        account = sim.add(exchange)
        async with asking(settings) as exchanges:
            return await exchanges.ask(ref(exchange), secret(account))


@pytest.mark.parametrize("exchange", ["bingx", "cryptocom", "deribit", "phemex", "whitebit"])
@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_wrong_accuses_nobody(minutes: int, exchange: str, tmp_path: Path) -> None:
    result = await asked_across(timedelta(minutes=minutes), exchange, tmp_path)

    assert result.reason is Reason.CLOCK_SKEW


@pytest.mark.parametrize("exchange", ["hyperliquid", "krakenfutures"])
async def test_where_no_time_is_sent_the_clock_does_not_matter(exchange: str, tmp_path: Path) -> None:
    result = await asked_across(timedelta(minutes=5), exchange, tmp_path)

    assert result.reason is Reason.OK


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
