"""How long does the admin port take to answer while every key is checked, against a daemon at rest?

    python benchmarks/api.py           # 5,000 keys, a minute and a half
    python benchmarks/api.py --full    # 50,000

A real daemon on its own PostgreSQL, with keys in sealed files and an exchange that verifies signatures in
another process. Somebody asks it for lists, health, metrics and alerts, so many times a second whether or not
the answers come; waiting for a late answer counts. At rest the same keys are there and none is due.
"""

import argparse
import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.checking.exchange import running_exchange
from benchmarks.checking.stores import fill_files
from benchmarks.report import Aim, conclude, flat

KEY: Final = "admin-key-of-the-benchmark"
HEADERS: Final = {"X-Alert-API-Key": KEY}
MIX: Final = (
    "/-/healthy",
    "/api/v1/credentials?limit=50",
    "/api/v1/credentials/health?limit=50",
    "/api/v1/credentials/health?verdict=invalid",
    "/api/v1/alerts",
    "/api/v1/deliveries",
    "/-/ready",
    "/metrics",
)
PER_SECOND: Final = 50
ROUNDS: Final = 3  # of rest and sweep in turn; of several the median, as others have work on this machine, too
REST_SECONDS: Final = 8.0
AT_LEAST_SECONDS: Final = 8.0  # of sweeping: short ones are repeated
PATIENCE_SECONDS: Final = 1800.0
AIM: Final = 3.0
ALL: Final = "all"


@dataclass(slots=True)
class Asked:
    """How long each address took, in milliseconds."""

    times: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in MIX})

    def of(self, name: str) -> list[float]:
        """Those of one address, or of all."""
        return [spent for path, times in self.times.items() for spent in times if name in (path, ALL)]


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


@asynccontextmanager
async def asking(client: aiohttp.ClientSession) -> AsyncIterator[Asked]:
    """Asks all the while; a request that is due is sent whether or not those before it were answered."""
    asked, under_way = Asked(), set[asyncio.Task[None]]()

    async def one(path: str, due: float) -> None:
        async with client.get(path) as answer:
            await answer.read()
            assert answer.status == 200, (path, answer.status)
        asked.times[path].append((time.perf_counter() - due) * 1000)

    async def all_the_while() -> None:
        due = time.perf_counter()
        for path in cycle(MIX):
            due += 1 / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(one(path, due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    asking = asyncio.create_task(all_the_while())
    try:
        yield asked
    finally:
        asking.cancel()
        await asyncio.gather(*under_way)


async def swept(client: aiohttp.ClientSession) -> float:
    """One sweep of everything, to its end; how many seconds it took."""
    began = time.perf_counter()
    async with client.post("/api/v1/sweeps") as answer:
        assert answer.status == 202, await answer.text()
        place = f"/api/v1/sweeps/{(await answer.json())['id']}"
    while True:
        await asyncio.sleep(0.2)
        async with client.get(place) as answer:
            state = (await answer.json())["state"]
        if state != "running":
            assert state == "completed", state
            return time.perf_counter() - began


async def until_checked(client: aiohttp.ClientSession, count: int) -> None:
    """The first checks, which a new daemon makes at once."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await asyncio.sleep(0.5)
            async with client.get("/api/v1/overview") as answer:
                exchanges = (await answer.json())["exchanges"]
            if sum(each["total"] - each["unchecked"] for each in exchanges) == count:
                return


@asynccontextmanager
async def daemon(home: Path, exchange_url: str) -> AsyncIterator[str]:
    """`alertd run`; yields the address of its admin port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binance = {"CONNECT_TO": exchange_url, "REQUESTS_PER_SECOND": "1000000"}
    given = {f"ALERTD_EXCHANGES__BINANCE__{name}": value for name, value in binance.items()}
    own = {"ALERTD_STATE_DIR": str(home), "PORT": str(port), "ALERT_ADMIN_API_KEY": KEY, "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "alertd", "run", env={"PATH": os.environ["PATH"], **own, **given}, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_ready(url)
        yield url
    except TimeoutError:
        raise SystemExit((home / "log").read_text()[-2000:]) from None
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession(url) as client, asyncio.timeout(60):
        while True:
            try:
                async with client.get("/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)


async def measure(home: Path, exchange_url: str, count: int) -> tuple[list[Asked], list[Asked], list[float]]:
    """What the mix took at rest and while sweeping, in each round, and how long each sweep took."""
    async with daemon(home, exchange_url) as url, aiohttp.ClientSession(url, headers=HEADERS) as client:
        await until_checked(client, count)
        async with asking(client):
            await asyncio.sleep(2)  # plans, caches, connections
        at_rest: list[Asked] = []
        sweeping: list[Asked] = []
        sweeps: list[float] = []
        for _ in range(ROUNDS):
            async with asking(client) as asked:
                await asyncio.sleep(REST_SECONDS)
            at_rest.append(asked)
            began = len(sweeps)
            async with asking(client) as asked:
                while sum(sweeps[began:]) < AT_LEAST_SECONDS:
                    sweeps.append(await swept(client))
            sweeping.append(asked)
        return at_rest, sweeping, sweeps


def rows_of(at_rest: list[Asked], sweeping: list[Asked]) -> dict[str, dict[str, float]]:
    """Of each address, and of all together."""
    return {
        name: {
            f"{when}_{what}_ms": median(figure(asked.of(name)) for asked in rounds)
            for when, rounds in (("rest", at_rest), ("sweeping", sweeping))
            for what, figure in (("p50", median), ("p99", p99))
        }
        for name in (*MIX, ALL)
    }


def show(rows: dict[str, dict[str, float]]) -> None:
    print(f"{f'{PER_SECOND} requests a second, ms':44}{'at rest':>18}{'while sweeping':>20}")
    print(f"{'':44}{'p50':>9}{'p99':>9}{'p50':>11}{'p99':>9}")
    for name, row in rows.items():
        print(
            f"{name:44}{row['rest_p50_ms']:>9.1f}{row['rest_p99_ms']:>9.1f}"
            f"{row['sweeping_p50_ms']:>11.1f}{row['sweeping_p99_ms']:>9.1f}"
        )


def main(count: int, name: str) -> None:
    with TemporaryDirectory(prefix="alertd-bench-") as folder, running_exchange() as address:
        state = Path(folder)
        state.chmod(0o755)
        fill_files(state, count)
        at_rest, sweeping, sweeps = uvloop.run(measure(state, address, count))
    seconds = sum(sweeps) / len(sweeps)
    print(f"{len(sweeps)} sweeps of {count:,} keys, {seconds:.1f} s each ({count / seconds:,.0f} a second)\n")
    rows = rows_of(at_rest, sweeping)
    show(rows)
    ratio = rows[ALL]["sweeping_p99_ms"] / rows[ALL]["rest_p99_ms"]
    conclude(
        name,
        aims=[
            Aim(f"while {count:,} keys are swept p99 is {ratio:.1f} times that at rest (at most {AIM:g})", ratio <= AIM)
        ],
        figures=flat(rows | {"sweep": {"keys": count, "keys_per_second": count / seconds}}),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="50,000 keys")
    if parser.parse_args().full:
        main(50_000, "api --full")
    else:
        main(5_000, "api")
