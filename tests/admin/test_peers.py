"""Who is asking, and whom: proxies, host names, and pages of others."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from alertd.admin.peers import peer_of
from tests.admin.port import ADMIN, KEYS, Port, open_port

ME = "/api/performance-alerts/auth/me"
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy of ours: what it says is its own affair
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),  # the rest was sent by the client
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, "], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("fd00::1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [",".join(["10.0.0.1"] * 10_000)], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("", [], "local"),
        (None, ["198.51.100.7"], "local"),
    ],
)
def test_peer(remote: str | None, forwarded: list[str], peer: str) -> None:
    assert peer_of(remote, forwarded, PROXIES) == peer


@pytest.fixture
async def proxied(dsn, tmp_path, now) -> AsyncIterator[Port]:
    environ = {
        **KEYS,
        "ALERTD_ADMIN__BEHIND_PROXY": "true",
        "ALERTD_ADMIN__TRUSTED_PROXIES": "127.0.0.1",
        "ALERTD_ADMIN__ALLOWED_HOSTS": "Alertd.example.com",
    }
    async with open_port(dsn, tmp_path, now, environ=environ) as port:
        yield port


async def peer_in_the_log(port: Port) -> str:
    login = {"api_key": ADMIN}
    await port.ask("POST", ME.replace("me", "login"), json=login, headers={"X-Forwarded-For": "198.51.100.7"})
    peer: str = (await port.ask("GET", "/api/v1/audit")).json["items"][0]["peer"]
    return peer


async def test_proxy_of_ours_is_believed(proxied: Port) -> None:
    assert await peer_in_the_log(proxied) == "198.51.100.7"


async def test_nobody_is_believed_otherwise(port: Port) -> None:
    assert await peer_in_the_log(port) == "127.0.0.1"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8089",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.1:1",
        "192.0.2.7",
        "[::1]",
        "[::1]:8089",
        "[fe80::1]",
    ],
)
async def test_loopback_names_and_addresses_are_served(port: Port, host: str) -> None:
    assert (await port.ask("GET", ME, headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example.com", "localhost.evil.example.com", "127.0.0.1.evil.example.com", "alertd", "0x7f000001"]
)
async def test_name_that_is_not_ours_is_421(port: Port, host: str) -> None:
    answer = await port.ask("GET", ME, headers={"Host": host})

    assert (answer.status, answer.headers["Content-Type"]) == (421, "application/problem+json")
    assert host not in answer.text


@pytest.mark.parametrize("host", ["", " ", "a/b", "@", "user@localhost", "[", "localhost:port", "a:b:c"])
async def test_host_that_is_none_is_400_or_421(port: Port, host: str) -> None:
    assert (await port.ask("GET", ME, headers={"Host": host})).status in {400, 421}


@pytest.mark.parametrize(
    ("host", "status"), [("alertd.example.com", 200), ("ALERTD.example.com:443", 200), ("evil.com", 421)]
)
async def test_names_of_the_settings_are_served(proxied: Port, host: str, status: int) -> None:
    assert (await proxied.ask("GET", ME, headers={"Host": host})).status == status


async def test_health_under_a_foreign_name_is_421_too(port: Port) -> None:
    assert (await port.ask("GET", "/-/healthy", headers={"Host": "evil.example.com"})).status == 421


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /-/healthy HTTP/1.1\r\n", b"400"),
        (b"GET /-/healthy HTTP/1.0\r\n", b"200"),
        (b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n", b"400"),
        (b"GET http://evil.example.com/-/healthy HTTP/1.1\r\nHost: evil.example.com\r\n", b"421"),
    ],
)
async def test_host_header_is_needed_once(port: Port, request_head: bytes, status: bytes) -> None:
    answer = await port.say(request_head + b"Connection: close\r\n\r\n")

    assert answer.split()[1] == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://evil.example.com", 403), ("null", 403), ("http://localhost:1", 403), ("http://localhost", 201)],
)
async def test_page_of_another_origin_changes_nothing(port: Port, origin: str, status: int) -> None:
    answer = await port.ask(
        "POST", "/api/v1/keys", json={"role": "viewer", "name": "x"}, headers={"Origin": origin, "Host": "localhost"}
    )

    assert answer.status == status


async def test_page_of_another_origin_is_told_nothing_about_cors(port: Port) -> None:
    answer = await port.ask("OPTIONS", "/api/v1/keys", headers={"Origin": "http://evil.example.com"})

    assert answer.status == 405
    assert "Access-Control-Allow-Origin" not in answer.headers
