"""Silences: made, tried out, listed, ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from alertd.alerts import store
from tests import factories
from tests.admin.access_table import a_silence
from tests.admin.port import OPERATOR, Answered, Port

SILENCES = "/api/v1/silences"
HOUR = timedelta(hours=1)
OKX = {"exchange": "okx"}


async def create(port: Port, *, key: str = OPERATOR, **wish: Any) -> Answered:
    return await port.ask("POST", SILENCES, key=key, json={"matchers": OKX, "comment": "maintenance", **wish})


async def states(port: Port, query: str = "") -> list[tuple[str, str]]:
    items = (await port.ask("GET", f"{SILENCES}?{query}")).json["items"]
    return [(item["comment"], item["state"]) for item in items]


async def test_silence_begins_now_and_lasts_an_hour_unless_told_otherwise(port: Port) -> None:
    answer = await create(port)

    assert answer.status == 201
    assert {name: answer.json[name] for name in answer.json.keys() - {"id"}} == {
        "state": "active",
        "matchers": {"exchange": ["okx"]},
        "comment": "maintenance",
        "created_by": "operator",
        "created_at": "2026-01-05T12:00:00Z",
        "starts_at": "2026-01-05T12:00:00Z",
        "ends_at": "2026-01-05T13:00:00Z",
        "expired_at": None,
        "expired_by": None,
    }


@pytest.mark.parametrize(
    ("wish", "where"),
    [
        ({"comment": ""}, "/comment"),
        ({"comment": "  "}, "/comment"),
        ({"matchers": {}}, "/matchers"),
        ({"matchers": {"severity": "critical"}}, "/matchers/severity"),
        ({"matchers": {"check": "*********"}}, "/matchers/check"),
        ({"ends_at": "2026-01-05T12:00:00Z"}, "/ends_at"),
        ({"ends_at": "2028-01-05T12:00:00Z"}, "/ends_at"),
        ({"starts_at": "2026-01-05T14:00:00Z", "ends_at": "2026-01-05T13:00:00Z"}, "/ends_at"),
        ({"created_by": "somebody else"}, "/created_by"),
    ],
)
async def test_wish_that_cannot_be(port: Port, wish: dict[str, Any], where: str) -> None:
    answer = await create(port, **wish)

    assert (answer.status, [error["where"] for error in answer.json["errors"]]) == (422, [where])


async def test_comment_is_required(port: Port) -> None:
    answer = await port.ask("POST", SILENCES, json={"matchers": OKX})

    assert (answer.status, answer.json["errors"][0]["where"]) == (422, "/comment")


async def test_list_says_where_each_stands(port: Port) -> None:
    await create(port, comment="first")
    port.clock.turn(2 * HOUR)
    await create(port, comment="second")
    await create(port, comment="third", starts_at="2026-01-05T15:00:00Z")

    assert await states(port) == [("third", "pending"), ("second", "active"), ("first", "expired")]
    assert await states(port, "state=active") == [("second", "active")]
    assert await states(port, "state=pending") == [("third", "pending")]
    assert await states(port, "state=expired") == [("first", "expired")]


async def test_list_goes_on_where_the_page_ended(port: Port) -> None:
    for comment in ("first", "second", "third"):
        await create(port, comment=comment)

    cursor = (await port.ask("GET", f"{SILENCES}?limit=2")).json["next_cursor"]

    assert await states(port, f"limit=2&cursor={cursor}") == [("first", "active")]


async def test_silence_is_ended_early(port: Port) -> None:
    case = await a_silence(port, UUID(int=0))
    port.clock.turn(HOUR / 2)

    answer = await port.ask("POST", f"{SILENCES}/{case.path['id']}/expire", key=OPERATOR)

    assert (answer.status, answer.json["state"]) == (200, "expired")
    assert (answer.json["expired_at"], answer.json["expired_by"]) == ("2026-01-05T12:30:00Z", "operator")


async def test_silence_that_is_over_cannot_be_ended(port: Port) -> None:
    case = await a_silence(port, UUID(int=0))
    port.clock.turn(HOUR)

    answer = await port.ask("POST", f"{SILENCES}/{case.path['id']}/expire")

    assert (answer.status, answer.json["detail"]) == (409, "This silence is over.")


async def test_silence_that_is_not_there(port: Port) -> None:
    answer = await port.ask("POST", f"{SILENCES}/{UUID(int=1)}/expire")

    assert (answer.status, answer.json["detail"]) == (404, "There is no silence with this id.")


async def test_making_and_ending_are_in_the_audit_log(port: Port) -> None:
    silence = (await create(port)).json["id"]
    await port.ask("POST", f"{SILENCES}/{silence}/expire")

    deeds = (await port.ask("GET", f"/api/v1/audit?object=silence:{silence}")).json["items"]

    noted = {
        "matchers": {"exchange": ["okx"]},
        "comment": "maintenance",
        "starts_at": "2026-01-05T12:00:00Z",
        "ends_at": "2026-01-05T13:00:00Z",
    }
    assert [(deed["action"], deed["actor"], deed["before"], deed["after"]) for deed in deeds] == [
        ("silence.expire", "admin", noted, None),
        ("silence.create", "operator", None, noted),
    ]


@pytest.mark.parametrize(
    ("matchers", "count"),
    [
        ({"exchange": "okx"}, 2),
        ({"exchange": ["okx", "k*"]}, 3),
        ({"exchange": "okx", "subject": "btc-?"}, 1),
        ({"tenant": "*"}, 3),
        ({"check": "*"}, 4),
    ],
)
async def test_preview_counts_what_fires_and_would_match(port: Port, matchers: dict[str, Any], count: int) -> None:
    db = port.daemon.db
    tenant = await factories.tenant(db)
    await factories.alert(db, tenant, subject="btc-1")
    await factories.alert(db, tenant, subject="eth-1")
    await factories.alert(db, tenant, exchange="kraken")
    await factories.alert(db, None, exchange=None)
    await store.resolve(db, await factories.alert(db, tenant), port.clock())

    answer = await port.ask("POST", f"{SILENCES}/preview", json={"matchers": matchers})

    assert (answer.status, answer.json["count"], len(answer.json["items"])) == (200, count, count)


async def test_preview_of_what_cannot_be(port: Port) -> None:
    answer = await port.ask("POST", f"{SILENCES}/preview", json={"matchers": {}})

    assert (answer.status, answer.json["errors"][0]["where"]) == (422, "/matchers")
