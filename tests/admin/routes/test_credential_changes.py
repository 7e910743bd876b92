"""Keys that people store and remove: asked about first, and shown to nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import hvac
import pytest
from structlog.testing import capture_logs

from alertd.credentials import store
from alertd.credentials.keeping import asked
from alertd.db import new_id
from alertd.demo.exchanges.shape import Account, Outage, Rights, State
from alertd.errors import Absent
from alertd.model import CheckResult, CredentialRef, Reason, Secret
from tests.admin.routes.market import Market, at, open_market, place
from tests.bao import Bao, dev_server

HOUR = timedelta(hours=1)
LEAST = """
path "secret/data/tenants/*" { capabilities = ["read"] }
path "secret/metadata/tenants/*" { capabilities = ["list", "read"] }
"""


@pytest.fixture(scope="module")
def bao() -> Iterator[Bao]:
    with dev_server() as server:
        yield server


@pytest.fixture
async def readable(dsn: str, tmp_path: Path, now: datetime, bao: Bao) -> AsyncIterator[Market]:
    """A market whose secret store lets us read and nothing else."""
    root = bao.client()
    root.sys.create_or_update_policy("least", LEAST)
    token = root.auth.token.create(policies=["least"])["auth"]["client_token"]
    async with open_market(dsn, tmp_path, now, environ=vault(bao.address, token)) as opened:
        yield opened


def vault(address: str, token: str) -> Mapping[str, str]:
    return {"ALERTD_SECRETS__BACKEND": "vault", "VAULT_ADDR": address, "VAULT_TOKEN": token}


def key_of(account: Account, **more: object) -> dict[str, object]:
    given = {"api_key": account.key, "api_secret": account.secret}
    return given | ({"passphrase": account.passphrase} if account.passphrase else {}) | more


def somewhere(exchange: str = "binance", leaf: str = "trading") -> CredentialRef:
    return place(new_id(), exchange, leaf)


async def stored(market: Market, ref: CredentialRef) -> Secret:
    return await market.port.daemon.secrets.read(ref)


async def test_key_that_works_is_stored_and_due_at_once(market: Market) -> None:
    ref, account = somewhere("okx", "readonly.fund-2"), market.account("okx")

    answer = await market.ask("PUT", at(ref), json=key_of(account, metadata={"desk": 7}))

    assert answer.status == 201
    assert (answer.json["verdict"], answer.json["next_check_at"]) == (None, "2026-01-05T12:00:00Z")
    kept = await stored(market, ref)
    assert (kept.api_key, kept.api_secret, kept.passphrase) == (account.key, account.secret, account.passphrase)
    assert (kept.testnet, kept.metadata) == (False, {"desk": 7})


async def test_answer_says_what_the_exchange_said(market: Market) -> None:
    answer = await market.ask("PUT", at(somewhere()), json=key_of(market.account(rights=Rights(withdraw=True))))

    accepted = answer.json["accepted"]
    assert (accepted["warnings"], accepted["permissions"]["withdraw"]) == (["can_withdraw"], True)


async def test_key_of_the_test_environment_is_asked_there(market: Market) -> None:
    account = market.sim.add("binance", 99, testnet=True)

    live = await market.ask("PUT", at(somewhere()), json=key_of(account))
    testnet = await market.ask("PUT", at(somewhere()), json=key_of(account, testnet=True))

    assert (live.status, testnet.status) == (422, 201)


async def test_what_pasting_leaves_around_a_key_is_not_stored(market: Market) -> None:
    ref, account = somewhere(), market.account()
    pasted = {"api_key": f" {account.key}\u200b\r\n", "api_secret": f"{account.secret} \n"}

    answer = await market.ask("PUT", at(ref), json=pasted)

    kept = await stored(market, ref)
    assert (answer.status, kept.api_key, kept.api_secret) == (201, account.key, account.secret)


@pytest.mark.parametrize("state", [State.GOOD, State.REVOKED])
async def test_no_secret_is_shown_logged_or_written_down(market: Market, state: State) -> None:
    account = market.account("okx", state)

    with capture_logs() as logs:
        answer = await market.ask("PUT", at(somewhere("okx")), json=key_of(account))

    deeds = await market.port.daemon.db.fetch("SELECT * FROM audit_log")
    everything = answer.text + str(answer.headers) + str(logs) + str([dict(deed) for deed in deeds])
    assert account.key not in everything
    assert account.secret not in everything
    assert account.passphrase not in everything


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"api_key": "hunter2hunter2"},
        {"api_key": "hunter2hunter2", "api_secret": 5},
        {"api_key": "hunter2hunter2", "api_secret": " \u200b"},
        {"api_key": "", "api_secret": "hunter2hunter2"},
        {"api_key": "hunter2hunter2", "api_secret": "s", "testnet": "hunter2"},
        {"api_key": "hunter2hunter2", "api_secret": "s", "metadata": "hunter2"},
        {"api_key": "hunter2hunter2", "api_secret": "s", "secret": "hunter2"},
        {"api_key": "hunter2" * 3000, "api_secret": "s"},
    ],
    ids=lambda body: ",".join(body) or "empty",
)
async def test_what_is_no_key_is_refused_without_an_echo(market: Market, body: Mapping[str, object]) -> None:
    answer = await market.ask("PUT", at(somewhere()), json=body)

    assert answer.status == 422
    assert "hunter2" not in answer.text


async def test_key_that_the_exchange_refuses_is_not_stored(market: Market) -> None:
    ref = somewhere("kraken")

    answer = await market.ask("PUT", at(ref), json=key_of(market.account("kraken", State.REVOKED)))

    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json["detail"].startswith("Nothing was stored. Kraken does not accept this API key")
    assert (answer.json["reason"], answer.json["what_to_do"]) == (
        "invalid_key",
        "Create a new API key at Kraken and store it here.",
    )
    with pytest.raises(Absent):
        await stored(market, ref)


async def test_trading_key_that_cannot_trade_is_not_stored(market: Market) -> None:
    answer = await market.ask("PUT", at(somewhere()), json=key_of(market.account(rights=Rights(trade=False))))

    assert (answer.status, answer.json["reason"]) == (422, "permission")


async def test_refused_key_leaves_the_old_one_in_its_place(market: Market) -> None:
    ref = await market.key("kraken")
    before = await stored(market, ref)

    await market.ask("PUT", at(ref), json=key_of(market.account("kraken", State.EXPIRED)))

    assert (await stored(market, ref), await market.deeds("credential.put")) == (before, [])


@pytest.mark.parametrize(
    ("outage", "reason"),
    [(Outage.HTML_503, "exchange_down"), (Outage.RESET, "network"), (Outage.REGION, "region_blocked")],
)
async def test_nobody_can_tell_so_nothing_is_stored(market: Market, outage: Outage, reason: str) -> None:
    market.sim.exchange("kraken").outage = outage
    ref = somewhere("kraken")

    answer = await market.ask("PUT", at(ref), json=key_of(market.account("kraken")))

    assert (answer.status, answer.json["reason"], "Retry-After" in answer.headers) == (503, reason, True)
    assert answer.json["detail"].startswith("Nothing was stored.")
    assert answer.json["what_to_do"] == "Try again later, or store it as it is with `?unverified=true`."
    with pytest.raises(Absent):
        await stored(market, ref)


async def test_answer_that_does_not_come_is_not_waited_for(now: datetime) -> None:
    async def never(_ref: CredentialRef, _secret: Secret) -> CheckResult:
        await asyncio.Event().wait()
        raise AssertionError

    result = await asked(somewhere(), Secret("k", "s"), never, patience=timedelta(0))

    assert (result.reason, result.code) == (Reason.NETWORK, "timeout")


async def test_exchange_that_is_not_supported_is_a_mistake(market: Market) -> None:
    answer = await market.ask("PUT", at(somewhere("nowhere")), json={"api_key": "k", "api_secret": "s"})

    assert (answer.status, answer.json["reason"]) == (422, "unsupported_exchange")
    assert "spelt" in answer.json["what_to_do"]


async def test_unverified_key_is_stored_without_a_question(market: Market) -> None:
    ref = somewhere("kraken")

    answer = await market.ask("PUT", at(ref, below="?unverified=true"), json={"api_key": "k", "api_secret": "s"})

    assert (answer.status, answer.json["accepted"], market.sim.requests) == (201, None, [])
    assert (await stored(market, ref)).api_key == "k"


@pytest.mark.parametrize(
    ("exchange", "leaf", "where"),
    [
        ("Binance", "trading", ["exchange"]),
        ("binance", "spot", ["leaf"]),
        ("binance", "trading.", ["leaf"]),
        ("b" * 65, "trading.a b", ["exchange", "leaf"]),
    ],
)
async def test_name_that_no_key_can_have_is_refused(market: Market, exchange: str, leaf: str, where: list[str]) -> None:
    path = f"/api/v1/credentials/{new_id()}/{exchange}/{leaf}?unverified=true"

    answer = await market.ask("PUT", path, json={"api_key": "k", "api_secret": "s"})

    assert (answer.status, [flaw["where"] for flaw in answer.json["errors"]]) == (422, where)


async def test_new_secret_starts_anew(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)
    await market.sweep(times=2)
    old = await market.row(ref)

    answer = await market.ask("PUT", at(ref), json=key_of(market.account("kraken")))

    row = await market.row(ref)
    assert (answer.status, row["consecutive_failures"], row["first_failure_at"]) == (200, 0, None)
    assert (row["id"], row["next_check_at"]) == (old["id"], market.port.clock())
    assert row["secret_version"] == await market.port.daemon.secrets.version(ref) != old["secret_version"]


async def test_check_of_the_old_secret_that_is_under_way_counts_no_more(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)
    db, sweeper = market.port.daemon.db, market.port.daemon.sweeper
    [claim] = await store.claim_these(db, [(await market.row(ref))["id"]], now=market.port.clock(), lease=HOUR)
    looked = await sweeper.look_at(claim)

    await market.ask("PUT", at(ref), json=key_of(market.account("kraken")))

    assert await sweeper.record(claim, looked) is None
    assert (await market.row(ref))["next_check_at"] == market.port.clock()


async def test_removed_key_comes_back_when_it_is_stored_again(market: Market) -> None:
    ref = await market.key("kraken")
    await market.ask("DELETE", at(ref))

    answer = await market.ask("PUT", at(ref), json=key_of(market.account("kraken")))

    assert (answer.status, answer.json["retired_at"]) == (201, None)


async def test_storing_is_written_down(market: Market) -> None:
    ref = await market.key()
    await market.sweep()

    await market.ask("PUT", at(ref), json=key_of(market.account()))

    [deed] = await market.deeds("credential.put")
    assert (deed["actor"], deed["object"], deed["tenant_id"]) == ("admin", f"credential:{ref.path}", ref.tenant_id)
    assert (deed["before"], deed["after"]) == (
        {"verdict": "valid", "reason": "ok"},
        {"verified": True, "testnet": False},
    )


async def test_key_is_removed_and_checked_no_more(market: Market) -> None:
    ref = await market.key()
    await market.sweep()

    answer = await market.ask("DELETE", at(ref))

    assert (answer.status, answer.text) == (204, "")
    assert (await market.row(ref))["retired_at"] == market.port.clock()
    with pytest.raises(Absent):
        await stored(market, ref)
    [deed] = await market.deeds("credential.delete")
    assert (deed["object"], deed["before"]) == (f"credential:{ref.path}", {"verdict": "valid", "reason": "ok"})


async def test_history_of_a_removed_key_stays(market: Market) -> None:
    ref = await market.key()
    await market.sweep()

    await market.ask("DELETE", at(ref))

    assert len((await market.ask("GET", at(ref, below="/history"))).json["items"]) == 1


async def test_key_that_was_not_discovered_yet_is_removed(market: Market) -> None:
    ref = somewhere()
    await market.port.daemon.secrets.write(ref, {"api_key": "k", "api_secret": "s"})

    answer = await market.ask("DELETE", at(ref))

    assert answer.status == 204
    with pytest.raises(Absent):
        await stored(market, ref)


@pytest.mark.parametrize("leaf", ["trading", "spot"])
async def test_nothing_to_remove_is_404(market: Market, leaf: str) -> None:
    answer = await market.ask("DELETE", f"/api/v1/credentials/{UUID(int=7)}/binance/{leaf}")

    assert (answer.status, answer.json["detail"]) == (404, "There is no credential with this id.")


async def test_removed_key_cannot_be_removed_again(market: Market) -> None:
    ref = await market.key()
    await market.ask("DELETE", at(ref))

    assert (await market.ask("DELETE", at(ref))).status == 404


@pytest.mark.parametrize(
    ("method", "grant"), [("PUT", "grant us `create` and `update`"), ("DELETE", "grant us `delete`")]
)
async def test_store_that_lets_us_read_only_says_what_to_grant(
    readable: Market, bao: Bao, method: str, grant: str
) -> None:
    ref = somewhere("kraken")
    kv: hvac.api.secrets_engines.KvV2 = bao.client().secrets.kv.v2
    kv.create_or_update_secret(path=f"tenants/{ref.path}", secret={"api_key": "k", "api_secret": "s"})
    body = key_of(readable.account("kraken")) if method == "PUT" else None

    answer = await readable.ask(method, at(ref), json=body)

    assert (answer.status, grant in answer.json["detail"], bao.address in answer.text) == (422, True, False)
    assert await readable.port.daemon.db.fetchval("SELECT count(*) FROM audit_log") == 0


async def test_key_that_the_store_has_lost_is_removed_without_a_right_to_delete(readable: Market, bao: Bao) -> None:
    ref = somewhere("kraken")
    kv: hvac.api.secrets_engines.KvV2 = bao.client().secrets.kv.v2
    kv.create_or_update_secret(path=f"tenants/{ref.path}", secret={"api_key": "k", "api_secret": "s"})
    await readable.discover()
    kv.delete_metadata_and_all_versions(path=f"tenants/{ref.path}")

    answer = await readable.ask("DELETE", at(ref))

    assert (answer.status, (await readable.row(ref))["retired_at"]) == (204, readable.port.clock())


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_store_that_is_down_is_told_before_anybody_is_asked(
    dsn: str, tmp_path: Path, now: datetime, method: str
) -> None:
    async with open_market(dsn, tmp_path, now, environ=vault("http://127.0.0.1:1", "t")) as market:
        body = key_of(market.account("kraken")) if method == "PUT" else None

        answer = await market.ask(method, at(somewhere("kraken")), json=body)

        assert (answer.status, answer.json["detail"].partition(";")[0]) == (503, "The secret store does not answer")
        assert market.sim.requests == []
