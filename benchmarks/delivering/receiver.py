"""A receiver that costs next to nothing, in a process of its own: answers 204 and notes when each webhook-id came."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, cast

import uvloop

NO_CONTENT: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
SLOW_SECONDS: Final = 1.0

Arrivals = dict[str, float]


@dataclass(frozen=True, slots=True)
class Receiver:
    """`/healthy/…` is answered at once, `/slow/…` after a second, `/dead/…` never; nobody listens at `closed_port`."""

    port: int
    closed_port: int
    _pipe: Connection

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def arrivals(self) -> Arrivals:
        """The monotonic time at which each webhook-id came first, since the last call."""
        self._pipe.send("arrivals")
        arrivals: Arrivals = self._pipe.recv()
        return arrivals


@contextmanager
def receiving() -> Iterator[Receiver]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there,), daemon=True)
    process.start()
    try:
        port, closed_port = here.recv()
        yield Receiver(port, closed_port, here)
    finally:
        process.terminate()
        process.join()


class Answering(asyncio.Protocol):
    """Just enough HTTP for requests that come one after the other."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if len(body) < int(headers["content-length"]):
            return
        self._read = b""
        self._arrivals.setdefault(headers.get("webhook-id", ""), time.monotonic())
        self.answer(lines[0].split("/")[1])

    def answer(self, kind: str) -> None:
        if kind == "slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.say)
        elif kind != "dead":
            self.say()

    def say(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(NO_CONTENT)


def _work(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    arrivals: Arrivals = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(arrivals), "127.0.0.1", 0, backlog=1024)
    closed = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    closed_port = closed.sockets[0].getsockname()[1]
    closed.close()
    pipe.send((server.sockets[0].getsockname()[1], closed_port))
    while True:
        await loop.run_in_executor(None, pipe.recv)
        pipe.send(arrivals)
        arrivals.clear()
