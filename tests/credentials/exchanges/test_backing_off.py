"""When an exchange asks to be left alone, it is: by every check, for as long as it says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.limits import Limits
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Outage, State
from alertd.model import Reason
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for


class Clock:
    """The wall clock, moved ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def patient(sim: Simulator, clock: Clock, tmp_path: Path) -> AsyncIterator[Exchanges]:
    """Exchanges whose limits live by the movable clock."""
    settings = settings_for(sim, tmp_path)
    limits = Limits(None, settings, clock)
    async with asking(settings, limits=limits) as opened:
        yield opened


async def test_the_answer_says_how_long(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("binance", state=State.THROTTLED)

    result = await exchanges.ask(ref("binance"), secret(account))

    assert (result.reason, result.retry_after) == (Reason.RATE_LIMITED, timedelta(seconds=7))


async def test_meanwhile_nobody_asks(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("binance"), secret(sim.add("binance", 0, state=State.THROTTLED)))
    sim.requests.clear()

    result = await exchanges.ask(ref("binance"), secret(sim.add("binance", 1)))

    assert (result.reason, sim.requests) == (Reason.RATE_LIMITED, [])


async def test_other_exchanges_go_on(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("binance"), secret(sim.add("binance", state=State.THROTTLED)))

    result = await exchanges.ask(ref("bybit"), secret(sim.add("bybit")))

    assert result.reason is Reason.OK


async def test_afterwards_it_is_asked_again(sim: Simulator, patient: Exchanges, clock: Clock) -> None:
    await patient.ask(ref("binance"), secret(sim.add("binance", 0, state=State.THROTTLED)))
    clock.ahead = timedelta(seconds=8)

    result = await patient.ask(ref("binance"), secret(sim.add("binance", 1)))

    assert result.reason is Reason.OK


async def test_a_second_time_in_a_row_lasts_longer(sim: Simulator, patient: Exchanges, clock: Clock) -> None:
    account = sim.add("binance", 0, state=State.THROTTLED)
    await patient.ask(ref("binance"), secret(account))
    clock.ahead = timedelta(seconds=8)
    await patient.ask(ref("binance"), secret(account))
    clock.ahead = timedelta(seconds=16)

    result = await patient.ask(ref("binance"), secret(sim.add("binance", 1)))

    assert result.reason is Reason.RATE_LIMITED


async def test_a_success_ends_the_growth(sim: Simulator, patient: Exchanges, clock: Clock) -> None:
    throttled, good = sim.add("binance", 0, state=State.THROTTLED), sim.add("binance", 1)
    await patient.ask(ref("binance"), secret(throttled))
    clock.ahead = timedelta(seconds=8)
    await patient.ask(ref("binance"), secret(good))
    await patient.ask(ref("binance"), secret(throttled))
    clock.ahead = timedelta(seconds=16)

    result = await patient.ask(ref("binance"), secret(good))

    assert result.reason is Reason.OK


async def test_one_keys_own_counter_stops_the_exchange_only_briefly(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("kraken", state=State.THROTTLED)

    result = await exchanges.ask(ref("kraken"), secret(account))

    assert result.retry_after == timedelta(seconds=3)


@pytest.mark.parametrize("outage", [Outage.HTML_503, Outage.REGION, Outage.RESET, Outage.HTML_200])
async def test_an_outage_backs_nobody_off(outage: Outage, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("okx")
    sim.exchange("okx").outage = outage
    await exchanges.ask(ref("okx"), secret(account))
    sim.exchange("okx").outage = Outage.NONE

    result = await exchanges.ask(ref("okx"), secret(account))

    assert result.reason is Reason.OK
