"""Each exchange, each state of a key, through ccxt and over the wire."""

from dataclasses import replace
from pathlib import Path

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks import EXCHANGES
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Outage, Rights, State
from alertd.model import CredentialType, Permissions, Reason, Verdict
from tests.credentials.exchanges.cases import CASES
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for

SET_ON_ACCOUNT = (
    State.REVOKED,
    State.EXPIRED,
    State.IP_BLOCKED,
    State.NO_RIGHT,
    State.FROZEN,
    State.THROTTLED,
    State.UNHEARD_OF,
    State.MAINTENANCE,
)
BEFALLEN = [(name, state) for name, each in SIMULATED.items() for state in SET_ON_ACCOUNT if state in each.refusals]
WITH_PASSPHRASE = [name for name, each in SIMULATED.items() if State.BAD_PASSPHRASE in each.refusals]
OUTAGES = {
    Outage.HTML_503: {Reason.EXCHANGE_DOWN},
    Outage.HTML_403: {Reason.EXCHANGE_DOWN, Reason.RATE_LIMITED},
    Outage.HTML_200: {Reason.BAD_RESPONSE},
    Outage.EMPTY_200: {Reason.BAD_RESPONSE},
    Outage.RESET: {Reason.NETWORK},
    Outage.TRUNCATED: {Reason.NETWORK},
    Outage.RATE_LIMITED: {Reason.RATE_LIMITED},
    Outage.REGION: {Reason.REGION_BLOCKED},
    Outage.REDIRECT: {Reason.BAD_RESPONSE},
    Outage.HUGE: {Reason.BAD_RESPONSE},
}


def test_every_entry_is_simulated_and_has_cases() -> None:
    assert set(EXCHANGES) == set(SIMULATED) == set(CASES)


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_a_good_key_is_valid(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange)

    result = await exchanges.ask(ref(exchange), secret(account))

    assert (result.verdict, result.reason, result.code) == (Verdict.VALID, Reason.OK, "")
    assert result.exchange_seconds > 0


@pytest.mark.parametrize(
    ("exchange", "rights", "permissions"),
    [(name, rights, shown) for name, cases in CASES.items() for rights, shown in cases.shown],
)
async def test_the_rights_of_a_key_are_told(
    exchange: str, rights: Rights, permissions: Permissions, sim: Simulator, exchanges: Exchanges
) -> None:
    account = sim.add(exchange, rights=rights)

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.permissions == permissions


@pytest.mark.parametrize(("exchange", "state"), BEFALLEN)
async def test_the_reason_is_told(exchange: str, state: State, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, state=state)

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.reason is CASES[exchange].reason(state)


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_a_key_that_nobody_knows(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    minted = SIMULATED[exchange].mint(7)

    result = await exchanges.ask(ref(exchange), secret(replace(sim.add(exchange, 1), key=minted.key)))

    assert result.reason is CASES[exchange].reason(State.REVOKED)


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_a_secret_of_another_key(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, 0)

    other = replace(secret(account), api_secret=SIMULATED[exchange].mint(3).secret)
    result = await exchanges.ask(ref(exchange), other)

    assert result.reason is CASES[exchange].reason(State.BAD_SIGNATURE)


@pytest.mark.parametrize("exchange", WITH_PASSPHRASE)
async def test_a_wrong_passphrase(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange)

    result = await exchanges.ask(ref(exchange), replace(secret(account), passphrase="another"))

    assert result.reason is CASES[exchange].reason(State.BAD_PASSPHRASE)


@pytest.mark.parametrize("exchange", [name for name, each in EXCHANGES.items() if each.testnet_ask])
async def test_a_testnet_key_is_asked_there(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, testnet=True)

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.reason is Reason.OK


@pytest.mark.parametrize("exchange", [name for name, each in EXCHANGES.items() if not each.testnet_ask])
async def test_without_a_testnet_nothing_is_said(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, testnet=True)

    result = await exchanges.ask(ref(exchange), secret(account))

    assert (result.reason, sim.requests) == (Reason.UNSUPPORTED_EXCHANGE, [])


@pytest.mark.parametrize("exchange", [name for name, each in EXCHANGES.items() if each.testnet_ask])
async def test_a_testnet_key_at_the_live_exchange(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, testnet=True)

    result = await exchanges.ask(ref(exchange), replace(secret(account), testnet=False))

    assert result.reason is CASES[exchange].reason(State.WRONG_SITE)


@pytest.mark.parametrize("exchange", [name for name, cases in CASES.items() if cases.falls_back])
async def test_where_the_first_look_up_does_not_exist_the_next_decides(
    exchange: str, sim: Simulator, exchanges: Exchanges
) -> None:
    account = sim.add(exchange)
    await exchanges.ask(ref(exchange), secret(account))
    sim.exchange(exchange).hidden = frozenset({sim.requests[0].path})

    result = await exchanges.ask(ref(exchange), secret(account))

    assert (result.reason, result.permissions.read) == (Reason.OK, True)


@pytest.mark.parametrize("exchange", SIMULATED)
@pytest.mark.parametrize("outage", OUTAGES)
async def test_an_outage_accuses_nobody(exchange: str, outage: Outage, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange)
    sim.exchange(exchange).outage = outage

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason in OUTAGES[outage]


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_silence_is_the_networks_fault(exchange: str, sim: Simulator, tmp_path: Path) -> None:
    account = sim.add(exchange)
    sim.exchange(exchange).outage = Outage.TIMEOUT

    async with asking(settings_for(sim, tmp_path, timeout_seconds=0.15)) as exchanges:
        result = await exchanges.ask(ref(exchange), secret(account))

    assert (result.reason, result.code) == (Reason.NETWORK, "timeout")


@pytest.mark.parametrize(
    ("exchange", "field"), [(name, field) for name, each in EXCHANGES.items() for field in each.needs]
)
async def test_an_incomplete_secret_is_not_sent(
    exchange: str, field: str, sim: Simulator, exchanges: Exchanges
) -> None:
    account = sim.add(exchange)

    result = await exchanges.ask(ref(exchange), replace(secret(account), **{field: " "}))

    assert (result.reason, sim.requests) == (Reason.INCOMPLETE_SECRET, [])


@pytest.mark.parametrize(
    ("exchange", "fields"), [(name, fields) for name, cases in CASES.items() for fields in cases.malformed]
)
async def test_a_malformed_secret_is_not_sent(
    exchange: str, fields: tuple[str, str, str], sim: Simulator, exchanges: Exchanges
) -> None:
    key, text, passphrase = fields

    broken = replace(secret(sim.add(exchange)), api_key=key, api_secret=text, passphrase=passphrase)
    result = await exchanges.ask(ref(exchange), broken)

    assert (result.reason, sim.requests) == (Reason.BAD_SECRET, [])


@pytest.mark.parametrize(
    "exchange",
    [name for name, cases in CASES.items() if any(shown.trade is False for _, shown in cases.shown)],
)
async def test_a_trading_key_that_cannot_trade(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add(exchange, rights=Rights(trade=False))

    result = await exchanges.ask(ref(exchange, CredentialType.TRADING), secret(account))

    assert result.reason is Reason.PERMISSION


@pytest.mark.parametrize("exchange", SIMULATED)
async def test_blanks_around_a_secret_are_copying_errors(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    held = secret(sim.add(exchange))

    padded = replace(held, api_key=f" {held.api_key}\n", api_secret=f"{held.api_secret}\r\n")
    result = await exchanges.ask(ref(exchange), padded)

    assert result.reason is Reason.OK
