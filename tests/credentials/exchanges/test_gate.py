"""Gate's list of keys: ours is found by what its mask leaves, or its rights stay unknown."""

from typing import Any

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks.gate import key_rights, our_key
from alertd.demo.exchanges.gate import SINGLE, SUB_ACCOUNT
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Rights, State
from alertd.model import CredentialType, Permissions, Reason, Secret
from tests.credentials.exchanges.conftest import ref, secret

LIST = "/api/v4/account/main_keys"
DETAIL = "/api/v4/account/detail"


async def test_a_listed_key_is_asked_once(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("gate"), secret(sim.add("gate")))

    assert [made.path for made in sim.requests] == [LIST]


async def test_a_single_entry_is_the_key_that_asks(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("gate", rights=Rights(trade=False))
    account.variant = SINGLE

    result = await exchanges.ask(ref("gate"), secret(account))

    assert result.permissions == Permissions(True, False, False, False, True)


async def test_the_rights_of_a_key_that_is_not_listed_stay_unknown(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("gate")
    account.variant = SUB_ACCOUNT

    result = await exchanges.ask(ref("gate", CredentialType.TRADING), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True, ip_restricted=True))


async def test_a_key_without_the_right_to_look_is_alive(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("gate")
    account.forbidden = frozenset({LIST, DETAIL})

    result = await exchanges.ask(ref("gate", CredentialType.TRADING), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions())


async def test_the_same_label_for_our_address_is_a_refusal(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("gate", state=State.IP_BLOCKED)

    result = await exchanges.ask(ref("gate"), secret(account))

    assert (result.reason, result.code) == (Reason.IP_RESTRICTED, "http 403 FORBIDDEN")


def listing(*keys: str) -> list[dict[str, Any]]:
    return [{"key": key, "perms": []} for key in keys]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (("c5dcfbf1f3a7*****", "52fd0035f665*****"), "c5dcfbf1f3a7*****"),
        (("c5dc***beef",), "c5dc***beef"),
        (("c5dcfbf1f3a70000beef",), "c5dcfbf1f3a70000beef"),
        (("52fd0035f665*****",), None),
        (("c5dcfbf1f3a7*****", "c5dcfbf1*****"), None),
        (("***",), None),
        (("c5d*****",), None),
        ((), None),
    ],
)
def test_ours_is_found_beyond_doubt_or_not_at_all(keys: tuple[str, ...], found: str | None) -> None:
    body = listing(*keys)

    mine = our_key(body, Secret("c5dcfbf1f3a70000beef", "secret"))

    assert mine == (body if found is None else {"key": found, "perms": []})


@pytest.mark.parametrize(
    ("perms", "permissions"),
    [
        ([{"name": "account", "read_only": False}], Permissions(True, False, False, False)),
        ([{"name": "unified", "read_only": False}], Permissions(True, True, False, False)),
        ([{"name": "spot"}], Permissions(True, None, False, False)),
        ([{"name": "wallet", "read_only": True}], Permissions(True, False, False, False)),
        ([{"name": "wallet", "read_only": False}], Permissions(True, False, True, True)),
        ([], Permissions(True, False, False, False)),
    ],
)
def test_what_the_rights_of_an_entry_mean(perms: list[dict[str, Any]], permissions: Permissions) -> None:
    assert key_rights({"state": 1, "perms": perms}) == permissions


@pytest.mark.parametrize("state", [2, 3, 7])
def test_a_locked_or_frozen_entry_tells_no_rights(state: int) -> None:
    assert key_rights({"state": state, "perms": []}) is None
