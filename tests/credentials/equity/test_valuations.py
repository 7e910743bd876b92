"""What an account is worth, read from simulated exchanges by the real stack, and from answers of every odd shape."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from alertd.credentials.asking import Exchanges
from alertd.credentials.equity import VALUATIONS, Valued
from alertd.credentials.exchange import open_exchanges
from alertd.credentials.limits import Limits
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Outage, State
from tests.credentials.exchanges.conftest import ref, secret, settings_for, wall_clock

NINE_THOUSAND = {
    "binance": Valued(9000.0, "USDT"),
    "bybit": Valued(9000.0, "USD"),
    "bybiteu": Valued(9000.0, "USD"),
    "bybitid": Valued(9000.0, "USD"),
    "deribit": Valued(9000.0, "USD"),
    "kraken": Valued(9000.0, "USD"),
    "okx": Valued(9000.0, "USD"),
    "myokx": Valued(9000.0, "USD"),
    "okxus": Valued(9000.0, "USD"),
}


async def read(sim: Simulator, exchange: str, tmp_path: Path, *, state: State = State.GOOD) -> Valued | None:
    settings = settings_for(sim, tmp_path)
    account = sim.add(exchange, state=state)
    limits = Limits(None, settings, wall_clock)
    valuation = VALUATIONS[exchange]
    async with open_exchanges(settings, limits=limits, now=wall_clock, stalled_since=lambda _: False) as exchanges:
        bodies = await exchanges.read(ref(exchange), secret(account), valuation.calls)
    return None if bodies is None else valuation.value(bodies)


def test_every_valuation_has_its_case() -> None:
    assert set(VALUATIONS) == set(NINE_THOUSAND)


@pytest.mark.parametrize("exchange", sorted(NINE_THOUSAND))
async def test_an_account_is_worth_what_its_exchange_says(exchange: str, tmp_path: Path) -> None:
    async with open_simulator() as sim:
        found = await read(sim, exchange, tmp_path)

    assert found is not None
    assert (round(found.equity, 6), found.currency, found.unpriced) == (9000.0, NINE_THOUSAND[exchange].currency, ())


@pytest.mark.parametrize("exchange", ["binance", "bybit", "deribit", "kraken", "okx"])
async def test_a_key_that_is_refused_reads_nothing(exchange: str, tmp_path: Path) -> None:
    async with open_simulator() as sim:
        assert await read(sim, exchange, tmp_path, state=State.REVOKED) is None


@pytest.mark.parametrize("outage", [Outage.HTML_200, Outage.HTML_503, Outage.RESET, Outage.EMPTY_200])
async def test_an_outage_is_no_empty_account(outage: Outage, tmp_path: Path) -> None:
    async with open_simulator() as sim:
        sim.exchange("okx").outage = outage
        assert await read(sim, "okx", tmp_path) is None


async def test_a_key_without_its_passphrase_is_not_asked_with(tmp_path: Path) -> None:
    async with open_simulator() as sim:
        settings = settings_for(sim, tmp_path)
        limits = Limits(None, settings, wall_clock)
        async with open_exchanges(settings, limits=limits, now=wall_clock, stalled_since=lambda _: False) as exchanges:
            assert await _read_without_passphrase(exchanges, sim) is None
        assert sim.requests == []


async def _read_without_passphrase(exchanges: Exchanges, sim: Simulator) -> tuple[object, ...] | None:
    account = sim.add("okx")
    account.passphrase = ""
    return await exchanges.read(ref("okx"), secret(account), VALUATIONS["okx"].calls)


SPOT = {"activate": True, "balance": "10", "walletName": "Spot"}


@pytest.mark.parametrize(
    ("exchange", "bodies", "valued"),
    [
        ("okx", [{"code": "0", "data": [{"totalEq": ""}]}], None),
        ("okx", [{"code": "0", "data": []}], None),
        ("okx", [{"data": [{"totalEq": "NaN"}]}], None),
        ("bybit", [{"result": {"list": [{"totalEquity": "0"}]}}], Valued(0.0, "USD")),
        ("bybit", [{"result": {"list": [{"totalEquity": None}]}}], None),
        ("kraken", [{"result": {"eb": "10"}}], None),
        ("kraken", [{"result": {"eb": "10", "n": "-2"}}], Valued(8.0, "USD")),
        ("binance", [[SPOT, {"activate": True, "walletName": "Funding"}]], Valued(10.0, "USDT", ("Funding",))),
        ("binance", [[SPOT, {"activate": False, "balance": "x", "walletName": "Old"}]], Valued(10.0, "USDT")),
        ("binance", [[]], None),
        (
            "deribit",
            [{"result": {"summaries": [{"currency": "SOL", "equity": 3}, {"currency": "BTC", "equity": 1}]}},
             {"result": {"index_price": 5}}, {"result": {}}],
            Valued(5.0, "USD", ("SOL",)),
        ),
        (
            "deribit",
            [{"result": {"summaries": [{"currency": "BTC"}]}}, {}, {}],
            Valued(0.0, "USD", ("BTC",)),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_valued_is_named_or_nothing(
    exchange: str, bodies: Sequence[object], valued: Valued | None
) -> None:
    assert VALUATIONS[exchange].value(bodies) == valued
