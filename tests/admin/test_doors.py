"""The doors that the settings open: TLS on the port, and a UNIX socket beside it."""

import ssl
import stat
from datetime import datetime
from pathlib import Path

from aiohttp import ClientSession, UnixConnector

from tests.admin.port import ADMIN, KEYS, open_port
from tests.admin.routes.test_reload import write_certificate


async def test_port_speaks_tls_and_nothing_older(dsn: str, tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "admin.pem"
    write_certificate(file, 1, now)
    tls = {"ALERTD_ADMIN__TLS_CERT": str(file), "ALERTD_ADMIN__TLS_KEY": str(file)}
    context = ssl.create_default_context(cafile=file)
    context.check_hostname = False
    async with open_port(dsn, tmp_path, now, environ=KEYS | tls) as port:
        answer = await port.ask("GET", "/api/v1/audit", ssl=context)
        plain = await port.say(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert port.address.url.startswith("https://127.0.0.1:")
    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=31536000")
    assert b"HTTP" not in plain


async def test_socket_answers_with_the_same_keys(dsn: str, tmp_path: Path, now: datetime) -> None:
    door = tmp_path / "admin.sock"
    async with (
        open_port(dsn, tmp_path, now, environ=KEYS | {"ALERTD_ADMIN__SOCKET": str(door)}),
        ClientSession("http://localhost", connector=UnixConnector(str(door))) as client,
        client.get("/api/v1/audit", headers={"X-Alert-API-Key": ADMIN}) as known,
        client.get("/api/v1/audit") as stranger,
    ):
        mode = stat.S_IMODE(door.stat().st_mode)

    assert (known.status, stranger.status, oct(mode)) == (200, 401, "0o660")
