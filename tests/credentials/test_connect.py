"""A detour changes where a connection goes, and nothing of what travels on it."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from alertd.credentials.connect import open_session, trust

URL = "https://api.example.com/v1/account?a=b%2Fc"


@dataclass(frozen=True)
class Listening:
    plain: str
    tls: str


async def echo(request: web.BaseRequest) -> web.Response:
    return web.json_response(
        {"host": request.host, "target": request.raw_path, "cookie": request.headers.get("Cookie")}
    )


@pytest.fixture
def certificate(tmp_path: Path, now: datetime) -> Path:
    """Key and certificate of api.example.com, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path / "api.example.com.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return file


@pytest.fixture
async def listening(certificate: Path) -> AsyncIterator[Listening]:
    runner = web.ServerRunner(web.Server(echo))
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    plain, tls = (address[1] for address in runner.addresses)
    yield Listening(f"http://127.0.0.1:{plain}", f"https://localhost:{tls}")
    await runner.cleanup()


async def test_a_plain_detour_keeps_host_and_target(listening: Listening) -> None:
    async with (
        open_session(context=trust(), timeout_seconds=5, connect_to=listening.plain) as session,
        session.get(aiohttp.client.URL(URL, encoded=True)) as response,
    ):
        seen = await response.json()

    assert (seen["host"], seen["target"]) == ("api.example.com", "/v1/account?a=b%2Fc")


async def test_a_detour_over_tls_still_wants_the_exchanges_own_certificate(
    listening: Listening, certificate: Path
) -> None:
    context = ssl.create_default_context(cafile=certificate)

    async with (
        open_session(context=context, timeout_seconds=5, connect_to=listening.tls) as session,
        session.get(URL) as response,
    ):
        seen = await response.json()

    assert seen["host"] == "api.example.com"


async def test_a_certificate_that_nobody_vouches_for_is_refused(listening: Listening) -> None:
    async with open_session(context=trust(), timeout_seconds=5, connect_to=listening.tls) as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(URL)


async def test_cookies_do_not_ride_along(listening: Listening) -> None:
    async with open_session(context=trust(), timeout_seconds=5, connect_to=listening.plain) as session:
        session.cookie_jar.update_cookies({"session": "of another tenant"})
        async with session.get(URL) as response:
            seen = await response.json()

    assert seen["cookie"] is None


async def test_the_environments_proxies_are_ignored(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    async with (
        open_session(context=trust(), timeout_seconds=5, connect_to=listening.plain) as session,
        session.get(URL) as response,
    ):
        assert response.status == 200
