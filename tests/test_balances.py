"""Accounts are read from their exchanges where that is switched on: once each, believed only as far as they can be."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from alertd import balances
from alertd.config import load
from alertd.core import Core, World, open_core
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Outage, Reply
from alertd.errors import StoreDown, StoreFault
from alertd.performance.settling import settle
from alertd.performance.store import watched_after
from alertd.secretstore import parse
from tests import factories
from tests.admin.port import Clock
from tests.credentials.checking import Sealable

HOUR = timedelta(hours=1)
SIX = 6 * HOUR
OKX = "GET /api/v5/account/balance"
BINANCE = "GET /sapi/v1/asset/wallet/balance"
ON = {"ALERTD_PERFORMANCE__READ_BALANCES": "true"}


@dataclass
class Bank:
    """A daemon whose loops do not run, its exchanges, and one tenant."""

    core: Core
    sim: Simulator
    clock: Clock
    tenant: UUID

    async def key(self, exchange: str = "okx", leaf: str = "trading", *, verdict: str = "valid") -> None:
        """One that was checked before."""
        ref = parse(f"{self.tenant}/exchanges/{exchange}/{leaf}")
        account = self.sim.add(exchange, hash(leaf) % 1000)
        fields = {"api_key": account.key, "api_secret": account.secret, "passphrase": account.passphrase}
        await self.core.secrets.write(ref, fields)
        await self.core.sweeper.inventory.discover(self.clock())
        await self.core.db.execute("UPDATE credentials SET verdict = $1", verdict)

    async def read(self, after: timedelta = timedelta(0)) -> int:
        self.clock.turn(after)
        return await self.core.balances.read_due()

    async def readings(self) -> list[tuple[Any, ...]]:
        rows = await self.core.db.fetch(
            """
            SELECT s.name, e.equity, e.quality, s.currency
            FROM performance_equity e
            JOIN performance_subjects s ON s.id = e.subject_id
            ORDER BY e.at, s.name
            """
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def open_bank(dsn: str, folder: Path, now: datetime, environ: Mapping[str, str]) -> AsyncIterator[Bank]:
    async with open_simulator() as sim:
        detours = {f"ALERTD_EXCHANGES__{name.upper()}__CONNECT_TO": sim.url for name in ("binance", "okx", "gate")}
        given = {"STATE_DIRECTORY": str(folder), "ALERTD_DATABASE__DSN": dsn, "PORT": "0", **detours, **environ}
        clock = Clock(now)
        opening = open_core(load(environ=given), attach=False, stalled_since=lambda _: False, world=World(now=clock))
        async with opening as core:
            yield Bank(core, sim, clock, await factories.tenant(core.db))


@pytest.fixture
async def bank(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Bank]:
    async with open_bank(dsn, tmp_path, now, ON) as opened:
        yield opened


def worth(monkeypatch: pytest.MonkeyPatch, total: str) -> None:
    """What OKX says from now on."""
    reply = Reply(200, {"code": "0", "msg": "", "data": [{"totalEq": total}]})
    monkeypatch.setitem(SIMULATED["okx"].answers, OKX, lambda _request, _account: reply)


async def test_a_valid_key_makes_an_account_that_is_read(bank: Bank) -> None:
    await bank.key("okx")
    await bank.key("binance", "readonly.fund-2")

    assert await bank.read() == 2
    assert await bank.readings() == [("binance.fund-2", 9000.0, "ok", "USDT"), ("okx", 9000.0, "ok", "USD")]


async def test_it_is_read_again_after_its_time_and_not_before(bank: Bank) -> None:
    await bank.key()

    assert [await bank.read(), await bank.read(SIX - HOUR), await bank.read(HOUR)] == [1, 0, 1]


async def test_nothing_is_read_where_it_is_not_switched_on(dsn: str, tmp_path: Path, now: datetime) -> None:
    stop = asyncio.Event()
    async with open_bank(dsn, tmp_path, now, {}) as bank:
        await bank.key()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        await bank.core.balances.run(stop)

        assert bank.sim.requests == []


async def test_two_keys_of_one_account_are_one_account_and_the_weaker_key_reads_it(bank: Bank) -> None:
    await bank.key("okx", "trading")
    await bank.key("okx", "readonly")

    await bank.read()

    weaker = await bank.core.db.fetchval("SELECT id FROM credentials WHERE credential_type = 'readonly'")
    assert len(await bank.readings()) == 1
    assert await bank.core.db.fetchval("SELECT credential_id FROM performance_subjects") == weaker


async def test_the_other_key_reads_on_when_the_first_is_retired(bank: Bank) -> None:
    await bank.key("okx", "trading")
    await bank.key("okx", "readonly")
    await bank.read()
    await bank.core.db.execute("UPDATE credentials SET retired_at = created_at WHERE credential_type = 'readonly'")

    assert await bank.read(SIX) == 1


@pytest.mark.parametrize("verdict", ["invalid", "inconclusive"])
async def test_a_key_that_does_not_work_is_not_asked_with(bank: Bank, verdict: str) -> None:
    await bank.key(verdict=verdict)

    assert (await bank.read(), bank.sim.requests) == (0, [])


async def test_accounts_without_a_working_key_keep_nobody_waiting(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balances, "BATCH", 1)
    await bank.key("okx")
    await bank.read()
    await bank.key("binance")
    await bank.read(HOUR)
    await bank.core.db.execute("UPDATE credentials SET verdict = 'invalid' WHERE exchange = 'okx'")

    assert await bank.read(SIX) == 1


async def test_an_account_is_read_as_soon_as_its_key_works_again(bank: Bank) -> None:
    await bank.key()
    await bank.read()
    await bank.core.db.execute("UPDATE credentials SET verdict = 'invalid'")
    await bank.read(SIX)
    await bank.core.db.execute("UPDATE credentials SET verdict = 'valid'")

    assert await bank.read(timedelta(minutes=1)) == 1


async def test_a_paused_tenant_is_left_alone(bank: Bank) -> None:
    await bank.key()
    await bank.core.db.execute("UPDATE tenants SET paused = true")

    assert await bank.read() == 0


async def test_a_store_that_is_sealed_costs_no_reading(bank: Bank) -> None:
    await bank.key()
    store = Sealable(bank.core.live.settings.state_dir / "secrets", bank.core.cipher)
    store.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")
    while_sealed = replace(bank.core.balances, secrets=store)

    with pytest.raises(StoreDown):
        await while_sealed.read_due()

    assert await bank.read(timedelta(minutes=1)) == 1


async def test_the_log_says_once_that_balances_wait_and_once_that_they_are_read_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "EVERY", timedelta(milliseconds=10))
    await bank.key()
    store = Sealable(bank.core.live.settings.state_dir / "secrets", bank.core.cipher)
    store.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")
    stop = asyncio.Event()

    with capture_logs() as logs:
        running = asyncio.create_task(replace(bank.core.balances, secrets=store).run(stop))
        while store.reads_until_lost > -4:
            await asyncio.sleep(0.01)
        store.lost = None
        while not await bank.readings():
            await asyncio.sleep(0.01)
        stop.set()
        await running

    said = [entry["event"] for entry in logs if entry["event"].startswith("Balances")]
    assert said == ["Balances wait", "Balances are read again"]


@pytest.mark.parametrize("outage", [Outage.HTML_503, Outage.RESET, Outage.EMPTY_200])
async def test_a_failed_reading_is_none_and_never_a_loss(bank: Bank, outage: Outage) -> None:
    await bank.key()
    await bank.read()
    bank.sim.exchange("okx").outage = outage

    assert await bank.read(SIX) == 0
    assert len(await bank.readings()) == 1


async def test_a_jump_is_looked_at_again_soon_and_then_believed(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    await bank.key()
    await bank.read()
    worth(monkeypatch, "4000")

    assert await bank.read(SIX) == 1
    assert await bank.read(timedelta(seconds=45)) == 1
    assert [quality for _, _, quality, _ in await bank.readings()] == ["ok", "suspect", "ok"]


async def test_an_empty_account_is_doubted_once_and_not_asked_for_ever(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.key()
    await bank.read()
    worth(monkeypatch, "0")

    counts = [await bank.read(SIX), *[await bank.read(timedelta(seconds=45)) for _ in range(3)]]

    assert counts == [1, 1, 0, 0]
    assert [quality for _, _, quality, _ in await bank.readings()] == ["ok", "suspect", "suspect"]


async def test_half_an_account_is_stored_as_such_and_never_used(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    wallets = [{"activate": True, "balance": "10", "walletName": "Spot"}, {"activate": True, "walletName": "Funding"}]
    monkeypatch.setitem(SIMULATED["binance"].answers, BINANCE, lambda _request, _account: Reply(200, wallets))
    await bank.key("binance")

    await bank.read()

    assert await bank.readings() == [("binance", 10.0, "partial", "USDT")]
    assert await bank.core.db.fetchval("SELECT remark FROM performance_equity") == "Without a price: Funding."


async def test_two_daemons_read_each_account_once(bank: Bank) -> None:
    await bank.key()
    other = replace(bank.core.balances, told=set())

    counts = await asyncio.gather(bank.read(), other.read_due())

    assert sorted(counts) == [0, 1]


async def test_daily_returns_follow_from_what_is_read(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    await bank.key()
    await bank.read(timedelta(0))
    for total in ("9000", "9090", "9090", "9090", "9180.9", "9180.9"):
        worth(monkeypatch, total)
        await bank.read(SIX)

    await settle(bank.core.db, await watched_after(bank.core.db, None, limit=9), bank.clock())

    rows = await bank.core.db.fetch("SELECT value FROM performance_returns ORDER BY day")
    assert [round(row["value"], 9) for row in rows] == [0.01]


async def test_an_exchange_that_cannot_be_read_is_named_once(bank: Bank) -> None:
    await bank.key("gate")

    with capture_logs() as logs:
        await bank.read()
        await bank.read(SIX)

    [told] = [entry for entry in logs if "No equity is read" in entry["event"]]
    assert told["exchanges"] == ["gate"]


async def test_a_subject_of_that_name_is_left_to_whoever_sends_it(bank: Bank) -> None:
    await bank.key()
    await bank.core.db.execute(
        """
        INSERT INTO performance_subjects (id, tenant_id, kind, name, created_at)
        VALUES (gen_random_uuid(), $1, 'account', 'okx', $2)
        """,
        bank.tenant,
        bank.clock(),
    )

    assert await bank.read() == 0
