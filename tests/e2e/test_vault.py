"""A real OpenBao full of keys: every one gets its verdict, and a seal in the middle of a sweep accuses nobody."""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest

from alertd.cipher import Cipher
from alertd.config import load
from alertd.credentials.inventory import Inventory
from alertd.db import Db, new_id
from alertd.demo.exchanges.shape import Outage, State
from alertd.secretstore import open_store
from tests.bao import Bao, dev_server, raft_server
from tests.e2e.daemon import Home, alertd, running, starting
from tests.e2e.town import EXCHANGES, Town, open_town, standing, verdicts
from tests.e2e.waiting import until, until_answered

KEY = b"k" * 32
OK = ("valid", "ok")
DOWN = ("inconclusive", "exchange_down")
HALF = ("invalid", "incomplete_secret")
EACH = 60
# Of each exchange so many keys stand so; the rest are good. Kraken is in an outage and says nothing about any.
MIX = (
    ("binance", State.REVOKED, 8, ("invalid", "invalid_key")),
    ("binance", State.FROZEN, 2, ("invalid", "account_disabled")),
    ("bybit", State.REVOKED, 4, ("invalid", "invalid_key")),
    ("bybit", State.EXPIRED, 6, ("invalid", "expired")),
    ("bybit", State.IP_BLOCKED, 5, ("invalid", "ip_restricted")),
    ("coinbase", State.NO_RIGHT, 3, ("invalid", "permission")),
    ("okx", State.IP_BLOCKED, 9, ("invalid", "ip_restricted")),
    ("okx", State.REVOKED, 2, ("invalid", "invalid_key")),
    ("kraken", State.REVOKED, 10, DOWN),
)
FOREIGN = (
    "README",
    "acme/exchanges/binance/trading",
    "0190A000-0000-7000-8000-00000000000A/exchanges/binance/trading",
    f"{new_id()}/exchanges/binance/backup",
    f"{new_id()}/exchanges/Binance US/trading",
)
NOT_OURS = (f"{new_id()}/wallets/btc",)  # nobody looks there
LEAST = """
path "secret/metadata/tenants" { capabilities = ["list"] }
path "secret/metadata/tenants/*" { capabilities = ["list", "read"] }
path "secret/data/tenants/*" { capabilities = ["read"] }
"""


@asynccontextmanager
async def open_vault_town(home: Home, bao: Bao) -> AsyncIterator[Town]:
    """Tenants write with the root token."""
    settings = load(environ=home.environment(by_vault(bao, bao.root_token)))
    cipher = Cipher([KEY])
    async with open_store(settings, cipher) as store, open_town(store, cipher) as town:
        yield town


def by_vault(bao: Bao, token: str) -> dict[str, object]:
    return {"VAULT_ADDR": bao.address, "VAULT_TOKEN": token, "ALERTD_SECRETS__ENCRYPTION_KEY": b64encode(KEY).decode()}


def least_token(bao: Bao, rules: str = LEAST) -> str:
    """One that may list and read, as the documents recommend."""
    client, name = bao.client(), f"alertd-{new_id()}"
    client.sys.create_or_update_policy(name, rules)
    return str(client.auth.token.create(policies=[name], no_parent=True)["auth"]["client_token"])


def put(bao: Bao, path: str) -> None:
    bao.client().secrets.kv.v2.create_or_update_secret(f"tenants/{path}", {"api_key": "k", "api_secret": "s"})


@pytest.fixture(scope="module")
def dev() -> Iterator[Bao]:
    with dev_server() as server:
        yield server


@pytest.fixture(scope="module")
def raft() -> Iterator[Bao]:
    with raft_server() as server:
        yield server


async def populate(town: Town) -> dict[UUID, tuple[str, str]]:
    """300 tenants and the verdict that the key of each must get."""
    town.simulator.exchange("kraken").outage = Outage.HTML_503
    wanted: dict[UUID, tuple[str, str]] = {}
    left = dict.fromkeys(EXCHANGES, EACH)
    for exchange, state, count, verdict in MIX:
        wanted |= {(await town.tenant(exchange, state)).id: verdict for _ in range(count)}
        left[exchange] -= count
    for exchange in ("binance", "okx"):
        wanted |= {(await town.tenant(exchange, half_empty=True)).id: HALF for _ in range(3)}
        left[exchange] -= 3
    for exchange, count in left.items():
        good = DOWN if exchange == "kraken" else OK
        wanted |= {(await town.tenant(exchange)).id: good for _ in range(count)}
    return wanted


