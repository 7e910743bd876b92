"""Attacks on the body parser: late, large, odd, and not quite JSON."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web

from alertd.admin.bodies import receive
from alertd.admin.server import Endpoint, open_server
from tests.admin.port import ADMIN, Port, open_port
from tests.admin.probes import PROBES

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def port(dsn, tmp_path, now) -> AsyncIterator[Port]:
    async with open_port(dsn, tmp_path, now, table=PROBES) as opened:
        yield opened


def head(*lines: bytes, path: bytes = b"/echo") -> bytes:
    given = (b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"X-Alert-API-Key: " + ADMIN.encode(), *lines)
    return b"\r\n".join(given) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b"{'text': 'x'}",
        b'{"text": "x",}',
        b'{"text": "x"} {}',
        b"nul",
        b"\xff\xfe",
        b'{"text": "\xff"}',
        b'\xef\xbb\xbf{"text": "x"}',
        b'{"text": "\x00"}',
        b'{"text": "a\nb"}',
        b'{"text": "\\u0000"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\udc00\\ud800"}',
        b'{"\\u0000": 1}',
        b'{"anything": {"deep": ["\\u0000"]}}',
        b'{"text": "x", "text": "y"}',
        b'{"anything": {"a": 1, "a": 1}}',
        b'{"share": NaN}',
        b'{"share": Infinity}',
        b'{"share": -Infinity}',
        b'{"share": 1e999}',
        b'{"number": 99999999999999999999}',
        b'{"number": ' + b"9" * 5000 + b"}",
        b'{"anything": ' + b"[" * 40 + b"]" * 40 + b"}",
        b"[" * 30_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000,
    ],
    ids=lambda body: body[:30],
)
async def test_what_is_no_clean_json_is_400(port: Port, body: bytes) -> None:
    answer = await port.ask("POST", "/echo", data=body, headers=JSON)

    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json["detail"].startswith("The body ")


@pytest.mark.parametrize(
    ("body", "where", "detail"),
    [
        (b"[]", "", "must be an object"),
        (b'"text"', "", "must be an object"),
        (b"null", "", "must be an object"),
        (b'{"text": 5}', "/text", "must be text"),
        (b'{"text": null}', "/text", "must be text"),
        (b'{"text": "\\u0007"}', "/text", "must not contain control characters"),
        (b'{"name": ""}', "/name", "must have at least 1 characters"),
        (b'{"name": "   "}', "/name", "must have at least 1 characters"),
        (b'{"number": "5"}', "/number", "must be a whole number"),
        (b'{"number": 5.0}', "/number", "must be a whole number"),
        (b'{"number": true}', "/number", "must be a whole number"),
        (b'{"number": 11}', "/number", "must be at most 10"),
        (b'{"number": -1}', "/number", "must be at least 0"),
        (b'{"share": "1"}', "/share", "must be a number"),
        (b'{"flag": 1}', "/flag", "must be true or false"),
        (b'{"flag": "true"}', "/flag", "must be true or false"),
        (b'{"id": "x"}', "/id", "must be a UUID"),
        (b'{"id": 5}', "/id", "must be a UUID"),
        (b'{"at": "yesterday"}', "/at", "must be a time such as 2026-01-05T12:00:00Z"),
        (b'{"at": "2026-01-05"}', "/at", "must be a time such as 2026-01-05T12:00:00Z"),
        (b'{"at": "2026-01-05T12:00:00"}', "/at", "must name its time zone, as in 2026-01-05T12:00:00Z"),
        (b'{"at": 1700000000}', "/at", "must be a time such as 2026-01-05T12:00:00Z"),
        (b'{"at": "1700000000"}', "/at", "must be a time such as 2026-01-05T12:00:00Z"),
        (b'{"at": "9999-12-31T23:59:59-12:00"}', "/at", "must be a time that exists in UTC"),
        (b'{"at": "0001-01-01T00:00:00+12:00"}', "/at", "must be a time that exists in UTC"),
        (b'{"items": 5}', "/items", "must be a list"),
        (b'{"items": [1, "hunter2"]}', "/items/1", "must be a whole number"),
        (b'{"items": [1, 2, 3, 4]}', "/items", "must have at most 3 items"),
        (b'{"hunter3/~\\u202e": "hunter2"}', "/hunter3~1~0?", "is not known here"),
    ],
)
async def test_wrong_value_is_422_and_named_and_never_repeated(
    port: Port, body: bytes, where: str, detail: str
) -> None:
    answer = await port.ask("POST", "/echo", data=body, headers=JSON)

    assert (answer.status, answer.json["errors"]) == (422, [{"where": where, "detail": detail}])
    assert "hunter2" not in answer.text


async def test_all_wrong_values_are_told_at_once(port: Port) -> None:
    answer = await port.ask("POST", "/echo", json={"text": 1, "flag": 1, "more": 1})

    assert [flaw["where"] for flaw in answer.json["errors"]] == ["/text", "/flag", "/more"]


async def test_list_of_wrong_values_has_an_end(port: Port) -> None:
    answer = await port.ask("POST", "/echo", json={f"field{number}": 1 for number in range(2000)})

    assert (answer.status, len(answer.json["errors"])) == (422, 1001)
    assert answer.json["errors"][-1]["detail"] == "and 1000 more flaws"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"text": "\\ud83d\\ude00 caf\xc3\xa9"}', b'{"anything": [[[1]]]}'])
async def test_clean_body_is_taken(port: Port, body: bytes) -> None:
    assert (await port.ask("POST", "/echo", data=body, headers=JSON)).status == 200


async def test_time_of_any_zone_becomes_utc(port: Port) -> None:
    answer = await port.ask("POST", "/echo", json={"at": "2026-01-05T14:30:00.5+02:00"})

    assert answer.json["at"] == "2026-01-05T12:30:00Z"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
        {"Content-Type": "application/jsonx"},
    ],
    ids=str,
)
async def test_other_media_types_are_415_and_told_the_right_one(port: Port, headers: dict[str, str]) -> None:
    answer = await port.ask("POST", "/echo", data=b"{}", headers=headers)

    assert (answer.status, answer.headers["Accept"]) == (415, "application/json")


async def test_missing_media_type_is_415(port: Port) -> None:
    answer = await port.say(head(b"Content-Length: 2", b"Connection: close"), b"{}")

    assert answer.startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"]
)
async def test_media_type_may_say_its_charset(port: Port, kind: str) -> None:
    assert (await port.ask("POST", "/echo", data=b"{}", headers={"Content-Type": kind})).status == 200


async def test_compressed_body_is_not_unpacked(port: Port) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}

    answer = await port.ask("POST", "/echo", data=gzip.compress(b" " * 1_000_000), headers=headers)

    assert answer.status == 415


async def test_large_body_is_413_before_it_has_come(port: Port) -> None:
    answer = await port.say(head(b"Content-Length: 65537", b"Content-Type: application/json"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


async def test_large_body_in_pieces_is_413(port: Port) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"

    answer = await port.say(head(b"Transfer-Encoding: chunked", b"Content-Type: application/json"), chunk * 5)

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_body_as_large_as_allowed_is_taken(port: Port) -> None:
    answer = await port.ask("POST", "/echo", data=b"{}" + b" " * (65536 - 2), headers=JSON)

    assert answer.status == 200


async def test_route_may_allow_more(port: Port) -> None:
    answer = await port.ask("POST", "/rows", json={"numbers": [1] * 300_000})

    assert (answer.status, answer.json["sum"]) == (200, 300_000)


@pytest.mark.parametrize("body", [b"1\n2\n3\n", b"\xef\xbb\xbf1\n2\n3"])
async def test_table_may_come_as_csv_where_the_route_says_so(port: Port, body: bytes) -> None:
    answer = await port.ask("POST", "/rows", data=body, headers={"Content-Type": "text/csv"})

    assert (answer.status, answer.json["sum"]) == (200, 6)


@pytest.mark.parametrize(("body", "status"), [(b"1\nx", 422), (b"1\x00", 400), (b"\xff", 400)])
async def test_bad_csv_is_refused(port: Port, body: bytes, status: int) -> None:
    answer = await port.ask("POST", "/rows", data=body, headers={"Content-Type": "text/csv"})

    assert answer.status == status


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nab", b"-1\r\n\r\n"])
async def test_broken_chunks_are_refused(port: Port, broken: bytes) -> None:
    answer = await port.say(
        head(b"Transfer-Encoding: chunked", b"Content-Type: application/json"),
        broken,
        b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    )

    assert answer.split()[1] == b"400"


async def test_wrong_key_is_told_nothing_of_its_body(port: Port) -> None:
    answer = await port.ask("POST", "/echo", key="wrong", data=b"{", headers={"Content-Type": "text/plain"})

    assert answer.status == 401


async def test_route_without_a_body_takes_an_empty_object_and_nothing_else(port: Port) -> None:
    path = "/see/00000000-0000-0000-0000-000000000001"

    empty = await port.ask("GET", path, json={})
    other = await port.ask("GET", path, json={"x": 1})

    assert (empty.status, other.status) == (200, 422)


async def test_body_that_does_not_come_in_time_is_408() -> None:
    async def wait(request: web.Request) -> web.Response:
        await receive(request, max_bytes=100, patience=timedelta(milliseconds=50))
        return web.Response()

    async with open_server([Endpoint("POST", "/", wait)], host="127.0.0.1", port=0) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer


async def test_sender_who_hangs_up_halfway_is_no_failure_of_ours(port: Port) -> None:
    _, writer = await asyncio.open_connection(port.address.host, port.address.port)
    writer.write(head(b"Content-Length: 9", b"Content-Type: application/json") + b"half")
    await writer.drain()
    writer.close()

    async with ClientSession(port.address.url) as client, client.get("/nothing") as answer:
        assert answer.status == 404
