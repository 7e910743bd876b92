"""API keys: their text, and what can be done with them."""

import string
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.admin.access import Role
from alertd.admin.keys import digest, lookup_of, new_key
from alertd.process import redact_text
from tests import factories
from tests.admin.port import ADMIN, Port, open_port

KEYS = "/api/v1/keys"
ME = "/api/performance-alerts/auth/me"


def test_key_has_four_parts_of_which_one_is_public() -> None:
    key = new_key()

    name, lookup, secret, checksum = key.text.split("_")
    assert (name, lookup, len(lookup), len(secret), len(checksum)) == ("alertd", key.lookup, 10, 43, 6)
    assert lookup_of(key.text) == key.lookup


def test_key_does_not_show_itself() -> None:
    key = new_key()

    assert key.text not in repr(key)
    assert redact_text(f"refused {key.text} today") == "refused *** today"


@given(st.integers(0, 66), st.sampled_from(string.ascii_letters + string.digits))
def test_mistyped_key_is_told_from_its_checksum(place: int, typed: str) -> None:
    text = new_key().text
    mistyped = text[:place] + typed + text[place + 1 :]

    assert lookup_of(mistyped) is None or mistyped == text


@given(st.text())
def test_any_text_is_a_key_or_not(text: str) -> None:
    assert lookup_of(text) is None
    assert len(digest(text, b"pepper")) == 32


@pytest.mark.parametrize("text", ["\ud800", "\x00", "é"])
def test_odd_text_has_a_digest_too(text: str) -> None:
    assert digest(text, b"pepper") != digest(text, b"salt")


async def test_created_key_works_and_is_shown_once(port: Port) -> None:
    created = await port.ask("POST", KEYS, json={"role": "operator", "name": "ci"})

    me = await port.ask("GET", ME, key=created.json["key"])
    listed = await port.ask("GET", KEYS)
    assert (created.status, me.json["roles"], me.json["user_id"]) == (201, ["operator"], created.json["id"])
    assert created.json["key"] not in listed.text
    assert created.json["prefix"] in listed.text


async def test_nothing_but_a_digest_is_stored(port: Port) -> None:
    created = await port.ask("POST", KEYS, json={"role": "operator", "name": "ci"})

    row = await port.daemon.db.fetchrow("SELECT * FROM api_keys")
    secret = created.json["key"].split("_")[2]
    assert secret not in str(dict(row))
    assert row["digest"] == digest(created.json["key"], port.daemon.secret.pepper)


async def test_created_key_is_described(port: Port) -> None:
    tenant = await factories.tenant(port.daemon.db)

    created = await port.ask(
        "POST",
        KEYS,
        json={
            "role": "tenant",
            "name": " theirs ",
            "tenant_id": str(tenant),
            "expires_at": "2026-02-01T00:00:00+01:00",
        },
    )

    assert {name: created.json[name] for name in created.json.keys() - {"id", "key", "prefix"}} == {
        "name": "theirs",
        "role": "tenant",
        "tenant_id": str(tenant),
        "source": "stored",
        "created_by": "admin",
        "created_at": "2026-01-05T12:00:00Z",
        "expires_at": "2026-01-31T23:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
    }


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "x"}, "/role"),
        ({"role": "viewer"}, "/name"),
        ({"role": "master", "name": "x"}, "/role"),
        ({"role": "tenant", "name": "x"}, ""),
        ({"role": "viewer", "name": "x", "tenant_id": str(UUID(int=1))}, ""),
        ({"role": "viewer", "name": "x", "expires_at": "2026-01-05T12:00:00Z"}, "/expires_at"),
        ({"role": "viewer", "name": "x" * 201}, "/name"),
        ({"role": "viewer", "name": "x", "expires": "2027-01-05T12:00:00Z"}, "/expires"),
    ],
    ids=str,
)
async def test_wish_that_cannot_be_is_refused(port: Port, body: dict[str, str], where: str) -> None:
    answer = await port.ask("POST", KEYS, json=body)

    assert (answer.status, [flaw["where"] for flaw in answer.json["errors"]]) == (422, [where])


async def test_key_for_a_tenant_that_nobody_knows_is_404(port: Port) -> None:
    answer = await port.ask("POST", KEYS, json={"role": "tenant", "name": "x", "tenant_id": str(UUID(int=1))})

    assert (answer.status, answer.json["detail"]) == (404, "There is no tenant with this id.")


