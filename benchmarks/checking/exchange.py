"""A simulated Binance in a process of its own: verifies every signature, and is too fast to be the bottleneck.

The exchanges of `alertd demo` are written to be read; this one is a bare protocol, so that what is measured
is the client. The secret of a key is the key written backwards; a key that starts with `R` was revoked.
"""

import asyncio
import gzip
import hashlib
import hmac
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

import uvloop

from benchmarks.checking import markets
from benchmarks.checking.meter import pin

CORE: Final = 0
WINDOW_SECONDS: Final = 60.0

RESTRICTIONS: Final = {
    "ipRestrict": True,
    "createTime": 1698645219000,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "enableMargin": False,
    "enableFutures": False,
    "permitsUniversalTransfer": False,
    "enableVanillaOptions": False,
    "enableFixApiTrade": False,
    "enableFixReadOnly": False,
    "enableSpotAndMarginTrading": True,
    "enablePortfolioMarginTrading": False,
}
ACCOUNT: Final = {
    "makerCommission": 10,
    "canTrade": True,
    "accountType": "SPOT",
    "balances": [{"asset": f"C{n}", "free": "0.10000000", "locked": "0.00000000"} for n in range(10)],
    "permissions": ["SPOT"],
    "uid": 354937868,
}
# As many headers as come from Binance through its content network.
HEADERS: Final = (
    b"Content-Type: application/json;charset=UTF-8\r\nConnection: keep-alive\r\nServer: nginx\r\n"
    b"Date: %s\r\nx-mbx-uuid: 5f8dd9a1-39de-45fa-b0a4-5b6f2f2b4f2b\r\nx-mbx-used-weight: 12\r\n"
    b"x-mbx-used-weight-1m: 12\r\nx-sapi-used-ip-weight-1m: 1\r\nStrict-Transport-Security: max-age=31536000\r\n"
    b"X-Frame-Options: SAMEORIGIN\r\nX-Xss-Protection: 1; mode=block\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'self'\r\nCache-Control: no-cache, no-store, must-revalidate\r\n"
    b"Pragma: no-cache\r\nExpires: 0\r\nX-Cache: Miss from cloudfront\r\nX-Amz-Cf-Pop: FRA60-P5\r\n"
    b"Via: 1.1 0f2b.cloudfront.net (CloudFront)\r\nX-Amz-Cf-Id: Zx0aL1v5WQ3k8mUe2rT7yB4nH6jD9cS1fG==\r\n"
)


def key_pair(number: int, *, revoked: bool = False) -> tuple[str, str]:
    """The n-th API key and its secret, 64 letters each as Binance's are."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    key = ("R" if revoked else "k") + digest[1:]
    return key, key[::-1]


@contextmanager
def running_exchange() -> Iterator[str]:
    """Starts it, and answers its address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


class Binance(asyncio.Protocol):
    """One connection; requests have no body. Made by `connections`."""

    def __init__(self, pages: Mapping[bytes, bytes], refusals: Mapping[str, bytes]) -> None:
        self._pages = pages
        self._refusals = refusals
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[:end], self._received[end + 4 :]
            self.say(self._answer(head))

    def say(self, answer: bytes) -> None:
        self._transport.write(answer)

    def _answer(self, head: bytes) -> bytes:
        line, _, rest = head.partition(b"\r\n")
        path, _, query = line.split(b" ")[1].partition(b"?")
        fault = _fault(query, rest) if query else None
        return self._refusals[fault] if fault else self._pages.get(path, self._refusals["unknown"])


def _fault(query: bytes, headers: bytes) -> str | None:
    """What is wrong with a signed request."""
    key = headers[_after(headers, b"x-mbx-apikey: ") :].partition(b"\r\n")[0]
    payload, _, signature = query.partition(b"&signature=")
    made = hmac.new(key[::-1], payload, "sha256").hexdigest().encode()
    if not hmac.compare_digest(made, signature):
        return "signature"
    stamp = payload[payload.index(b"timestamp=") + 10 :].partition(b"&")[0]
    if abs(time.time() - int(stamp) / 1000) > WINDOW_SECONDS:
        return "time"
    return "revoked" if key.startswith(b"R") else None


def _after(text: bytes, name: bytes) -> int:
    return text.lower().index(name) + len(name)


def _serve(ready: Connection) -> None:
    pin(CORE)
    uvloop.run(_accept(ready))


async def _accept(ready: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connections(Binance), "127.0.0.1", 0, backlog=1024)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def connections(kind: Callable[[Mapping[bytes, bytes], Mapping[str, bytes]], Binance]) -> Callable[[], Binance]:
    """What a server needs: makes one for each connection, all with the same answers."""
    bodies = {
        "/sapi/v1/account/apiRestrictions": _packed(RESTRICTIONS),
        "/api/v3/account": _packed(ACCOUNT),
        **markets.answers(),
    }
    pages = {path.encode(): _page(b"200 OK", body) for path, body in bodies.items()}
    refusals = {
        "signature": _refusal(b"400 Bad Request", -1022, "Signature for this request is not valid."),
        "time": _refusal(b"400 Bad Request", -1021, "Timestamp for this request is outside of the recvWindow."),
        "revoked": _refusal(b"401 Unauthorized", -2015, "Invalid API-key, IP, or permissions for action."),
        "unknown": _refusal(b"404 Not Found", -1000, "Unknown path."),
    }
    return lambda: kind(pages, refusals)


def _packed(body: object) -> bytes:
    return gzip.compress(json.dumps(body).encode())


def _refusal(status: bytes, code: int, message: str) -> bytes:
    return _page(status, _packed({"code": code, "msg": message}))


def _page(status: bytes, body: bytes) -> bytes:
    """A whole answer, packed as Binance packs it for clients that accept gzip; all of ours do."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()
    length = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + HEADERS % date + length + body
