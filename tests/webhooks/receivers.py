"""Receivers at TCP level: each plays one way of answering, also those that no server library would."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alertd.webhooks.addresses import Policy
from alertd.webhooks.dns import Names
from alertd.webhooks.post import Poster, Request, open_poster

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LOOPBACK = Policy(allow_cidrs=(ip_network("127.0.0.0/8"),), allow_http=True, ports=frozenset())
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Script = Callable[["Talk"], Awaitable[None]]


@dataclass
class Talk:
    """One accepted connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """Head and body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:")
        )
        return head + await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close so that the other side sees a reset and not an end."""
        plug = self.writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Receiver:
    """`connections` were accepted, `requests` were read by `answering`."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"


@asynccontextmanager
async def receiving(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A listener on 127.0.0.1 that runs the script on every connection and then closes it."""
    receiver = Receiver()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        try:
            await script(Talk(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@asynccontextmanager
async def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Reads requests and gives the answers in turn; the last one again and again."""
    left = list(answers)

    async def script(talk: Talk) -> None:
        while True:
            receiver.requests.append(await talk.request())
            await talk.say(left.pop(0) if len(left) > 1 else left[0])

    async with receiving(script, tls=tls) as receiver:
        yield receiver


@asynccontextmanager
async def posting(
    policy: Policy = LOOPBACK,
    *,
    seconds: float = 5.0,
    ca: Path | None = None,
    hosts: dict[str, tuple[str, ...]] | None = None,
) -> AsyncIterator[Poster]:
    """A poster whose name servers know exactly `hosts`."""
    known = hosts or {}
    names = Names(lambda host: tuple(ip_address(address) for address in known.get(host, ())))
    async with open_poster(policy, names, timeout=timedelta(seconds=seconds), ca=ca) as poster:
        yield poster
    await names.close()


def to(url: str, body: bytes = b"{}") -> Request:
    return Request(url, {"Content-Type": "application/json"}, body)


def authority(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority of our own, and a server context with its certificate for `host`."""
    ca_key, ca = _certificate("Test authority", issuer=None, key=None)
    key, certificate = _certificate(host, issuer=ca, key=ca_key)
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    server_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    return ca_file, context


def _certificate(
    name: str, *, issuer: x509.Certificate | None, key: ec.EllipticCurvePrivateKey | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    own_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(own_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        .sign(key or own_key, hashes.SHA256())
    )
    return own_key, certificate
