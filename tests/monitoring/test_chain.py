"""The whole way: a daemon dies, a real Prometheus notices, a real Alertmanager tells the pager."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web

from tests.e2e.conftest import home as home
from tests.e2e.daemon import Home, running
from tests.e2e.waiting import until_answered
from tests.monitoring.test_names import FOLDER

pytestmark = pytest.mark.prometheus


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def process(*command: str, folder: Path) -> AsyncIterator[None]:
    with (folder / "log").open("ab") as log:
        started = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    except BaseException as exc:
        exc.add_note((folder / "log").read_text()[-2000:])
        raise
    finally:
        started.terminate()
        await started.wait()


@asynccontextmanager
async def pager(calls: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[int]:
    """Where Alertmanager posts to; its port."""

    async def answer(request: web.Request) -> web.Response:
        calls.put_nowait({"path": request.path, **await request.json()})
        return web.Response()

    app = web.Application()
    app.router.add_post("/{receiver}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


def write_shipped(folder: Path, *, alertd: str, alertmanager: int, pager: int) -> None:
    """The files as they are shipped, with our addresses, and minutes that are no time at all."""
    replaced = {
        "127.0.0.1:8089": alertd,
        "127.0.0.1:9093": f"127.0.0.1:{alertmanager}",
        "127.0.0.1:9095": f"127.0.0.1:{pager}",
        "group_wait: 30s": "group_wait: 0s",
    }
    for file in FOLDER.glob("*.yml"):
        text = re.sub(r"for: \d+m", "for: 0s", file.read_text())
        for shipped, ours in replaced.items():
            text = text.replace(shipped, ours)
        (folder / file.name).write_text(text)
    often = "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\n"
    config = folder / "prometheus.yml"
    config.write_text(often + config.read_text())


async def asked(session: ClientSession, url: str, **query: str) -> Any:
    try:
        async with session.get(url, params=query) as response:
            return await response.json(content_type=None) if response.status == 200 else None
    except ClientError:
        return None


async def test_death_of_the_daemon_reaches_the_pager(home: Home, dsn: str, tmp_path: Path) -> None:
    calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    prometheus, alertmanager = free_port(), free_port()
    query = f"http://127.0.0.1:{prometheus}/api/v1/query"
    async with pager(calls) as port, running(home, {"ALERTD_DATABASE__DSN": dsn}) as daemon, ClientSession() as session:
        write_shipped(tmp_path, alertd=daemon.url.removeprefix("http://"), alertmanager=alertmanager, pager=port)
        ours = [
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ]
        theirs = ["--config.file=alertmanager.yml", "--storage.path=am", "--cluster.listen-address="]
        theirs += [f"--web.listen-address=127.0.0.1:{alertmanager}"]
        async with (
            process("prometheus-alertmanager", *theirs, folder=tmp_path),
            process("prometheus", *ours, folder=tmp_path),
        ):
            await until_answered(lambda: scraped(session, query))
            await daemon.kill()
            async with asyncio.timeout(40):
                call = await call_about("AlertdDown", calls)

    [alert] = call["alerts"]
    assert (call["path"], alert["status"]) == ("/page", "firing")


async def call_about(name: str, calls: asyncio.Queue[dict[str, Any]]) -> dict[str, Any]:
    """The first one; without any patience, other rules may ring while the daemon starts."""
    while (call := await calls.get())["groupLabels"]["alertname"] != name:
        continue
    return call


async def scraped(session: ClientSession, query: str) -> bool:
    """Prometheus has seen a daemon that is well."""
    answer = await asked(session, query, query="alertd_database_up == 1")
    return bool(answer and answer["data"]["result"])
