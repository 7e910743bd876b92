"""The admin server from outside: what it answers, what it gives away, and how it stops."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import ClientSession, TCPConnector, UnixConnector, web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from alertd.admin.dispatch import PEER
from alertd.admin.server import Address, Endpoint, Surroundings, open_server
from alertd.db import Forbidden
from alertd.errors import Refused, StoreDown, StoreFault, Transient

HOST = "127.0.0.1"


async def fail(_: web.Request) -> web.Response:
    raise RuntimeError("inner detail")


async def conflict(_: web.Request) -> web.Response:
    raise web.HTTPConflict(text="A sweep is running.", headers={"Retry-After": "5"})


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/ui/")


async def fine(_: web.Request) -> web.Response:
    return web.json_response({"fine": True})


async def show_peer(request: web.Request) -> web.Response:
    return web.json_response(request[PEER])


async def greet(request: web.Request) -> web.Response:
    return web.json_response({"body": len(await request.read())})


async def break_off(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse()
    await stream.prepare(request)
    await stream.write(b"first half")
    raise RuntimeError("inner detail")


async def hang_up(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse()
    await stream.prepare(request)
    await stream.write(b"first half")
    raise ConnectionResetError


ROUTES = (
    Endpoint("GET", "/break-off", break_off),
    Endpoint("GET", "/hang-up", hang_up),
    Endpoint("GET", "/fail/{secret}", fail),
    Endpoint("GET", "/conflict", conflict),
    Endpoint("GET", "/redirect", redirect),
    Endpoint("POST", "/greet", greet),
    Endpoint("GET", "/fine", fine),
    Endpoint("GET", "/peer", show_peer),
)


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    async with open_server(ROUTES, host=HOST, port=0) as address:
        yield address


@pytest.fixture
async def client(address: Address) -> AsyncIterator[ClientSession]:
    async with ClientSession(address.url) as client:
        yield client


@pytest.fixture
def tls(tmp_path, now) -> ssl.SSLContext:
    """A server's side, with a certificate that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(3650))
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.sign(key, SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@asynccontextmanager
async def serving(*endpoints: Endpoint, **options) -> AsyncIterator[ClientSession]:
    async with (
        open_server(endpoints, host=HOST, port=0, surroundings=Surroundings(**options)) as address,
        ClientSession(address.url) as client,
    ):
        yield client


async def say(address: Address, data: bytes) -> bytes:
    """What the server answers to these bytes before it hangs up."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("POST", "/fine", 405), ("GET", "/fail/x", 500), ("GET", "/conflict", 409)],
)
async def test_error_is_a_problem(client, method, path, status):
    async with client.request(method, path) as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["status"]) == (status, status)
    assert problem.keys() >= {"type", "title", "detail"}


async def test_wrong_method_is_told_the_right_one(client):
    async with client.post("/fine") as answer:
        assert answer.headers["Allow"] == "GET,HEAD"


async def test_sentence_and_headers_of_the_raiser_are_kept(client):
    async with client.get("/conflict") as answer:
        problem = await answer.json(content_type=None)

    assert (problem["detail"], answer.headers["Retry-After"]) == ("A sweep is running.", "5")


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Refused("event_types: no such type"), 422, "event_types: no such type"),
        (
            StoreDown(StoreFault.SEALED, "the secret store at https://inner is sealed"),
            503,
            "The secret store is sealed; try again when it is well. The log says more.",
        ),
        (
            Forbidden("SELECT 1 at inner/alertd: permission denied"),
            500,
            "Something went wrong on our side; the log has more under this request id.",
        ),
    ],
    ids=["refused", "store down", "database forbids"],
)
async def test_errors_of_ours_have_a_status_and_give_no_place_away(error, status, detail):
    async def fail_so(_: web.Request) -> web.Response:
        raise error

    async with serving(Endpoint("GET", "/", fail_so)) as client, client.get("/") as answer:
        problem = await answer.json(content_type=None)

    assert (answer.status, problem["detail"]) == (status, detail)


async def test_redirect_stays_a_redirect(client):
    async with client.get("/redirect", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/ui/")


async def test_bug_is_not_shown_but_found_again_by_its_id(client):
    with capture_logs() as logs:
        async with client.get("/fail/hunter2", headers={"X-Request-Id": "abc"}) as answer:
            text = await answer.text()

    assert "inner detail" not in text
    assert '"request_id": "abc"' in text
    assert [(line["event"], line["route"]) for line in logs] == [("Request failed", "/fail/{secret}")]


@pytest.mark.parametrize(
    ("path", "logged"), [("/break-off", ["Request failed"]), ("/hang-up", [])], ids=["bug", "listener gone"]
)
async def test_answer_that_breaks_off_is_cut_and_not_continued_as_another(address, path, logged):
    with capture_logs() as logs:
        answer = await say(address, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    assert answer.endswith(b"first half\r\n")
    assert [line["event"] for line in logs] == logged


async def test_request_id_of_the_caller_is_kept(client):
    async with client.get("/fine", headers={"X-Request-Id": "order-66"}) as answer:
        assert answer.headers["X-Request-Id"] == "order-66"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "é"])
async def test_odd_request_id_is_replaced(client, given):
    async with client.get("/fine", headers={"X-Request-Id": given}) as answer:
        assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("path", ["/fine", "/nothing", "/redirect", "/fail/x"])
async def test_every_answer_is_dressed(client, path):
    async with client.get(path, allow_redirects=False) as answer:
        headers = answer.headers

    assert "Server" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01hunter2\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"hunter2" * 2000 + b"\r\n\r\n", b"431 Request Header Fields Too Large"),
        (b"GET /" + b"hunter2" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"431 Request Header Fields Too Large"),
        (
            b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: hunter2\r\n\r\n",
            b"400 Bad Request",
        ),
    ],
)
async def test_what_is_not_http_gets_no_echo_and_no_version(address, data, status):
    answer = await say(address, data)

    assert status in answer.splitlines()[0]
    assert b"application/problem+json" in answer
    assert b"hunter2" not in answer
    assert b"ython" not in answer


async def test_request_under_way_is_finished_when_stopping():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="done")

    async def ask(address: Address) -> str:
        async with ClientSession(address.url) as client, client.get("/slow") as answer:
            return await answer.text()

    async with open_server([Endpoint("GET", "/slow", slow)], host=HOST, port=0) as address:
        asking = asyncio.create_task(ask(address))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)

    assert await asking == "done"


async def test_port_is_free_again_afterwards():
    async with open_server(ROUTES, host=HOST, port=0) as first:
        pass

    async with open_server(ROUTES, host=HOST, port=first.port) as second:
        assert second == first


async def test_port_that_is_taken_is_named(address):
    with pytest.raises(Transient, match=f"port {address.port}"):
        async with open_server(ROUTES, host=HOST, port=address.port):
            pass


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address("127.0.0.1", 8089), "http://127.0.0.1:8089"),
        (Address("::1", 8089, "https"), "https://[::1]:8089"),
    ],
)
def test_address_as_url(address, url):
    assert address.url == url


async def test_socket_is_a_door_for_owner_and_group(tmp_path) -> None:
    path = tmp_path / "admin.sock"

    async with (
        serving(*ROUTES, socket=path),
        ClientSession(connector=UnixConnector(str(path))) as client,
        client.get("http://localhost/peer") as answer,
    ):
        assert (answer.status, await answer.json()) == (200, "local")
        assert path.stat().st_mode & 0o777 == 0o660


async def test_socket_that_a_killed_process_left_is_replaced(tmp_path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async with (
        serving(*ROUTES, socket=path),
        ClientSession(connector=UnixConnector(str(path))) as client,
        client.get("http://localhost/fine") as answer,
    ):
        assert answer.status == 200


async def test_socket_that_cannot_be_is_named(tmp_path) -> None:
    with pytest.raises(Transient, match=r"missing/admin\.sock"):
        async with serving(*ROUTES, socket=tmp_path / "missing" / "admin.sock"):
            pass


async def test_secure_port_asks_to_be_used_securely_from_now_on(tls) -> None:
    async with (
        open_server(ROUTES, host=HOST, port=0, surroundings=Surroundings(tls=tls)) as address,
        ClientSession(address.url, connector=TCPConnector(ssl=False)) as client,
        client.get("/fine") as answer,
    ):
        assert address.url.startswith("https://")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_endless_answer_is_not_begun_for_head() -> None:
    async with serving(Endpoint("GET", "/stream", hang_up, endless=True)) as client, client.head("/stream") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
