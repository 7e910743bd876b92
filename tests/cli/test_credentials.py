"""What is stored is what an exchange accepts, and a secret goes nowhere but into the store."""

import asyncio
import json
from datetime import datetime

import pytest

from alertd.demo.exchanges.shape import Outage, Rights, State
from alertd.errors import Absent
from alertd.model import CredentialRef, Secret
from tests.admin.port import ADMIN, OPERATOR
from tests.cli.desk import Desk, Keyboard
from tests.cli.office import Office, lines, place


@pytest.fixture
def tenant(office: Office) -> str:
    return office.tenant()


@pytest.fixture
def asking(office: Office, desk: Desk) -> Desk:
    """A desk whose commands, each a process, ask the office's daemon."""
    desk.variables = {"ALERTD_URL": office.url, "ALERTD_API_KEY": ADMIN}
    return desk


def stored(office: Office, ref: CredentialRef) -> Secret:
    return office.do(office.core.secrets.read(ref))


def is_stored(office: Office, ref: CredentialRef) -> bool:
    try:
        stored(office, ref)
    except Absent:
        return False
    return True


# --- Putting ---------------------------------------------------------------------------------


def test_a_key_that_works_is_stored_and_described(office: Office, tenant: str) -> None:
    account = office.account(rights=Rights(withdraw=True, addresses=()))

    ended = office.alertd("credentials", "put", tenant, "binance", "trading", stdin=lines(account))

    assert ended.code == 0
    assert "Binance accepts this key: read yes, trade yes, withdraw yes" in ended.err
    assert "warning: it can withdraw" in ended.err
    assert "warning: it works from every address" in ended.err
    assert stored(office, place(tenant)).api_secret == account.secret


def test_a_secret_is_not_printed(office: Office, tenant: str) -> None:
    account = office.account("okx", rights=Rights(trade=False))

    ended = office.alertd("credentials", "put", tenant, "okx", "trading", "--json", stdin=lines(account))

    assert ended.code == 1
    assert "Nothing was stored." in ended.err
    assert account.key not in ended.printed
    assert account.secret not in ended.printed
    assert account.passphrase not in ended.printed


def test_a_key_as_json_is_trimmed_and_keeps_what_belongs_to_it(office: Office, tenant: str) -> None:
    account = office.account(testnet=True)
    fields = {"api_key": f" {account.key}\u200b\n", "secret": f"{account.secret} ", "metadata": {"desk": 7}}

    words = ("credentials", "put", tenant, "binance", "trading", "--testnet")
    shown = office.json(*words, stdin=json.dumps(fields))

    kept = stored(office, place(tenant))
    assert shown["accepted"]["permissions"]["read"] is True
    assert (kept.api_key, kept.api_secret) == (account.key, account.secret)
    assert (kept.testnet, kept.metadata) == (True, {"desk": 7})


def test_a_key_that_the_exchange_refuses_is_not_stored(office: Office, tenant: str) -> None:
    account = office.account("bybit", State.EXPIRED)

    ended = office.alertd("credentials", "put", tenant, "bybit", "trading", "--unverified", stdin=lines(account))

    assert ended.code == 1
    assert "Nothing was stored. Bybit says that this API key has expired." in ended.err
    assert "Renew the key at Bybit" in ended.err
    assert not is_stored(office, place(tenant, "bybit"))


def test_a_refused_key_leaves_the_old_one_in_its_place(office: Office, tenant: str) -> None:
    good, bad = office.account(), office.account(state=State.REVOKED)

    office.alertd("credentials", "put", tenant, "binance", "trading", stdin=lines(good))
    office.alertd("credentials", "put", tenant, "binance", "trading", stdin=lines(bad))

    assert stored(office, place(tenant)).api_key == good.key


def test_nobody_knows_so_it_is_stored_only_on_request(office: Office, tenant: str) -> None:
    account = office.account("kraken")
    office.sim.exchange("kraken").outage = Outage.HTML_503
    words = ("credentials", "put", tenant, "kraken", "trading")

    first = office.alertd(*words, stdin=lines(account))
    before = is_stored(office, place(tenant, "kraken"))
    then = office.alertd(*words, "--unverified", stdin=lines(account))
    office.sim.exchange("kraken").outage = Outage.NONE

    assert (first.code, before) == (1, False)
    assert "Nothing was stored. Kraken is not in service at the moment" in first.err
    assert "store it as it is: --unverified." in first.err
    assert then.code == 0
    assert "Nobody knows whether this key works" in then.err
    assert stored(office, place(tenant, "kraken")).api_key == account.key


def test_an_exchange_that_nobody_knows_is_perhaps_misspelt(office: Office, tenant: str) -> None:
    ended = office.alertd(
        "credentials", "put", tenant, "binnance", "trading", stdin="api_key=a\napi_secret=b\npassphrase=c\n"
    )

    assert ended.code == 1
    assert "is not supported" in ended.err
    assert "spelt as in ccxt" in ended.err


async def test_prompts_show_nothing_and_take_a_key_of_several_lines(
    office: Office, asking: Desk, keyboard: Keyboard
) -> None:
    tenant, account = office.tenant(), office.account("coinbase")

    process = await asking.start("credentials", "put", tenant, "coinbase", "trading", stdin=keyboard.theirs)
    await keyboard.answer(process, "api_key (not shown): ", f"{account.key}\n")
    await keyboard.answer(process, "api_secret (not shown): ", f"{account.secret}\n")
    out, err = await process.communicate()

    assert process.returncode == 0, err
    assert (keyboard.shown(), keyboard.echoes(), out) == ("", True, b"")
    kept = await asyncio.to_thread(stored, office, place(tenant, "coinbase"))
    assert kept.api_secret.strip() == account.secret.strip()


