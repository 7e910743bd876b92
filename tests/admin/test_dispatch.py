"""What handlers can rely on: scope, pages, errors of the rooms below, HEAD, and the routes for machines."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from alertd.admin.access import Role
from alertd.metrics import CONTENT_TYPE
from tests import factories
from tests.admin.port import KEYS, VIEWER, Port, open_port
from tests.admin.probes import PROBES


@pytest.fixture
async def probes(dsn, tmp_path, now) -> AsyncIterator[Port]:
    async with open_port(dsn, tmp_path, now, table=PROBES) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("absent", 404, "There is no thing with this id."),
        ("busy", 409, "A sweep is running."),
        ("conflict", 409, "That is there already."),
        ("transient", 503, "Not now; try again in a moment."),
        ("bug", 500, "Something went wrong on our side; the log has more under this request id."),
    ],
)
async def test_errors_of_the_rooms_below_have_a_status_and_no_insides(
    probes: Port, name: str, status: int, detail: str
) -> None:
    answer = await probes.ask("GET", f"/fail/{name}")

    assert (answer.status, answer.json["detail"]) == (status, detail)
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


async def test_tenant_is_kept_among_its_own(probes: Port) -> None:
    tenant = await factories.tenant(probes.daemon.db)
    key = await probes.key(Role.TENANT, tenant_id=tenant)

    own = await probes.ask("GET", f"/own/{tenant}", key=key)
    other = await probes.ask("GET", f"/own/{UUID(int=7)}", key=key)

    assert (own.status, own.json["scope"]) == (200, str(tenant))
    assert (other.status, other.json["detail"]) == (404, "There is no thing with this id.")


async def test_staff_has_no_scope(probes: Port) -> None:
    answer = await probes.ask("GET", f"/own/{UUID(int=7)}", key=VIEWER)

    assert (answer.status, answer.json["scope"]) == (200, None)


@pytest.mark.parametrize(
    ("query", "status"), [("", 200), ("?tenant_id={own}", 200), (f"?tenant_id={UUID(int=7)}", 404)]
)
async def test_tenant_lists_its_own_only(probes: Port, query: str, status: int) -> None:
    tenant = await factories.tenant(probes.daemon.db)
    key = await probes.key(Role.TENANT, tenant_id=tenant)

    assert (await probes.ask("GET", "/numbers" + query.format(own=tenant), key=key)).status == status


@pytest.mark.parametrize(("limit", "pages"), [(1, 10), (3, 4), (5, 2), (9, 2), (10, 1), (200, 1)])
async def test_pages_are_full_and_complete(probes: Port, limit: int, pages: int) -> None:
    found, cursor, asked = [], "", 0
    while cursor is not None:
        answer = await probes.ask("GET", f"/numbers?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        found += [item["number"] for item in answer.json["items"]]
        cursor, asked = answer.json["next_cursor"], asked + 1

    assert (found, asked) == (list(range(10)), pages)


async def test_limit_has_a_default(probes: Port) -> None:
    answer = await probes.ask("GET", "/numbers")

    assert (len(answer.json["items"]), answer.json["next_cursor"]) == (10, None)


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1.5", "", "9" * 30])
async def test_limit_is_from_1_to_200(probes: Port, limit: str) -> None:
    assert (await probes.ask("GET", f"/numbers?limit={limit}")).status == 422


@pytest.mark.parametrize(
    "change",
    [
        lambda cursor: cursor[:-1],
        lambda cursor: "A" + cursor[1:] if cursor[0] != "A" else "B" + cursor[1:],
        lambda cursor: cursor + "AAAA",
        lambda _: "",
        lambda _: "x",
        lambda _: "AAAA",
        lambda _: "é",
        lambda _: "!!!!",
        lambda _: "A" * 1000,
    ],
)
async def test_false_cursor_is_400(probes: Port, change) -> None:
    cursor = (await probes.ask("GET", "/numbers?limit=1")).json["next_cursor"]

    answer = await probes.ask("GET", "/numbers", params={"cursor": change(cursor)})

    assert answer.status == 400


async def test_cursor_fits_only_its_list(probes: Port) -> None:
    cursor = (await probes.ask("GET", "/numbers?limit=1")).json["next_cursor"]

    assert (await probes.ask("GET", "/others", params={"cursor": cursor})).status == 400


async def test_cursor_outlives_a_restart(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now, table=PROBES) as port:
        cursor = (await port.ask("GET", "/numbers?limit=4")).json["next_cursor"]
    async with open_port(dsn, tmp_path, now, table=PROBES) as port:
        answer = await port.ask("GET", "/numbers", params={"cursor": cursor, "limit": "1"})

    assert answer.json["items"] == [{"number": 4}]


@pytest.mark.parametrize("path", ["/-/healthy", "/openapi.json", "/api/v1/keys", "/metrics"])
async def test_head_is_get_without_the_body(port: Port, path: str) -> None:
    head = await port.ask("HEAD", path)
    get = await port.ask("GET", path)

    assert (head.status, head.text, head.headers["Content-Type"]) == (200, "", get.headers["Content-Type"])


async def test_alive(port: Port) -> None:
    answer = await port.ask("GET", "/-/healthy", key=None)

    assert (answer.status, answer.json) == (200, {"healthy": True})


async def test_ready(port: Port) -> None:
    answer = await port.ask("GET", "/-/ready", key=None)

    assert (answer.status, answer.json) == (200, {"ready": True, "waiting_for": []})


async def test_not_ready_says_what_is_missing(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now, waiting_for=("database",)) as port:
        answer = await port.ask("GET", "/-/ready", key=None)

    assert (answer.status, answer.json) == (503, {"ready": False, "waiting_for": ["database"]})


async def test_metrics_are_text_for_prometheus(port: Port) -> None:
    answer = await port.ask("GET", "/metrics", key=None)

    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert "alertd_build_info" in answer.text


async def test_metrics_can_be_closed(dsn, tmp_path, now) -> None:
    environ = {**KEYS, "ALERTD_METRICS__REQUIRE_AUTH": "true"}
    async with open_port(dsn, tmp_path, now, environ=environ) as port:
        closed = await port.ask("GET", "/metrics", key=None)
        opened = await port.ask("GET", "/metrics", token=VIEWER)

    assert (closed.status, opened.status) == (401, 200)


async def test_document_is_served_as_it_is_in_the_repository(port: Port) -> None:
    answer = await port.ask("GET", "/openapi.json", key=None)

    assert (answer.json["openapi"], answer.headers["Content-Type"]) == ("3.1.0", "application/json; charset=utf-8")


async def test_forbidden_is_a_problem(port: Port) -> None:
    answer = await port.ask("GET", "/api/v1/keys", key=VIEWER)

    assert (answer.status, answer.json["detail"]) == (403, "This key may not do that; it needs alert:admin.")