async def test_keys_of_the_settings_are_listed_as_such(port: Port) -> None:
    await port.key(name="stored")

    items = (await port.ask("GET", KEYS)).json["items"]

    assert [(item["source"], item["id"], item["role"]) for item in items[:4]] == [
        ("settings", "admin", "admin"),
        ("settings", "master", "admin"),
        ("settings", "operator", "operator"),
        ("settings", "viewer", "viewer"),
    ]
    assert [item["name"] for item in items[4:]] == ["stored"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7])
async def test_pages_of_keys_miss_none_and_repeat_none(port: Port, limit: int) -> None:
    for name in ("first", "second", "third"):
        await port.key(name=name)

    pages = [page async for page in pages_of(port, f"{KEYS}?limit={limit}")]

    assert [item["name"] for page in pages for item in page] == [
        "admin",
        "master",
        "operator",
        "viewer",
        "third",
        "second",
        "first",
    ]
    assert all(len(page) == limit for page in pages[:-1])


async def pages_of(port: Port, path: str) -> AsyncIterator[list[dict[str, str]]]:
    cursor = ""
    while cursor is not None:
        answer = await port.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
        yield answer.json["items"]
        cursor = answer.json["next_cursor"]


async def test_keys_can_be_narrowed_to_a_tenant(port: Port) -> None:
    tenant = await factories.tenant(port.daemon.db)
    await port.key()
    await port.key(Role.TENANT, tenant_id=tenant, name="theirs")

    answer = await port.ask("GET", f"{KEYS}?tenant_id={tenant}")

    assert [item["name"] for item in answer.json["items"]] == ["theirs"]


async def test_revoked_key_is_refused_and_listed_only_on_request(port: Port) -> None:
    key = await port.key(name="leaked")
    listed = await port.ask("GET", KEYS)
    key_id = listed.json["items"][-1]["id"]

    revoked = await port.ask("DELETE", f"{KEYS}/{key_id}")

    usual = await port.ask("GET", KEYS)
    full = await port.ask("GET", f"{KEYS}?revoked=true")
    assert (revoked.status, revoked.text, (await port.ask("GET", ME, key=key)).status) == (204, "", 401)
    assert key_id not in usual.text
    assert full.json["items"][-1]["revoked_at"] == "2026-01-05T12:00:00Z"


@pytest.mark.parametrize("key_id", ["admin", "x", str(UUID(int=1)), "%00"])
async def test_key_that_is_not_there_cannot_be_revoked(port: Port, key_id: str) -> None:
    assert (await port.ask("DELETE", f"{KEYS}/{key_id}")).status == 404


async def test_key_is_revoked_once(port: Port) -> None:
    created = await port.ask("POST", KEYS, json={"role": "viewer", "name": "x"})

    statuses = [(await port.ask("DELETE", f"{KEYS}/{created.json['id']}")).status for _ in range(2)]

    assert statuses == [204, 404]


async def test_last_admin_key_stays(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={}) as port:
        key = (tmp_path / "admin.key").read_text().strip()
        items = (await port.ask("GET", KEYS, key=key)).json["items"]
        refused = await port.ask("DELETE", f"{KEYS}/{items[0]['id']}", key=key)
        await port.key(Role.ADMIN)
        done = await port.ask("DELETE", f"{KEYS}/{items[0]['id']}", key=key)

    assert (refused.status, done.status) == (409, 204)


async def test_expired_key_is_refused_and_so_are_its_tokens(port: Port) -> None:
    key = await port.key(expires_in=timedelta(hours=1))
    token = await port.token(key)

    port.clock.turn(timedelta(hours=1))

    assert [(await port.ask("GET", ME, key=key)).status, (await port.ask("GET", ME, token=token)).status] == [401, 401]


async def test_keys_go_with_their_tenant(port: Port) -> None:
    tenant = await factories.tenant(port.daemon.db)
    key = await port.key(Role.TENANT, tenant_id=tenant)

    await port.daemon.db.execute("DELETE FROM tenants")

    assert (await port.ask("GET", ME, key=key)).status == 401


async def test_full_disk_keeps_nobody_out(port: Port) -> None:
    key = await port.key(Role.VIEWER)
    await port.daemon.db.execute(
        """
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$
        """
    )
    await port.daemon.db.execute(
        "CREATE TRIGGER full_disk BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )

    assert (await port.ask("GET", "/api/v1/overview", key=key)).status == 200


async def test_keys_of_the_settings_need_no_database(port: Port) -> None:
    key = await port.key()

    await port.daemon.db.execute("ALTER TABLE api_keys RENAME TO gone")
    lost = await port.ask("GET", ME, key=key)
    configured = await port.ask("GET", ME, key=ADMIN)

    assert (lost.status, configured.status) == (500, 200)
    assert "gone" not in lost.text
