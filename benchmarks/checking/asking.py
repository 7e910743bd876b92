"""Four ways to ask an exchange about one key, the published one first."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import ccxt.async_support as ccxt

from alertd.config import Settings
from alertd.credentials.exchange import open_exchanges
from alertd.credentials.limits import Limits
from alertd.db import apply_schema, new_id, open_db
from alertd.model import CredentialRef, CredentialType, Reason, Secret
from alertd.postgres import open_embedded
from alertd.process import LoopLag, supervising
from benchmarks.checking.exchange import key_pair
from benchmarks.checking.meter import CLIENT_CORE, Cost, best, metering, pin

KEYS: Final = 1000
RATE: Final = 1e6

# Checks the n-th key; raises if the exchange does not accept it.
Ask = Callable[[int], Awaitable[None]]


@asynccontextmanager
async def naive(url: str, *, markets: Mapping[str, object] | None = None) -> AsyncIterator[Ask]:
    """The published way: an instance of ccxt for each check, all it needs loaded, closed after it."""

    async def ask(number: int) -> None:
        key, secret = key_pair(number)
        exchange = ccxt.binance({"apiKey": key, "secret": secret, "enableRateLimit": True})
        exchange.urls["api"] = {
            name: url + place[place.index("/", 8) :] for name, place in exchange.urls["api"].items()
        }
        if markets is not None:
            exchange.markets = markets
        try:
            assert (await exchange.fetch_balance())["info"]
        finally:
            await exchange.close()

    yield ask


def naive_without_markets(url: str) -> AbstractAsyncContextManager[Ask]:
    """The same, spared the 10 MB of market data that a balance does not need."""
    return naive(url, markets={})


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Ask]:
    """The same signed request as ours, with nothing around it."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def ask(number: int) -> None:
            key, secret = PAIRS[number % KEYS]
            query = f"timestamp={int(time.time() * 1000)}&recvWindow=10000"
            signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
            async with session.get(
                f"{url}/sapi/v1/account/apiRestrictions?{query}&signature={signature}",
                headers={"X-MBX-APIKEY": key},
                allow_redirects=False,
            ) as response:
                assert json.loads(await response.read())["enableReading"]

        yield ask


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Ask]:
    """`exchange.ask` as the daemon has it, with the budget in a real database."""
    with TemporaryDirectory(prefix="alertd-bench-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(
            state_dir=Path(folder),
            exchanges={"binance": {"connect_to": url, "requests_per_second": RATE, "concurrency": 1000}},
        )
        lag = LoopLag()
        async with (
            open_embedded(settings.state_dir, attach=False) as dsn,
            open_db(dsn) as db,
            supervising(asyncio.Event()) as loops,
            open_exchanges(
                settings, limits=Limits(db, settings, _now), now=_now, stalled_since=lag.stalled_since
            ) as exchanges,
        ):
            loops.start("lag", lag.run)
            await apply_schema(db)
            tenant = new_id()
            refs = [CredentialRef(tenant, "binance", CredentialType.TRADING, str(n)) for n in range(KEYS)]

            async def ask(number: int) -> None:
                key, secret = PAIRS[number % KEYS]
                result = await exchanges.ask(refs[number % KEYS], Secret(key, secret))
                assert result.reason is Reason.OK, result

            yield ask


NAIVE: Final = "new ccxt instance, markets loaded"
NAIVE_LIGHT: Final = "new ccxt instance, markets={}"
BARE: Final = "bare aiohttp"
OURS: Final = "exchange.ask"
WAYS: Final[Mapping[str, Callable[[str], AbstractAsyncContextManager[Ask]]]] = {
    NAIVE: naive,
    NAIVE_LIGHT: naive_without_markets,
    BARE: bare,
    OURS: ours,
}
PAIRS: Final = [key_pair(number) for number in range(KEYS)]


async def measure(ways: Sequence[str], url: str, *, count: int, rounds: int, in_flight: int) -> dict[str, Cost]:
    """The cheapest of `rounds` rounds of `count` checks in each of these ways, in turn, `in_flight` at a time."""
    async with AsyncExitStack() as stack:
        asks = {way: await stack.enter_async_context(WAYS[way](url)) for way in ways}
        pin(CLIENT_CORE)
        for ask in asks.values():
            await _many(ask, in_flight, in_flight=in_flight)
        costs: dict[str, list[Cost]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, ask in asks.items():
                async with metering(count) as cost:
                    await _many(ask, count, in_flight=in_flight)
                costs[way].append(cost)
    return {way: best(found) for way, found in costs.items()}


async def _many(ask: Ask, count: int, *, in_flight: int) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    await asyncio.gather(*(work() for _ in range(in_flight)))


def _now() -> datetime:
    return datetime.now(UTC)
