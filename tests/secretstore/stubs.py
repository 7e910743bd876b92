"""Servers that are not Vault, or not well: one that answers what it is told, one that never answers."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@asynccontextmanager
async def answering(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Yields the address of a server whose every path is `handler`'s."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answer(body: object, status: int = 200) -> web.Response:
    """JSON exactly as Vault sends it: without a charset."""
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")


def always(status: int, body: object) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler: HTML for a text, else JSON. The token may look itself up, so that logging in works."""

    async def handle(request: web.Request) -> web.Response:
        if request.path.endswith("/lookup-self"):
            return answer({"data": {"ttl": 0, "renewable": False}})
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return answer(body, status)

    return handle


@contextmanager
def hung_server() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Wire:
    """A connection to a server that breaks as often as it is told to; `broken` is how often it did."""

    target: str
    address: str = ""
    breaks: int = 0
    broken: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Breaks what is open, and everything later until `breaks` is 0 again."""
        self.breaks = 1_000_000
        for writer in self.open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.breaks > 0:
            self.breaks -= 1
            self.broken += 1
            await reader.read(1)
            reset = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            writer.transport.abort()
            return
        host, port = self.target.removeprefix("http://").split(":")
        behind_reader, behind_writer = await asyncio.open_connection(host, int(port))
        self.open.add(writer)
        await asyncio.gather(_pass(reader, behind_writer), _pass(behind_reader, writer))


@asynccontextmanager
async def wire_to(target: str, *, breaks: int = 0) -> AsyncIterator[Wire]:
    """The first `breaks` connections are reset in the middle of a request, the later ones reach `target`."""
    wire = Wire(target, breaks=breaks)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        wire.cut()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


def certificate_of_no_use() -> str:
    """For a server that wants to be told a CA although it will only speak plain HTTP."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something that is sure to come; pytest's own timeout ends what never does."""
    while not condition():
        await asyncio.sleep(0.02)
