"""Whose a wallet's private key is, and what may be done with it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from alertd.credentials.exchange import Exchanges, wallet_address
from alertd.credentials.quirks.hyperliquid import listed_agents, rights, role_of_signer, role_of_wallet
from alertd.demo.exchanges import hyperliquid
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import State
from alertd.model import Permissions, Reason, Secret, Warn
from tests.credentials.exchanges.conftest import ref, secret

REF = ref("hyperliquid")
EVERYTHING = Permissions(read=True, trade=True, withdraw=True, transfer=True)
TRADING = Permissions(read=True, trade=True, withdraw=False)


@pytest.mark.parametrize(
    ("private_key", "address"),
    [
        ("0x" + "00" * 31 + "01", "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
        ("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
         "0x2c7536e3605d9c16a7a3d7b1898e529396a65c23"),
    ],
)  # fmt: skip
def test_a_private_key_has_an_address(private_key: str, address: str) -> None:
    assert wallet_address(private_key) == address


async def test_a_wallets_own_key_can_withdraw(sim: Simulator, exchanges: Exchanges) -> None:
    held = replace(secret(sim.add("hyperliquid")), api_secret=hyperliquid.wallet_key(0))

    result = await exchanges.ask(REF, held)

    assert (result.reason, result.permissions) == (Reason.OK, EVERYTHING)
    assert Warn.CAN_WITHDRAW in result.warnings


async def test_addresses_may_be_written_in_any_case(sim: Simulator, exchanges: Exchanges) -> None:
    held = secret(sim.add("hyperliquid"))
    shouted = replace(held, api_key=f"0x{held.api_key[2:].upper()}", api_secret=held.api_secret[2:].upper())

    result = await exchanges.ask(REF, shouted)

    assert result.reason is Reason.OK


async def test_an_agent_without_a_name_is_not_listed_and_works(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid")
    account.variant = hyperliquid.UNNAMED

    result = await exchanges.ask(REF, secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, TRADING)


async def test_a_sub_account_is_traded_by_its_masters_agent(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid")
    account.variant = hyperliquid.SUB_ACCOUNT

    result = await exchanges.ask(REF, secret(account))

    assert result.reason is Reason.OK
    assert result.permissions.expires_at == hyperliquid.VALID_UNTIL


async def test_a_sub_account_belongs_to_its_masters_own_key(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid")
    account.variant = hyperliquid.SUB_ACCOUNT

    result = await exchanges.ask(REF, replace(secret(account), api_secret=hyperliquid.master_key(0)))

    assert (result.reason, result.permissions) == (Reason.OK, EVERYTHING)


async def test_a_sub_account_may_have_agents_that_we_cannot_see(sim: Simulator, exchanges: Exchanges) -> None:
    account, other = sim.add("hyperliquid", 0), sim.add("hyperliquid", 1)
    account.variant = hyperliquid.SUB_ACCOUNT

    result = await exchanges.ask(REF, replace(secret(account), api_secret=other.secret))

    assert (result.reason, result.code) == (Reason.BAD_RESPONSE, "http 200 unlisted")


async def test_nobody_knows_who_leads_a_vault(sim: Simulator, exchanges: Exchanges) -> None:
    account, other = sim.add("hyperliquid", 0), sim.add("hyperliquid", 1)
    account.variant = hyperliquid.VAULT

    result = await exchanges.ask(REF, replace(secret(account), api_secret=other.secret))

    assert (result.reason, result.code) == (Reason.BAD_RESPONSE, "http 200 vault")


async def test_the_agent_of_another_wallet(sim: Simulator, exchanges: Exchanges) -> None:
    account, other = sim.add("hyperliquid", 0), sim.add("hyperliquid", 1)

    result = await exchanges.ask(REF, replace(secret(account), api_secret=other.secret))

    assert (result.reason, result.code) == (Reason.INVALID_KEY, "http 200 not_its_agent")


async def test_another_wallets_own_key(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid", 0)
    sim.add("hyperliquid", 1)

    result = await exchanges.ask(REF, replace(secret(account), api_secret=hyperliquid.wallet_key(1)))

    assert (result.reason, result.code) == (Reason.INVALID_KEY, "http 200 not_its_agent")


async def test_an_agents_address_is_no_wallet(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid")

    held = replace(secret(account), api_key=wallet_address(account.secret))
    result = await exchanges.ask(REF, held)

    assert (result.reason, result.code) == (Reason.INVALID_KEY, "http 200 unknown_wallet")


async def test_an_agent_whose_time_is_over(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid", state=State.EXPIRED)

    result = await exchanges.ask(REF, secret(account))

    assert (result.reason, result.code) == (Reason.EXPIRED, "http 200")


async def test_only_addresses_are_asked_about(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("hyperliquid")
    account.variant = hyperliquid.UNNAMED

    await exchanges.ask(REF, secret(account))

    assert {made.key for made in sim.requests} == {account.key, wallet_address(account.secret)}


@pytest.mark.parametrize("mine", [listed_agents, role_of_signer, role_of_wallet])
@pytest.mark.parametrize("answer", [{}, {"role": "something_new"}, "text", None])
def test_an_answer_of_an_odd_shape_says_nothing(mine: Callable[[object, Secret], object], answer: object) -> None:
    assert rights(mine(answer, Secret("0x00", "0x01"))) is None
