"""The simulated exchanges refuse what the real ones refuse: they are no echo."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from alertd.credentials.connect import open_session, trust
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, State


async def asked(sim: Simulator, url: str, **headers: str) -> tuple[int, str]:
    async with (
        open_session(context=trust(), timeout_seconds=5, connect_to=sim.url) as session,
        session.get(url, headers=headers) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize("exchange", SIMULATED)
def test_key_pairs_are_the_same_each_time_and_different_from_each_other(exchange: str) -> None:
    mint = SIMULATED[exchange].mint

    assert mint(1) == mint(1)
    assert len({mint(number).key for number in range(50)}) == 50
    assert len({mint(number).secret for number in range(50)}) == 50


@pytest.mark.parametrize("exchange", SIMULATED)
def test_every_exchange_has_words_for_what_can_always_happen(exchange: str) -> None:
    usual = {State.REVOKED, State.UNHEARD_OF, State.THROTTLED, State.MAINTENANCE}

    assert usual <= SIMULATED[exchange].refusals.keys()


async def test_a_request_without_a_key() -> None:
    async with open_simulator() as sim:
        status, text = await asked(sim, "https://api.binance.com/sapi/v1/account/apiRestrictions")

    assert (status, "-2015" in text) == (401, True)


async def test_a_signature_that_is_off_by_one_character() -> None:
    async with open_simulator() as sim:
        account = sim.add("binance")
        time = int(datetime.now(UTC).timestamp() * 1000)
        query = f"timestamp={time}&signature={'0' * 64}"
        url = f"https://api.binance.com/sapi/v1/account/apiRestrictions?{query}"
        _, text = await asked(sim, url, **{"X-MBX-APIKEY": account.key})

    assert "-1022" in text


async def test_a_path_that_does_not_exist() -> None:
    async with open_simulator() as sim:
        status, _ = await asked(sim, "https://api.bybit.com/v5/order/create")

    assert status == 404


async def test_a_host_that_is_no_exchange() -> None:
    async with open_simulator() as sim:
        status, _ = await asked(sim, "https://api.example.com/")

    assert status == 421


async def test_every_request_is_written_down() -> None:
    async with open_simulator() as sim:
        await asked(sim, "https://api.bybit.com/v5/user/query-api", **{"X-BAPI-API-KEY": "nobody"})

    assert [(made.exchange, made.path, made.key, made.state) for made in sim.requests] == [
        ("bybit", "/v5/user/query-api", "nobody", State.REVOKED)
    ]


async def test_an_account_is_found_again_and_may_be_changed() -> None:
    async with open_simulator() as sim:
        account: Account = sim.add("okx")
        sim.account("okx", account.key).state = State.FROZEN

    assert account.state is State.FROZEN


async def test_a_request_that_is_late() -> None:
    async with open_simulator(lambda: datetime.now(UTC) + timedelta(hours=1)) as sim:
        account = sim.add("bybit")
        headers = {"X-BAPI-API-KEY": account.key, "X-BAPI-TIMESTAMP": "1", "X-BAPI-SIGN": "x"}
        _, text = await asked(sim, "https://api.bybit.com/v5/user/query-api", **headers)

    assert "10002" in text


async def test_a_connection_that_is_cut() -> None:
    async with open_simulator() as sim:
        sim.exchange("okx").outage = "truncated"

        with pytest.raises(aiohttp.ClientPayloadError):
            await asked(sim, "https://www.okx.com/api/v5/account/config")
