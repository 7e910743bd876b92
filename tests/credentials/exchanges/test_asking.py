"""The ways of asking that do not belong to one exchange: formats of keys, fallbacks, stalls, time limits."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alertd.config import Settings
from alertd.credentials.exchange import Exchanges, open_exchanges
from alertd.credentials.limits import Limits
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Outage, Rights, State
from alertd.model import Permissions, Reason, Secret, Warn
from tests.credentials.exchanges.conftest import asking, ref, secret, settings_for, wall_clock

KEY_INFO = "/0/private/GetApiKeyInfo"


def pem(key: rsa.RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("windows_lines", [False, True])
async def test_a_binance_key_of_the_ed25519_kind(windows_lines: bool, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("binance")
    account.secret = pem(Ed25519PrivateKey.generate())
    text = account.secret.replace("\n", "\r\n") if windows_lines else account.secret

    result = await exchanges.ask(ref("binance"), replace(secret(account), api_secret=text))

    assert result.reason is Reason.OK


async def test_a_binance_key_of_the_rsa_kind(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("binance")
    account.secret = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    result = await exchanges.ask(ref("binance"), secret(account))

    assert result.reason is Reason.OK


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP256K1()])
async def test_a_kind_of_key_that_binance_does_not_take(
    curve: ec.EllipticCurve, sim: Simulator, exchanges: Exchanges
) -> None:
    held = replace(secret(sim.add("binance")), api_secret=pem(ec.generate_private_key(curve)))

    result = await exchanges.ask(ref("binance"), held)

    assert (result.reason, sim.requests) == (Reason.BAD_SECRET, [])


@pytest.mark.parametrize("number", [0, 2])
async def test_both_formats_of_a_coinbase_key(number: int, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("coinbase", number)

    result = await exchanges.ask(ref("coinbase"), secret(account))

    assert result.reason is Reason.OK


async def test_a_coinbase_key_copied_out_of_its_json_file(sim: Simulator, exchanges: Exchanges) -> None:
    held = secret(sim.add("coinbase"))

    copied = replace(held, api_secret=held.api_secret.replace("\n", "\\n"))
    result = await exchanges.ask(ref("coinbase"), copied)

    assert result.reason is Reason.OK


async def test_a_mute_refusal_of_a_coinbase_key_may_be_our_clock(tmp_path: Path) -> None:
    async with open_simulator(lambda: datetime.now(UTC) + timedelta(minutes=5)) as sim:
        settings = settings_for(sim, tmp_path)
        account = sim.add("coinbase")
        async with asking(settings) as exchanges:
            result = await exchanges.ask(ref("coinbase"), secret(account))

    assert result.reason is Reason.CLOCK_SKEW
    assert result.code.startswith("http 401 text clock-")


async def test_a_clock_that_is_put_right_while_coinbase_refuses_may_be_why(sim: Simulator, tmp_path: Path) -> None:
    account = sim.add("coinbase", state=State.REVOKED)
    put_right = lambda: wall_clock() + (timedelta() if sim.requests else timedelta(minutes=5))  # noqa: E731
    async with asking(settings_for(sim, tmp_path), now=put_right) as exchanges:
        result = await exchanges.ask(ref("coinbase"), secret(account))

    assert result.reason is Reason.CLOCK_SKEW


async def test_where_the_look_up_is_missing_the_balance_decides(sim: Simulator, exchanges: Exchanges) -> None:
    sim.exchange("kraken").hidden = frozenset({KEY_INFO})

    result = await exchanges.ask(ref("kraken"), secret(sim.add("kraken")))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True))


async def test_what_is_risky_about_a_good_key_is_told(sim: Simulator, exchanges: Exchanges) -> None:
    soon = datetime.now(UTC) + timedelta(days=10)
    account = sim.add("binance", rights=Rights(withdraw=True, addresses=(), expires_at=soon))

    result = await exchanges.ask(ref("binance"), secret(account))

    assert set(result.warnings) == set(Warn)


async def test_nobody_listens(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, exchanges={"okx": {"connect_to": "http://127.0.0.1:1"}})

    async with asking(settings) as exchanges:
        result = await exchanges.ask(ref("okx"), Secret("key", "secret", "passphrase"))

    assert (result.reason, result.code) == (Reason.NETWORK, "connect")


@pytest.mark.parametrize(("outage", "word"), [(Outage.RESET, "disconnected"), (Outage.TRUNCATED, "truncated")])
async def test_operators_are_told_what_broke(outage: Outage, word: str, sim: Simulator, exchanges: Exchanges) -> None:
    sim.exchange("bybit").outage = outage

    result = await exchanges.ask(ref("bybit"), secret(sim.add("bybit")))

    assert result.code == word


async def test_a_check_during_a_stall_is_repeated_and_not_reported(
    sim: Simulator, limits: Limits, tmp_path: Path
) -> None:
    account = sim.add("bybit")
    sim.exchange("bybit").outage = Outage.HTML_503
    moments = itertools.count()

    def stalled_since(_moment: float) -> bool:
        sim.exchange("bybit").outage = Outage.NONE
        return next(moments) == 0

    settings = settings_for(sim, tmp_path)
    async with open_exchanges(settings, limits=limits, now=wall_clock, stalled_since=stalled_since) as exchanges:
        result = await exchanges.ask(ref("bybit"), secret(account))

    assert (result.reason, len(sim.requests)) == (Reason.OK, 2)


async def test_a_loop_that_stands_still_again_and_again_is_our_own_fault(
    sim: Simulator, limits: Limits, tmp_path: Path
) -> None:
    sim.exchange("okx").outage = Outage.HTML_503
    settings = settings_for(sim, tmp_path)

    async with open_exchanges(settings, limits=limits, now=wall_clock, stalled_since=lambda _: True) as exchanges:
        result = await exchanges.ask(ref("okx"), secret(sim.add("okx")))

    assert (result.reason, result.code, len(sim.requests)) == (Reason.INTERNAL_ERROR, "stalled", 2)


async def test_a_good_answer_is_believed_in_any_case(sim: Simulator, limits: Limits, tmp_path: Path) -> None:
    settings = settings_for(sim, tmp_path)

    async with open_exchanges(settings, limits=limits, now=wall_clock, stalled_since=lambda _: True) as exchanges:
        result = await exchanges.ask(ref("okx"), secret(sim.add("okx")))

    assert result.reason is Reason.OK
