"""Classic and unified accounts of Bitget: one asks to be asked elsewhere, and that is no refusal."""

from typing import Any

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks.bitget import classic, unified
from alertd.demo.exchanges.bitget import UNIFIED
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.conftest import ref, secret


@pytest.mark.parametrize(
    ("rights", "permissions"),
    [
        (Rights(), Permissions(True, True, False, None, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(trade=False, withdraw=True), Permissions(True, False, True, None, True)),
    ],
)
@pytest.mark.parametrize("testnet", [False, True])
async def test_a_unified_account_is_asked_elsewhere(
    rights: Rights, permissions: Permissions, testnet: bool, sim: Simulator, exchanges: Exchanges
) -> None:
    account = sim.add("bitget", rights=rights, testnet=testnet)
    account.variant = UNIFIED

    result = await exchanges.ask(ref("bitget"), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, permissions)
    assert [made.path for made in sim.requests] == ["/api/v2/spot/account/info", "/api/v3/account/info"]


async def test_a_classic_account_is_asked_once(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("bitget"), secret(sim.add("bitget")))

    assert [made.path for made in sim.requests] == ["/api/v2/spot/account/info"]


async def test_a_refused_unified_account(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("bitget", state=State.IP_BLOCKED)
    account.variant = UNIFIED

    result = await exchanges.ask(ref("bitget"), secret(account))

    assert result.reason is Reason.IP_RESTRICTED


async def test_no_look_up_exists_for_an_account(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("bitget")
    account.variant = UNIFIED
    sim.exchange("bitget").hidden = frozenset({"/api/v3/account/info"})

    result = await exchanges.ask(ref("bitget"), secret(account))

    assert (result.reason, result.code) == (Reason.BAD_RESPONSE, "http 400 40085")


def told(**account: Any) -> dict[str, Any]:
    return {"code": "00000", "data": account}


@pytest.mark.parametrize(
    ("rights", "permissions"),
    [
        (["readonly"], Permissions(True, False, False, None)),
        (["trade", "readonly"], Permissions(True, True, False, None)),
        (["stor", "coor"], Permissions(True, False, False, None)),
        (["stow", "coor"], Permissions(True, True, False, None)),
        (["readonly", "contract_order"], Permissions(True, True, False, None)),
        ([], Permissions(False, False, False, None)),
    ],
)
def test_the_rights_of_a_classic_account(rights: list[str], permissions: Permissions) -> None:
    assert classic(told(authorities=rights)) == permissions


@pytest.mark.parametrize(("ips", "restricted"), [("", False), ([], False), (["1.2.3.4"], True), (None, None)])
def test_the_addresses_come_in_several_shapes(ips: Any, restricted: bool | None) -> None:
    found = classic(told(authorities=["readonly"], ips=ips))

    assert found is not None
    assert found.ip_restricted is restricted


@pytest.mark.parametrize("kind", ["read-only", "read_only", "readonly"])
def test_a_unified_key_that_may_only_read(kind: str) -> None:
    found = unified(told(permType=kind, permissions=["uta_mgt", "uta_trade", "withdraw"], ips=""))

    assert found == Permissions(True, False, False, False, False)


@pytest.mark.parametrize(
    "account", [{"permissions": ["uta_trade"]}, {"permType": "read-and-write"}, {"permType": "odd", "permissions": []}]
)
def test_a_unified_answer_that_leaves_rights_open(account: dict[str, Any]) -> None:
    assert unified(told(**account)) is None
