"""What is stored is what an exchange accepts, and a secret goes nowhere but into the store."""

import json
import os

import pytest

from alertd.cipher import KEY_FILE, load_or_create_key
from alertd.config import Settings
from alertd.db import Db
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Account, Outage, Rights, State
from alertd.model import CredentialRef, Secret
from alertd.secretstore import open_store, parse
from tests import factories
from tests.bao import Bao
from tests.cli.desk import Desk, Keyboard, sent_to

TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PLACE = (TENANT, "binance", "trading")
ELSEWHERE = 54321


def ref(path: str = f"{TENANT}/exchanges/binance/trading") -> CredentialRef:
    found = parse(path)
    assert isinstance(found, CredentialRef)
    return found


def lines(account: Account) -> str:
    return f"api_key={account.key}\napi_secret={account.secret}\npassphrase={account.passphrase}\n"


async def stored(settings: Settings, what: CredentialRef) -> Secret:
    cipher = load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=True)
    async with open_store(settings, cipher) as store:
        return await store.read(what)


async def in_files(desk: Desk, what: CredentialRef | None = None) -> Secret:
    return await stored(Settings(state_dir=desk.state_dir), what or ref())


async def test_a_key_that_works_is_stored_and_described(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance", rights=Rights(withdraw=True, addresses=()))
    desk.settings = sent_to(sim, "binance")

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 0
    assert "read yes, trade yes, withdraw yes" in ended.err
    assert "warning: it can withdraw" in ended.err
    assert "warning: it works from every address" in ended.err
    assert (await in_files(desk)).api_secret == account.secret


async def test_a_secret_is_not_printed(desk: Desk, sim: Simulator) -> None:
    account = sim.add("okx", rights=Rights(trade=False))
    desk.settings = sent_to(sim, "okx")

    ended = await desk.run("credentials", "put", TENANT, "okx", "trading", "--json", stdin=lines(account))

    assert json.loads(ended.out)["reason"] == "permission"
    assert account.key not in ended.printed
    assert account.secret not in ended.printed
    assert account.passphrase not in ended.printed


async def test_a_key_as_json_is_trimmed_and_keeps_what_belongs_to_it(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance", testnet=True)
    desk.settings = sent_to(sim, "binance")
    fields = {"api_key": f" {account.key}\u200b\n", "secret": f"{account.secret} ", "metadata": {"desk": 7}}

    ended = await desk.run("credentials", "put", *PLACE, "--testnet", "--json", stdin=json.dumps(fields))

    kept = await in_files(desk)
    assert json.loads(ended.out)["stored"] is True
    assert (kept.api_key, kept.api_secret) == (account.key, account.secret)
    assert (kept.testnet, kept.metadata) == (True, {"desk": 7})


async def test_a_key_that_the_exchange_refuses_is_not_stored(desk: Desk, sim: Simulator) -> None:
    account = sim.add("bybit", state=State.EXPIRED)
    desk.settings = sent_to(sim, "bybit")

    ended = await desk.run("credentials", "put", TENANT, "bybit", "trading", "--unverified", stdin=lines(account))

    assert ended.code == 1
    assert "Not stored: Bybit says that this API key has expired." in ended.err
    assert "Renew the key at Bybit" in ended.err
    assert not desk.state_dir.exists()


async def test_a_refused_key_leaves_the_old_one_in_its_place(desk: Desk, sim: Simulator) -> None:
    good, bad = sim.add("binance"), sim.add("binance", 1, state=State.REVOKED)
    desk.settings = sent_to(sim, "binance")

    await desk.run("credentials", "put", *PLACE, stdin=lines(good))
    await desk.run("credentials", "put", *PLACE, stdin=lines(bad))

    assert (await in_files(desk)).api_key == good.key


async def test_nobody_knows_so_it_is_not_stored(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    sim.exchange("binance").outage = Outage.HTML_503
    desk.settings = sent_to(sim, "binance")

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 1
    assert "Not stored: Binance is not in service at the moment" in ended.err
    assert "--unverified" in ended.err
    assert not desk.state_dir.exists()


async def test_nobody_knows_and_it_is_stored_on_request(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    sim.exchange("binance").outage = Outage.RESET
    desk.settings = sent_to(sim, "binance")

    ended = await desk.run("credentials", "put", *PLACE, "--unverified", stdin=lines(account))

    assert ended.code == 0
    assert "Nobody knows whether this key works" in ended.err
    assert (await in_files(desk)).api_key == account.key


async def test_an_exchange_that_nobody_knows_is_perhaps_misspelt(desk: Desk) -> None:
    ended = await desk.run("credentials", "put", TENANT, "binnance", "trading", stdin="api_key=a\napi_secret=b\n")

    assert ended.code == 1
    assert "is not supported" in ended.err
    assert "spelt as in ccxt" in ended.err


async def test_prompts_show_nothing_and_take_a_key_of_several_lines(
    desk: Desk, sim: Simulator, keyboard: Keyboard
) -> None:
    account = sim.add("coinbase", 1)
    desk.settings = sent_to(sim, "coinbase")

    process = await desk.start("credentials", "put", TENANT, "coinbase", "trading", stdin=keyboard.theirs)
    await keyboard.answer(process, "api_key (not shown): ", f"{account.key}\n")
    await keyboard.answer(process, "api_secret (not shown): ", f"{account.secret}\n")
    out, err = await process.communicate()

    assert process.returncode == 0, err
    assert "BEGIN" in account.secret
    assert (keyboard.shown(), keyboard.echoes(), out) == ("", True, b"")
    kept = await in_files(desk, ref(f"{TENANT}/exchanges/coinbase/trading"))
    assert kept.api_secret.strip() == account.secret.strip()


async def test_the_end_of_input_at_a_prompt_stores_nothing(desk: Desk, keyboard: Keyboard) -> None:
    process = await desk.start("credentials", "put", *PLACE, stdin=keyboard.theirs)
    await keyboard.answer(process, "api_key (not shown): ", "\x04")
    await process.communicate()

    assert process.returncode == 1
    assert keyboard.echoes()
    assert not desk.state_dir.exists()


@pytest.mark.parametrize(
    "place",
    [
        ("not-a-uuid", "binance", "trading"),
        (TENANT, "Binance", "trading"),
        (TENANT, "binance/../okx", "trading"),
        (TENANT, "binance", "withdrawals"),
        (TENANT, "binance", "trading...x"),
    ],
)
async def test_a_place_that_cannot_be_is_bad_usage(desk: Desk, place: tuple[str, ...]) -> None:
    ended = await desk.run("credentials", "put", *place, stdin="api_key=a\n")

    assert ended.code == 2
    assert ended.out == ""


@pytest.mark.parametrize("typed", [b"c2VjcmV0LXNlY3JldA==\n", b"api_key=\napi_secret=c2VjcmV0\n", b"\xffc2VjcmV0"])
async def test_what_is_no_key_is_bad_usage_and_not_repeated(desk: Desk, typed: bytes) -> None:
    ended = await desk.run("credentials", "put", *PLACE, stdin=typed)

    assert ended.code == 2
    assert "c2VjcmV0" not in ended.printed


async def test_a_setting_that_cannot_be_is_told_before_anything_is_read(desk: Desk) -> None:
    desk.settings = "[credentials]\nretries = -1\n"

    ended = await desk.run("credentials", "put", *PLACE)

    assert ended.code == 78
    assert "credentials.retries" in ended.err


async def test_a_store_that_is_down_is_told_before_anything_is_typed(desk: Desk, keyboard: Keyboard) -> None:
    desk.variables = {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "t"}

    process = await desk.start("credentials", "put", *PLACE, stdin=keyboard.theirs)
    _, err = await process.communicate()

    assert process.returncode == 1
    assert b"nothing listens there" in err
    assert b"not shown" not in err


async def test_vault_takes_the_key_and_no_encryption_key_is_made(desk: Desk, sim: Simulator, bao: Bao) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    desk.variables = {"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.root_token}

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 0
    kept = bao.client().secrets.kv.v2.read_secret_version(f"tenants/{ref().path}", raise_on_deleted_version=False)
    assert kept["data"]["data"] == {"api_key": account.key, "api_secret": account.secret}
    assert not desk.state_dir.exists()


async def test_a_list_names_keys_and_what_is_none(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    await desk.run("credentials", "put", TENANT, "binance", "readonly.fund-2", stdin=lines(account))
    (desk.state_dir / "secrets" / "somebody").mkdir()

    ended = await desk.run("credentials", "list", "--json")

    assert json.loads(ended.out) == {
        "credentials": [{"tenant_id": TENANT, "exchange": "binance", "credential_type": "readonly", "label": "fund-2"}],
        "skipped": [{"path": "somebody/", "why": "the folder's name is not a UUID"}],
    }


async def test_a_list_for_people(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    await desk.run("credentials", "put", *PLACE, stdin=lines(account))
    (desk.state_dir / "secrets" / "[red]somebody").mkdir()

    ended = await desk.run("credentials", "list")

    assert TENANT in ended.out
    assert "skipped [red]somebody/: the folder's name is not a UUID" in ended.err
    assert "1 stored, 1 skipped." in ended.err


async def test_looking_at_nothing_leaves_nothing_behind(desk: Desk) -> None:
    ended = await desk.run("credentials", "list")

    assert (ended.code, ended.out) == (0, "")
    assert not desk.state_dir.exists()


async def test_removing_asks_and_a_no_keeps_the_key(desk: Desk, sim: Simulator, keyboard: Keyboard) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    process = await desk.start("credentials", "remove", *PLACE, stdin=keyboard.theirs)
    await keyboard.answer(process, "[y/N]:", "n\n")
    await process.communicate()

    assert process.returncode == 1
    assert (await in_files(desk)).api_key == account.key


async def test_removing_for_good(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    removed = await desk.run("credentials", "remove", *PLACE, "--yes")
    again = await desk.run("credentials", "remove", *PLACE, "--yes")

    assert (removed.code, again.code) == (0, 1)
    assert "not in the secret store" in again.err


async def test_removing_without_a_terminal_needs_a_yes(desk: Desk) -> None:
    ended = await desk.run("credentials", "remove", *PLACE)

    assert ended.code == 2
    assert "--yes" in ended.err


async def test_no_new_encryption_key_while_the_database_holds_what_an_old_one_sealed(
    desk: Desk, sim: Simulator, dsn: str, db: Db
) -> None:
    await factories.webhook(db, await factories.tenant(db), secret="v1.0123abcd.c2VhbGVk")
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    desk.variables = {"ALERTD_DATABASE__DSN": dsn}

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 78
    assert "restore that file" in ended.err
    assert not (desk.state_dir / KEY_FILE).exists()


async def test_a_database_without_secrets_is_no_obstacle(desk: Desk, sim: Simulator, empty_dsn: str) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    desk.variables = {"ALERTD_DATABASE__DSN": empty_dsn}

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
async def test_a_state_folder_of_another_account_is_left_to_that_account(desk: Desk, sim: Simulator) -> None:
    account = sim.add("binance")
    desk.settings = sent_to(sim, "binance")
    desk.state_dir.mkdir()
    os.chown(desk.state_dir, ELSEWHERE, ELSEWHERE)

    ended = await desk.run("credentials", "put", *PLACE, stdin=lines(account))

    assert ended.code == 78
    assert f"belongs to uid {ELSEWHERE}" in ended.err
