"""The admin server from outside: what it answers, what it gives away, and how it stops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from alertd.admin.server import Address, Route, open_server, operations
from alertd.errors import Transient
from alertd.metrics import CONTENT_TYPE

HOST = "127.0.0.1"


async def fail(_: web.Request) -> web.Response:
    raise RuntimeError("inner detail")


async def conflict(_: web.Request) -> web.Response:
    raise web.HTTPConflict(text="A sweep is running.", headers={"Retry-After": "5"})


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/ui/")


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
    Route("GET", "/break-off", break_off, None),
    Route("GET", "/hang-up", hang_up, None),
    Route("GET", "/fail/{secret}", fail, None),
    Route("GET", "/conflict", conflict, None),
    Route("GET", "/redirect", redirect, None),
    Route("POST", "/greet", greet, None),
    Route("GET", "/closed", greet, "alert:admin"),
    *operations(list),
)


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    async with open_server(ROUTES, host=HOST, port=0) as address:
        yield address


@pytest.fixture
async def client(address: Address) -> AsyncIterator[ClientSession]:
    async with ClientSession(address.url) as client:
        yield client


@asynccontextmanager
async def serving(*routes: Route, **options) -> AsyncIterator[ClientSession]:
    async with (
        open_server(routes, host=HOST, port=0, **options) as address,
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


async def test_healthy(client):
    async with client.get("/-/healthy") as answer:
        assert (answer.status, await answer.json()) == (200, {"healthy": True})


async def test_ready(client):
    async with client.get("/-/ready") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "waiting_for": []})


async def test_not_ready_says_what_is_missing():
    def ready() -> Sequence[str]:
        return ("database",)

    async with serving(*operations(ready)) as client, client.get("/-/ready") as answer:
        assert (answer.status, await answer.json()) == (503, {"ready": False, "waiting_for": ["database"]})


async def test_metrics_are_text_for_prometheus(client):
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        assert "alertd_build_info" in await answer.text()


async def test_metrics_can_be_closed():
    routes = operations(list, metrics_permission="alert:view_status")

    async with serving(*routes) as client, client.get("/metrics") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("POST", "/metrics", 405), ("GET", "/fail/x", 500), ("GET", "/conflict", 409)],
)
async def test_error_is_a_problem(client, method, path, status):
    async with client.request(method, path) as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["status"]) == (status, status)
    assert problem.keys() >= {"type", "title", "detail"}


async def test_wrong_method_is_told_the_right_one(client):
    async with client.post("/metrics") as answer:
        assert answer.headers["Allow"] == "GET"


async def test_sentence_and_headers_of_the_raiser_are_kept(client):
    async with client.get("/conflict") as answer:
        problem = await answer.json(content_type=None)

    assert (problem["detail"], answer.headers["Retry-After"]) == ("A sweep is running.", "5")


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
        answer = await say(address, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.endswith(b"first half\r\n")
    assert [line["event"] for line in logs] == logged


async def test_request_id_of_the_caller_is_kept(client):
    async with client.get("/-/healthy", headers={"X-Request-Id": "order-66"}) as answer:
        assert answer.headers["X-Request-Id"] == "order-66"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "é"])
async def test_odd_request_id_is_replaced(client, given):
    async with client.get("/-/healthy", headers={"X-Request-Id": given}) as answer:
        assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("path", ["/-/healthy", "/nothing", "/redirect", "/fail/x"])
async def test_every_answer_is_dressed(client, path):
    async with client.get(path, allow_redirects=False) as answer:
        headers = answer.headers

    assert "Server" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_route_with_a_permission_is_closed_by_default(client):
    async with client.get("/closed") as answer:
        assert answer.status == 401


async def test_route_with_a_permission_is_open_to_whom_it_may_concern():
    asked = []

    async def authorize(_: web.Request, permission: str) -> None:
        asked.append(permission)

    async with serving(*ROUTES, authorize=authorize) as client, client.get("/closed") as answer:
        assert (answer.status, asked) == (200, ["alert:admin"])


async def test_body_has_a_limit(client):
    async with client.post("/greet", data=b"x" * 70_000) as answer:
        assert (answer.status, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01hunter2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"hunter2" * 2000 + b"\r\n\r\n",
        b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: hunter2\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_no_echo_and_no_version(address, data):
    answer = await say(address, data)

    assert b" 400 Bad Request" in answer
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

    async with open_server([Route("GET", "/slow", slow, None)], host=HOST, port=0) as address:
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
