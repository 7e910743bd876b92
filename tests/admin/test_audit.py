"""The audit log: what is in it, and that no deed stands without its row."""

from datetime import timedelta

import pytest

from tests import factories
from tests.admin.port import ADMIN, MASTER, Port

AUDIT = "/api/v1/audit"
KEYS = "/api/v1/keys"


async def test_creating_a_key_is_written_down_without_the_key(port: Port) -> None:
    created = await port.ask("POST", KEYS, key=MASTER, json={"role": "viewer", "name": "ci"})

    answer = await port.ask("GET", AUDIT)
    deed = answer.json["items"][0]
    assert {name: deed[name] for name in deed.keys() - {"id"}} == {
        "at": "2026-01-05T12:00:00Z",
        "actor": "master",
        "action": "key.create",
        "tenant_id": None,
        "object": f"key:{created.json['id']}",
        "before": None,
        "after": {"name": "ci", "role": "viewer", "prefix": created.json["prefix"]},
        "peer": "127.0.0.1",
        "request_id": created.headers["X-Request-Id"],
    }
    assert created.json["key"] not in answer.text


async def test_revoking_a_key_is_written_down_with_what_it_was(port: Port) -> None:
    created = await port.ask("POST", KEYS, json={"role": "viewer", "name": "ci"})
    await port.ask("DELETE", f"{KEYS}/{created.json['id']}")

    deed = (await port.ask("GET", AUDIT)).json["items"][0]

    assert (deed["action"], deed["before"]["name"], deed["after"]) == ("key.revoke", "ci", None)


async def test_stored_key_acts_under_its_name_and_its_public_part(port: Port) -> None:
    key = await port.key(name="alice")
    await port.ask("POST", KEYS, key=key, json={"role": "viewer", "name": "ci"})

    deed = (await port.ask("GET", AUDIT)).json["items"][0]

    assert deed["actor"] == f"alice ({key.split('_')[1]})"


async def test_what_cannot_be_written_down_is_not_done(port: Port) -> None:
    await port.daemon.db.execute("ALTER TABLE audit_log RENAME TO gone")

    answer = await port.ask("POST", KEYS, json={"role": "viewer", "name": "ci"})

    assert (answer.status, await port.daemon.db.fetchval("SELECT count(*) FROM api_keys")) == (500, 0)


async def test_what_was_refused_is_not_written_down_as_done(port: Port) -> None:
    await port.ask("DELETE", f"{KEYS}/00000000-0000-0000-0000-000000000001")

    assert (await port.ask("GET", AUDIT)).json["items"] == []


@pytest.fixture
async def history(port: Port) -> Port:
    """One deed an hour: a key for one tenant, one for nobody, and one taken back."""
    tenant = await factories.tenant(port.daemon.db)
    await port.ask("POST", KEYS, json={"role": "tenant", "name": "a", "tenant_id": str(tenant)})
    port.clock.turn(timedelta(hours=1))
    created = await port.ask("POST", KEYS, key=MASTER, json={"role": "viewer", "name": "b"})
    port.clock.turn(timedelta(hours=1))
    await port.ask("DELETE", f"{KEYS}/{created.json['id']}", key=MASTER)
    return port


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("", ["14:00", "13:00", "12:00"]),
        ("actor=master", ["14:00", "13:00"]),
        ("action=key.create", ["13:00", "12:00"]),
        ("actor=nobody", []),
        ("since=2026-01-05T13:00:00Z", ["14:00", "13:00"]),
        ("until=2026-01-05T13:00:00Z", ["12:00"]),
        ("since=2026-01-05T13:00:00Z&until=2026-01-05T14:00:00Z", ["13:00"]),
        ("tenant_id=00000000-0000-0000-0000-000000000001", []),
    ],
)
async def test_log_can_be_narrowed_down(history: Port, query: str, times: list[str]) -> None:
    answer = await history.ask("GET", f"{AUDIT}?{query}")

    assert [item["at"][11:16] for item in answer.json["items"]] == times


async def test_log_of_one_thing(history: Port) -> None:
    newest = (await history.ask("GET", AUDIT)).json["items"][0]

    answer = await history.ask("GET", f"{AUDIT}?object={newest['object']}")

    assert [item["action"] for item in answer.json["items"]] == ["key.revoke", "key.create"]


async def test_log_of_one_tenant(history: Port) -> None:
    tenant = await history.daemon.db.fetchval("SELECT id FROM tenants")

    answer = await history.ask("GET", f"{AUDIT}?tenant_id={tenant}")

    assert [item["after"]["name"] for item in answer.json["items"]] == ["a"]


async def test_pages_go_on_where_the_last_one_ended(history: Port) -> None:
    first = (await history.ask("GET", f"{AUDIT}?limit=2")).json
    second = (await history.ask("GET", f"{AUDIT}?limit=2&cursor={first['next_cursor']}")).json

    assert [item["at"][11:16] for item in first["items"] + second["items"]] == ["14:00", "13:00", "12:00"]
    assert second["next_cursor"] is None


async def test_cursor_of_another_list_is_400(history: Port) -> None:
    cursor = (await history.ask("GET", f"{AUDIT}?limit=1")).json["next_cursor"]

    assert (await history.ask("GET", f"{KEYS}?cursor={cursor}", key=ADMIN)).status == 400
