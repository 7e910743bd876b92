"""The real stack against simulated exchanges: ccxt, its signatures, our connections, a loopback server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from alertd.config import Settings
from alertd.credentials.exchange import Exchanges, open_exchanges
from alertd.credentials.limits import Limits
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account
from alertd.model import CredentialRef, CredentialType, Secret
from tests.credentials.exchanges.cases import CASES

TENANT = UUID("018f0000-0000-7000-8000-000000000001")
FAST = 100_000.0


def wall_clock() -> datetime:
    return datetime.now(UTC)


def settings_for(sim: Simulator, tmp_path: Path, *, timeout_seconds: float = 5.0) -> Settings:
    detour = {"connect_to": sim.url, "requests_per_second": FAST, "concurrency": 40}
    return Settings(
        state_dir=tmp_path,
        exchanges=dict.fromkeys(SIMULATED, detour),
        credentials={"timeout_seconds": timeout_seconds},
    )


def ref(exchange: str, kind: CredentialType = CredentialType.READONLY) -> CredentialRef:
    return CredentialRef(TENANT, exchange, kind)


def secret(account: Account) -> Secret:
    return Secret(account.key, account.secret, account.passphrase, testnet=account.testnet)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Whatever a test is about: nothing but the listed reads may have been requested in the end."""
    async with open_simulator() as opened:
        yield opened
    made = {(each.exchange, f"{each.method} {each.path}") for each in opened.requests}
    assert {(exchange, read) for exchange, read in made if read not in CASES[exchange].reads} == set()


@pytest.fixture
def limits(sim: Simulator, tmp_path: Path) -> Limits:
    return Limits(None, settings_for(sim, tmp_path), wall_clock)


def asking(
    settings: Settings, *, limits: Limits | None = None, now: Callable[[], datetime] = wall_clock
) -> AbstractAsyncContextManager[Exchanges]:
    """With a loop that never stands still."""
    chosen = limits or Limits(None, settings, wall_clock)
    return open_exchanges(settings, limits=chosen, now=now, stalled_since=lambda _: False)


@pytest.fixture
async def exchanges(sim: Simulator, limits: Limits, tmp_path: Path) -> AsyncIterator[Exchanges]:
    async with asking(settings_for(sim, tmp_path), limits=limits) as opened:
        yield opened
