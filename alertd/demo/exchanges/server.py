"""All simulated exchanges behind one loopback port: told apart by the Host header, scripted while they run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from alertd.demo.exchanges.outages import PAGES
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.shape import Account, Outage, Reply, Request, Rights, Simulated, State

DEAD_SECONDS: Final = 3600.0
REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request that arrived, and what became of it. `state` is None where an outage came first."""

    at: datetime
    exchange: str
    method: str
    path: str
    key: str
    state: State | None


@dataclass(slots=True)
class Script:
    """What an exchange as a whole is doing; `hidden` are paths that it does not have today."""

    outage: str = Outage.NONE
    delay_seconds: float = 0.0
    hidden: frozenset[str] = frozenset()


class Simulator:
    """The exchanges' accounts, scripts and request log. `url` is what `connect_to` must name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.url = ""
        self.requests: list[Recorded] = []
        self._now = now
        self._accounts: dict[tuple[str, str], Account] = {}
        self._scripts = {name: Script() for name in SIMULATED}
        self._by_host = {host: each for each in SIMULATED.values() for host in each.hosts}

    def exchange(self, name: str) -> Script:
        return self._scripts[name]

    def account(self, exchange: str, key: str) -> Account:
        return self._accounts[exchange, key]

    def add(
        self,
        exchange: str,
        number: int = 0,
        *,
        state: State = State.GOOD,
        rights: Rights | None = None,
        testnet: bool = False,
    ) -> Account:
        """Opens the account with the exchange's n-th key pair."""
        minted = SIMULATED[exchange].mint(number)
        account = Account(
            exchange, minted.key, minted.secret, minted.passphrase, state, rights or Rights(), testnet=testnet
        )
        account.number = number
        for name in (minted.key, *SIMULATED[exchange].aliases(account)):
            self._accounts[exchange, name] = account
        return account

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        exchange = self._by_host.get(raw.host.partition(":")[0])
        if exchange is None:
            return web.Response(status=421, text="No such exchange")
        script = self._scripts[exchange.id]
        request = await _read(raw)
        state = self._state(exchange, request) if script.outage == Outage.NONE else None
        self.requests.append(
            Recorded(self._now(), exchange.id, request.method, request.path, exchange.key_of(request), state)
        )
        del self.requests[:-REMEMBERED]
        if script.delay_seconds:
            await asyncio.sleep(script.delay_seconds)
        if state is None:
            return await _broken(raw, Outage(script.outage))
        public = exchange.public.get(f"{request.method} {request.path}")
        return self._answer(exchange, request, state) if public is None else self._response(public(request))

    def _state(self, exchange: Simulated, request: Request) -> State:
        account = self._accounts.get((exchange.id, exchange.key_of(request)))
        if account is None:
            return State.REVOKED
        if account.testnet is not exchange.on_testnet(request):
            return State.WRONG_SITE
        if account.state is State.REVOKED:
            return State.REVOKED
        found = exchange.verify(request, account, self._now())
        return account.state if found is State.GOOD else found

    def _answer(self, exchange: Simulated, request: Request, state: State) -> web.Response:
        answer = exchange.answers.get(f"{request.method} {request.path}")
        if answer is None or request.path in self._scripts[exchange.id].hidden:
            return self._response(exchange.unknown_path)
        account = self._accounts.get((exchange.id, exchange.key_of(request)))
        if account is not None and state is State.GOOD and request.path in account.forbidden:
            state = State.NO_RIGHT
        if account is not None and state is State.GOOD:
            return self._response(answer(request, account))
        refusal = exchange.refusals[state]
        return self._response(refusal if isinstance(refusal, Reply) else refusal(request, account))

    def _response(self, reply: Reply) -> web.Response:
        response = web.Response(
            status=reply.status, text=reply.text, content_type=reply.content_type, headers=reply.headers
        )
        response.headers["Date"] = self._now().astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response


async def _read(raw: web.BaseRequest) -> Request:
    return Request(
        method=raw.method,
        host=raw.host.partition(":")[0],
        path=raw.rel_url.raw_path,
        query=raw.rel_url.raw_query_string,
        headers=raw.headers,
        body=await raw.text(),
    )


async def _broken(raw: web.BaseRequest, outage: Outage) -> web.StreamResponse:
    if outage in PAGES:
        page = PAGES[outage]
        return web.Response(status=page.status, text=page.text, content_type=page.content_type, headers=page.headers)
    if outage is Outage.TIMEOUT:
        await asyncio.sleep(DEAD_SECONDS)
    if outage is Outage.TRUNCATED:
        await _half_an_answer(raw)
    if raw.transport is not None:
        raw.transport.abort()
    return web.Response()


async def _half_an_answer(raw: web.BaseRequest) -> None:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(raw)
    await response.write(b'{"code":"0","data":[')
    if raw.transport is not None:
        raw.transport.close()


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_simulator(now: Callable[[], datetime] = _wall_clock, *, port: int = 0) -> AsyncIterator[Simulator]:
    """Listens on loopback; port 0 picks a free one."""
    simulator = Simulator(now)
    runner = web.ServerRunner(web.Server(simulator.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, chosen = runner.addresses[0][:2]
    simulator.url = f"http://{host}:{chosen}"
    try:
        yield simulator
    finally:
        await runner.cleanup()
