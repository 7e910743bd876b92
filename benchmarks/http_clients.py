"""Which HTTP client should post the webhooks? Four ways in turn against one loopback receiver.

    python benchmarks/http_clients.py

Each way gets the same three seconds with 50 requests in flight, the receiver has a process of its
own, and nothing is verified or encrypted: what is measured is the cost of the client alone.
"""

import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import aiohttp
import httpx
from aiohttp import web
from httpx_aiohttp import AiohttpTransport

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.report import Aim, conclude, flat

IN_FLIGHT: Final = 50
SECONDS: Final = 3.0
BODY: Final = b'{"event":"credential.failed","error":"%s"}' % (b"x" * 600)
HEADERS: Final = {"content-type": "application/json", "accept-encoding": "identity"}
LAYERED: Final = "httpx on top of aiohttp"
BARE: Final = "aiohttp"
AIM: Final = 2.0  # what bare aiohttp must be worth, for us to do without httpx's interface

Post = Callable[[str], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Measure:
    """`cpu_ms`: processor time of the sending process for one POST."""

    per_second: float
    cpu_ms: float


@asynccontextmanager
async def httpx_anew() -> AsyncIterator[Post]:
    async def post(url: str) -> int:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.post(url, content=BODY, headers=HEADERS)).status_code

    yield post


@asynccontextmanager
async def httpx_shared() -> AsyncIterator[Post]:
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:

        async def post(url: str) -> int:
            return (await client.post(url, content=BODY, headers=HEADERS)).status_code

        yield post


@asynccontextmanager
async def httpx_on_aiohttp() -> AsyncIterator[Post]:
    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())

    transport = AiohttpTransport(client=session, trust_env=False)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:

        async def post(url: str) -> int:
            return (await client.post(url, content=BODY, headers=HEADERS)).status_code

        yield post


@asynccontextmanager
async def bare_aiohttp() -> AsyncIterator[Post]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:

        async def post(url: str) -> int:
            async with client.post(url, data=BODY, headers=HEADERS, allow_redirects=False) as response:
                await response.read()
                return response.status

        yield post


WAYS: Final = {
    "httpx, a new client for each attempt": httpx_anew,
    "httpx, one client": httpx_shared,
    LAYERED: httpx_on_aiohttp,
    BARE: bare_aiohttp,
}


async def measure(post: Post, url: str) -> Measure:
    await post(url)
    start, cpu = time.perf_counter(), _cpu_seconds()
    end = start + SECONDS

    async def poster() -> int:
        done = 0
        while time.perf_counter() < end:
            assert await post(url) == 204
            done += 1
        return done

    total = sum(await asyncio.gather(*(poster() for _ in range(IN_FLIGHT))))
    return Measure(per_second=total / (time.perf_counter() - start), cpu_ms=(_cpu_seconds() - cpu) / total * 1000)


async def main(url: str) -> None:
    results: dict[str, Measure] = {}
    for name, opening in WAYS.items():
        async with opening() as post:
            results[name] = await measure(post, url)
    slowest = min(result.per_second for result in results.values())
    print(f"{'':40}{'POST/s':>10}{'CPU ms':>10}{'ratio':>10}")
    for name, result in results.items():
        ratio = result.per_second / slowest
        print(f"{name:40}{result.per_second:>10,.0f}{result.cpu_ms:>10.2f}{ratio:>9.1f}x")
    times = results[BARE].per_second / results[LAYERED].per_second
    conclude(
        "http_clients",
        aims=[Aim(f"aiohttp posts {times:.1f} times as fast as httpx on top of it (at least {AIM:g})", times >= AIM)],
        figures=flat({name: asdict(result) for name, result in results.items()}),
    )


def receive(ready: Connection) -> None:
    """The receiver's process: reads the body, answers 204."""

    async def accept(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/", accept)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    receiver = context.Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    try:
        asyncio.run(main(f"http://127.0.0.1:{here.recv()}/"))
    finally:
        receiver.terminate()
