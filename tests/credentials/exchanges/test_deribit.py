"""Deribit lists all the keys of an account, with their secrets, to a key that may read the account."""

import json

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks.deribit import our_key, scopes
from alertd.demo.exchanges.deribit import list_api_keys
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Request, State
from alertd.model import UNKNOWN_PERMISSIONS, Permissions, Reason, Secret
from tests.credentials.exchanges.conftest import ref, secret

LIST = "/api/v2/private/list_api_keys"
REQUEST = Request("GET", "www.deribit.com", LIST, "", {}, "")


def test_of_the_list_no_secret_is_kept(sim: Simulator) -> None:
    account = sim.add("deribit")

    kept = our_key(list_api_keys(REQUEST, account).body, secret(account))

    assert "client_secret" not in json.dumps(kept)
    assert account.secret not in json.dumps(kept)


def test_a_key_that_is_not_in_the_list_works_all_the_same(sim: Simulator) -> None:
    kept = our_key(list_api_keys(REQUEST, sim.add("deribit")).body, Secret("another", "secret"))

    assert scopes(kept) == Permissions(read=True)


async def test_a_key_that_may_not_read_the_account_is_alive(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("deribit", state=State.NO_RIGHT)

    result = await exchanges.ask(ref("deribit"), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, UNKNOWN_PERMISSIONS)


async def test_where_keys_are_not_listed_the_account_answers(sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("deribit")
    account.forbidden = frozenset({LIST})

    result = await exchanges.ask(ref("deribit"), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True))


async def test_a_secret_is_never_in_a_url(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("deribit"), secret(sim.add("deribit")))

    assert [made.path for made in sim.requests] == [LIST]
