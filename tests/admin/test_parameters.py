"""Path and query: what is wrong in them, and what of it is repeated."""

from collections.abc import AsyncIterator

import pytest

from tests.admin.port import Port, open_port
from tests.admin.probes import PROBES

ID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
async def port(dsn, tmp_path, now) -> AsyncIterator[Port]:
    async with open_port(dsn, tmp_path, now, table=PROBES) as opened:
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "/see/x",
        "/see/%00",
        "/see/%ff",
        "/see/" + "9" * 200,
        "/see/%ED%A0%80",
        "/see/a%2Fb",
        "/see/",
        "/see/%0a",
        f"/see/{ID.replace('-', '')}",
        f"/see/%7B{ID}%7D",
        f"/see/urn:uuid:{ID}",
        f"/see/%20{ID}",
    ],
)
async def test_path_that_cannot_be_is_not_there(port: Port, path: str) -> None:
    answer = await port.ask("GET", path)

    assert (answer.status, answer.json["detail"]) == (404, "There is nothing at this address.")


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        ("1", 200),
        ("168", 200),
        ("0", 400),
        ("169", 400),
        ("x", 400),
        ("%00", 400),
        ("1_0", 400),
        ("+5", 400),
        ("05", 400),
    ],
)
async def test_route_may_call_a_wrong_value_in_its_path_malformed(port: Port, hours: str, status: int) -> None:
    assert (await port.ask("GET", f"/hours/{hours}")).status == status


async def test_malformed_path_is_told_what_would_be_right(port: Port) -> None:
    answer = await port.ask("GET", "/hours/169")

    assert answer.json["detail"] == "hours must be at most 168"


@pytest.mark.parametrize(
    ("query", "where", "detail"),
    [
        ("hours=0", "hours", "must be at least 1"),
        ("hours=x", "hours", "must be a whole number"),
        ("hours=", "hours", "must be a whole number"),
        ("hours=1e400", "hours", "must be a whole number"),
        ("hours=" + "9" * 400, "hours", "must be at most 168"),
        ("hours=1_0", "hours", "must be a whole number"),
        ("hours=%2B5", "hours", "must be a whole number"),
        ("hours=+5", "hours", "must be a whole number"),
        ("hours=5%0A", "hours", "must not contain control characters"),
        ("hours=05", "hours", "must be a whole number"),
        ("hours=5.0", "hours", "must be a whole number"),
        ("hours=%D9%A5", "hours", "must be a whole number"),
        ("hours=1&hours=2", "hours", "must occur once"),
        ("hours=1&hours=1", "hours", "must occur once"),
        ("hours", "hours", "must be a whole number"),
        ("unknown=hunter2", "unknown", "is not known here"),
        ("since=1767614400", "since", "must be a time such as 2026-01-05T12:00:00Z"),
        ("since=-1.5", "since", "must be a time such as 2026-01-05T12:00:00Z"),
        ("since=yesterday", "since", "must be a time such as 2026-01-05T12:00:00Z"),
        ("since=2026-01-05T12:00:00", "since", "must name its time zone, as in 2026-01-05T12:00:00Z"),
        ("flag=perhaps", "flag", "must be true or false"),
        ("flag=yes", "flag", "must be true or false"),
        ("flag=1", "flag", "must be true or false"),
        ("flag=True", "flag", "must be true or false"),
        ("flag=%20true", "flag", "must be true or false"),
        ("flag", "flag", "must be true or false"),
        ("text=%00", "text", "must not contain control characters"),
        ("%00=1", "?", "must not contain control characters"),
        (f"id={ID}", "id", "is part of the path"),
    ],
)
async def test_wrong_query_is_422_and_named_and_never_repeated(port: Port, query: str, where: str, detail: str) -> None:
    answer = await port.ask("GET", f"/see/{ID}?{query}")

    assert (answer.status, answer.json["errors"]) == (422, [{"where": where, "detail": detail}])
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "query", ["text=%ff", "text=%ED%A0%80", "text=%F0%9F%98%80", "since=2026-01-05T12:00:00%2B01:00", "flag=true"]
)
async def test_query_of_any_bytes_is_understood_or_refused(port: Port, query: str) -> None:
    assert (await port.ask("GET", f"/see/{ID}?{query}")).status in {200, 422}


async def test_bytes_in_the_path_that_are_no_text_are_no_failure(port: Port) -> None:
    answer = await port.say(b"GET /see/\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.split()[1] in {b"400", b"401", b"404"}
