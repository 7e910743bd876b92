"""An exchange and a receiver that take as long as real ones, in a process of their own.

Both can be told to withhold their answers, so that work is under way for as long as one likes.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Final

import uvloop

from benchmarks.checking.exchange import Binance, connections
from benchmarks.delivering.receiver import Answering

# The shortest and the longest time to an answer.
EXCHANGE_SECONDS: Final = (0.02, 0.05)
RECEIVER_SECONDS: Final = (0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Asked:
    """When requests came, in seconds of the monotonic clock; those of the exchange were signed."""

    exchange: list[float]
    receiver: list[float]


@dataclass(frozen=True, slots=True)
class Outside:
    """The addresses of the two, and what they can be told."""

    exchange: str
    receiver: str
    _pipe: Connection

    def hold(self) -> None:
        """From now on requests are taken and not answered."""
        self._say("hold")

    def release(self) -> None:
        """Answer them all, and the next ones as usual."""
        self._say("release")

    def asked(self) -> Asked:
        """Every request since the last call."""
        self._pipe.send("asked")
        asked: Asked = self._pipe.recv()
        return asked

    def _say(self, word: str) -> None:
        self._pipe.send(word)
        self._pipe.recv()


@contextmanager
def open_outside() -> Iterator[Outside]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there,), daemon=True)
    process.start()
    there.close()  # so that its end is noticed here
    try:
        exchange, receiver = here.recv()
        yield Outside(f"http://127.0.0.1:{exchange}", f"http://127.0.0.1:{receiver}", here)
    finally:
        process.terminate()
        process.join()


@dataclass
class _Desk:
    """Where answers wait until it is time."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    asked: Asked = field(default_factory=lambda: Asked([], []))
    holding: bool = False
    held: list[Callable[[], None]] = field(default_factory=list)

    def later(self, answer: Callable[[], None], seconds: tuple[float, float]) -> None:
        if self.holding:
            self.held.append(answer)
        else:
            asyncio.get_running_loop().call_later(self.chance.uniform(*seconds), answer)

    def obey(self, word: str) -> Asked | None:
        """One word from the other side of the pipe."""
        if word == "asked":
            asked, self.asked = self.asked, Asked([], [])
            return asked
        self.holding = word == "hold"
        if not self.holding:
            for answer in self.held:
                answer()
            self.held.clear()
        return None


class _Exchange(Binance):
    def __init__(self, desk: _Desk, pages: Mapping[bytes, bytes], refusals: Mapping[str, bytes]) -> None:
        super().__init__(pages, refusals)
        self._desk = desk

    def say(self, answer: bytes) -> None:
        self._desk.asked.exchange.append(time.monotonic())
        self._desk.later(partial(self._write, answer), EXCHANGE_SECONDS)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            super().say(answer)


class _Receiver(Answering):
    def __init__(self, desk: _Desk) -> None:
        super().__init__({})
        self._desk = desk

    def answer(self, kind: str) -> None:  # noqa: ARG002 - all are alike here
        self._desk.asked.receiver.append(time.monotonic())
        self._desk.later(self.say, RECEIVER_SECONDS)


def _work(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    desk, loop = _Desk(), asyncio.get_running_loop()
    exchange = await loop.create_server(connections(partial(_Exchange, desk)), "127.0.0.1", 0, backlog=1024)
    receiver = await loop.create_server(lambda: _Receiver(desk), "127.0.0.1", 0, backlog=1024)
    pipe.send([server.sockets[0].getsockname()[1] for server in (exchange, receiver)])
    while True:
        pipe.send(desk.obey(await loop.run_in_executor(None, pipe.recv)))