async def test_each_of_300_keys_gets_its_verdict(home: Home, dev: Bao, db: Db, dsn: str) -> None:
    async with open_vault_town(home, dev) as town:
        wanted = await populate(town)
        await asyncio.gather(*(asyncio.to_thread(put, dev, path) for path in (*FOREIGN, *NOT_OURS)))
        given = town.given | by_vault(dev, least_token(dev)) | {"ALERTD_DATABASE__DSN": dsn}

        done = await alertd(home, given, "sweep", "--json")

    tally = Counter(verdict for verdict, _ in wanted.values())
    assert done.code == 0, done.err
    assert await verdicts(db) == wanted
    assert {name: done.json[name] for name in ("checked", *tally)} == {"checked": 300, **tally}
    assert done.json["skipped"] == len(FOREIGN)
    assert await db.fetchval("SELECT sum(consecutive_failures) FROM credentials") == tally["invalid"]
    assert await db.fetchval("SELECT count(*) FROM events") == 0


async def test_a_folder_that_is_forbidden_all_at_once_retires_nobody(home: Home, dev: Bao, db: Db) -> None:
    async with open_vault_town(home, dev) as town:
        tenants = [await town.tenant("binance"), await town.tenant("okx")]
        forbidden = f'path "secret/metadata/tenants/{tenants[0].id}/*" {{ capabilities = ["deny"] }}'
        for rules in (LEAST, LEAST + forbidden):
            settings = load(environ=home.environment(by_vault(dev, least_token(dev, rules))))
            async with open_store(settings, town.cipher) as store:
                found = await Inventory(db, store).discover(datetime.now(UTC))

    assert found.skipped
    assert (found.retired, found.withheld) == (0, 0)
    assert [(await standing(db, tenant))["retired_at"] for tenant in tenants] == [None, None]


async def test_sealed_in_the_middle_of_a_sweep(home: Home, raft: Bao, db: Db, dsn: str) -> None:
    async with open_vault_town(home, raft) as town:
        broken = [await town.tenant("bybit", State.EXPIRED) for _ in range(15)]
        good = [await town.tenant("okx") for _ in range(30)]
        await town.listen(db, *broken, *good)
        given = town.given | by_vault(raft, least_token(raft)) | {"ALERTD_DATABASE__DSN": dsn}
        given |= {"CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 2, "ALERTD_EXCHANGES__OKX__CONCURRENCY": 1}
        first = await alertd(home, given, "sweep", "--json")
        asked = len(town.simulator.requests)
        town.simulator.exchange("okx").delay_seconds = 0.05
        async with starting(home, given, command="sweep") as second:
            await until(lambda: len(town.simulator.requests) > asked + 15)
            await asyncio.to_thread(raft.seal)
            code = await second.ended()
        streaks = await db.fetch("SELECT DISTINCT consecutive_failures, verdict FROM credentials ORDER BY 1")
        heard = [event["type"] for event in await db.fetch("SELECT type FROM events WHERE tenant_id IS NULL")]
        told = list(town.heard)

        await asyncio.to_thread(raft.unseal)
        town.simulator.exchange("okx").delay_seconds = 0
        third = await alertd(home, given, "sweep", "--json")

    assert (first.code, code, third.code) == (0, 1, 0)
    assert "sealed" in "".join(second.noise)
    assert [tuple(row) for row in streaks] == [(0, "valid"), (1, "invalid")]
    assert (heard, told) == (["system.alert"], [])
    assert {one["consecutive_failures"] for one in third.json["credentials"]} == {0, 2}
    assert [town.told(tenant) for tenant in broken] == [Counter(["credential.failed expired"])] * 15


async def waiting_for(url: str) -> list[str]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/-/ready") as response:
        return list((await response.json())["waiting_for"])


async def test_sealed_under_a_daemon(home: Home, raft: Bao, db: Db, dsn: str) -> None:
    async with open_vault_town(home, raft) as town:
        tenant = await town.tenant("bybit", State.EXPIRED)
        given = town.given | by_vault(raft, least_token(raft)) | {"ALERTD_DATABASE__DSN": dsn}
        given |= {"CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 1000}
        async with running(home, given) as daemon:
            await daemon.says("Credential health check completed", error="expired", times=2)
            await asyncio.to_thread(raft.seal)
            await daemon.says("Secret store lost")  # while it seals itself it may first say something else
            before = await standing(db, tenant)
            assert await waiting_for(daemon.url) == ["secret_store"]

            await asyncio.to_thread(raft.unseal)
            await daemon.says("Secret store recovered")
            await until_answered(lambda: _ready(daemon.url))
            checks = len(daemon.said("Credential health check completed"))
            await daemon.says("Credential health check completed", times=checks + 1)

    assert before["verdict"] == "invalid"
    assert len(daemon.said("Secret store lost")) == 1
    assert await db.fetchval("SELECT count(*) FROM credentials WHERE verdict = 'inconclusive'") == 0
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'system.alert'") == 2


async def _ready(url: str) -> bool:
    return await waiting_for(url) == []