async def test_the_end_of_input_at_a_prompt_stores_nothing(office: Office, asking: Desk, keyboard: Keyboard) -> None:
    tenant = office.tenant()

    process = await asking.start("credentials", "put", tenant, "binance", "trading", stdin=keyboard.theirs)
    await keyboard.answer(process, "api_key (not shown): ", "\x04")
    await process.communicate()

    assert process.returncode == 1
    assert keyboard.echoes()
    assert not await asyncio.to_thread(is_stored, office, place(tenant))


@pytest.mark.parametrize(
    "words",
    [
        ("not-a-uuid", "binance", "trading"),
        (str(place("7c9e6679-7425-40de-944b-e07fc1f90ae7").tenant_id), "Binance", "trading"),
        (str(place("7c9e6679-7425-40de-944b-e07fc1f90ae7").tenant_id), "binance/../okx", "trading"),
        (str(place("7c9e6679-7425-40de-944b-e07fc1f90ae7").tenant_id), "binance", "withdrawals"),
        (str(place("7c9e6679-7425-40de-944b-e07fc1f90ae7").tenant_id), "binance", "trading...x"),
    ],
)
def test_a_place_that_cannot_be_is_bad_usage(office: Office, words: tuple[str, ...]) -> None:
    ended = office.alertd("credentials", "put", *words, stdin="api_key=a\n")

    assert (ended.code, ended.out) == (2, "")


@pytest.mark.parametrize("typed", ["c2VjcmV0LXNlY3JldA==\n", "api_key=\napi_secret=c2VjcmV0\n", "api_key=c2VjcmV0\n"])
def test_what_is_no_key_is_bad_usage_and_not_repeated(office: Office, tenant: str, typed: str) -> None:
    ended = office.alertd("credentials", "put", tenant, "binance", "trading", stdin=typed)

    assert ended.code == 2
    assert "c2VjcmV0" not in ended.printed


async def test_a_key_that_may_not_store_is_told_before_anything_is_typed(
    office: Office, asking: Desk, keyboard: Keyboard
) -> None:
    asking.variables["ALERTD_API_KEY"] = OPERATOR

    process = await asking.start("credentials", "put", office.tenant(), "binance", "trading", stdin=keyboard.theirs)
    _, err = await process.communicate()

    assert process.returncode == 1
    assert b"may not store keys; that needs alert:configure." in err
    assert b"not shown" not in err


# --- Looking, checking, removing -------------------------------------------------------------


def test_a_list_for_people(office: Office, tenant: str) -> None:
    office.key(tenant)
    office.alertd("credentials", "check", tenant)

    ended = office.alertd("credentials", "list", "--tenant", tenant)

    head, row = ended.out.splitlines()
    assert head.split()[:5] == ["tenant", "exchange", "key", "verdict", "reason"]
    assert row.split()[:6] == [tenant, "binance", "trading", "valid", "ok", "0"]


def test_a_check_says_what_to_do(office: Office, tenant: str) -> None:
    office.key(tenant, "okx", "readonly.fund-2", state=State.FROZEN)

    ended = office.alertd("credentials", "check", tenant, "okx", "readonly.fund-2")

    assert ended.code == 0
    assert ended.out.splitlines()[1].split()[:4] == ["okx", "readonly.fund-2", "invalid", "account_disabled"]
    assert "OKX" in ended.out


def test_a_check_of_a_key_that_is_not_there(office: Office, tenant: str) -> None:
    ended = office.alertd("credentials", "check", tenant, "okx")

    assert (ended.code, ended.err) == (1, "This tenant has no such credential.")


def test_a_history_begins_with_the_newest(office: Office, tenant: str) -> None:
    office.key(tenant)
    office.alertd("credentials", "check", tenant)
    office.alertd("credentials", "check", tenant)

    items = office.json("credentials", "history", tenant, "binance", "trading")["items"]

    times = [datetime.fromisoformat(item["checked_at"]) for item in items]
    assert len(times) >= 2
    assert times == sorted(times, reverse=True)


async def test_removing_asks_and_a_no_keeps_the_key(office: Office, asking: Desk, keyboard: Keyboard) -> None:
    ref = await asyncio.to_thread(lambda: office.key(office.tenant()))

    words = ("credentials", "remove", str(ref.tenant_id), "binance", "trading")
    process = await asking.start(*words, stdin=keyboard.theirs)
    await keyboard.answer(process, "[y/N]:", "n\n")
    await process.communicate()

    assert process.returncode == 1
    assert await asyncio.to_thread(is_stored, office, ref)


def test_removing_for_good(office: Office, tenant: str) -> None:
    ref = office.key(tenant)

    removed = office.alertd("credentials", "remove", tenant, "binance", "trading", "--yes")
    again = office.alertd("credentials", "remove", tenant, "binance", "trading", "--yes")

    assert (removed.code, again.code) == (0, 1)
    assert not is_stored(office, ref)
    assert "There is no credential with this id." in again.err


def test_removing_without_a_terminal_needs_a_yes(office: Office, tenant: str) -> None:
    office.key(tenant)

    ended = office.alertd("credentials", "remove", tenant, "binance", "trading")

    assert ended.code == 2
    assert "--yes" in ended.err
