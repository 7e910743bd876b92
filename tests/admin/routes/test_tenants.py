"""Tenants as people name, pause and erase them."""

import asyncio
import re
from collections.abc import Mapping
from uuid import UUID

import pytest

from alertd.admin.access import Role
from alertd.admin.tenant_store import PURGED
from alertd.credentials import store, sweep_store
from alertd.credentials.sweep_store import Origin
from alertd.db import new_id
from alertd.demo.exchanges.shape import State
from alertd.model import CredentialRef
from tests import factories
from tests.admin.port import Answered
from tests.admin.routes.market import CREDENTIALS, HOUR, Market

TENANTS = "/api/v1/tenants"
# Tables that name tenants and outlive them: what was done is never forgotten.
KEPT = {"audit_log"}


async def purge(market: Market, tenant: UUID, *, confirm: str | None = None) -> Answered:
    return await market.ask("POST", f"{TENANTS}/{tenant}/purge", json={"confirm": confirm or str(tenant)})


@pytest.fixture
async def busy_tenant(market: Market) -> CredentialRef:
    """Somebody with a bit of everything: a failing key, an endpoint, a message to it, an API key."""
    ref = await market.key("kraken", State.REVOKED)
    await factories.webhook(market.port.daemon.db, ref.tenant_id)
    await market.sweep(times=3)
    key = await market.tenant_key(ref.tenant_id)
    await market.ask("POST", f"{CREDENTIALS}/{ref.tenant_id}/check", key=key, headers={"Idempotency-Key": "once"})
    return ref


async def test_discovered_tenant_is_shown(market: Market) -> None:
    ref = await market.key()

    answer = await market.ask("GET", f"{TENANTS}/{ref.tenant_id}")

    assert answer.json == {
        "id": str(ref.tenant_id),
        "name": None,
        "paused": False,
        "created_at": "2026-01-05T12:00:00Z",
        "credentials": 1,
    }


async def test_tenant_is_added_before_its_first_key(market: Market) -> None:
    tenant = new_id()

    added = await market.ask("POST", TENANTS, json={"id": str(tenant), "name": " Acme "})

    [deed] = await market.deeds("tenant.create")
    assert (added.status, added.json["name"], added.json["credentials"]) == (201, "Acme", 0)
    assert (deed["object"], deed["tenant_id"], deed["after"]) == (f"tenant:{tenant}", tenant, {"name": "Acme"})


async def test_tenant_that_is_there_is_not_added_again(market: Market) -> None:
    ref = await market.key()

    answer = await market.ask("POST", TENANTS, json={"id": str(ref.tenant_id), "name": "Acme"})

    assert (answer.status, "There is a tenant with this id" in answer.json["detail"]) == (409, True)
    assert (await market.ask("GET", f"{TENANTS}/{ref.tenant_id}")).json["name"] is None


@pytest.mark.parametrize(
    ("body", "where"),
    [({}, "/id"), ({"id": "1"}, "/id"), ({"id": str(UUID(int=1)), "name": " "}, "/name"), ({"ids": "1"}, "/id")],
)
async def test_malformed_tenant_is_refused(market: Market, body: Mapping[str, str], where: str) -> None:
    answer = await market.ask("POST", TENANTS, json=body)

    assert (answer.status, answer.json["errors"][0]["where"]) == (422, where)


@pytest.mark.parametrize("name", ["Other", None])
async def test_tenant_gets_another_name(market: Market, name: str | None) -> None:
    tenant = await factories.tenant(market.port.daemon.db, name="Acme")

    answer = await market.ask("PATCH", f"{TENANTS}/{tenant}", json={"name": name})

    [deed] = await market.deeds("tenant.rename")
    assert (answer.status, answer.json["name"]) == (200, name)
    assert (deed["before"], deed["after"]) == ({"name": "Acme"}, {"name": name})


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/purge", {"confirm": str(UUID(int=7))}),
    ],
)
async def test_unknown_tenant_is_404(market: Market, method: str, below: str, body: Mapping[str, str] | None) -> None:
    answer = await market.ask(method, f"{TENANTS}/{UUID(int=7)}{below}", json=body)

    assert (answer.status, answer.json["detail"]) == (404, "There is no tenant with this id.")


async def test_paused_tenant_is_not_checked_and_a_resumed_one_is(market: Market) -> None:
    ref = await market.key()

    paused = await market.ask("POST", f"{TENANTS}/{ref.tenant_id}/pause")
    skipped = await market.sweep()
    resumed = await market.ask("POST", f"{TENANTS}/{ref.tenant_id}/resume")
    checked = await market.sweep()

    assert (paused.json["paused"], resumed.json["paused"]) == (True, False)
    assert (skipped.tally.total, checked.tally.total) == (0, 1)


async def test_pause_is_written_down_once(market: Market) -> None:
    tenant = await factories.tenant(market.port.daemon.db)

    answers = [await market.ask("POST", f"{TENANTS}/{tenant}/pause") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert len(await market.deeds("tenant.pause")) == 1


async def test_pages_of_tenants_miss_none_and_repeat_none(market: Market) -> None:
    tenants = [await factories.tenant(market.port.daemon.db) for _ in range(5)]

    first = await market.ask("GET", f"{TENANTS}?limit=3")
    second = await market.ask("GET", f"{TENANTS}?limit=3&cursor={first.json['next_cursor']}")

    ids = [item["id"] for page in (first, second) for item in page.json["items"]]
    assert (ids, second.json["next_cursor"]) == ([str(tenant) for tenant in sorted(tenants)], None)


async def test_tenant_sees_itself_alone(market: Market) -> None:
    own, other = [await factories.tenant(market.port.daemon.db) for _ in range(2)]
    key = await market.tenant_key(own)

    listed = await market.ask("GET", TENANTS, key=key)
    shown = [await market.ask("GET", f"{TENANTS}/{tenant}", key=key) for tenant in (own, other, new_id())]

    assert [item["id"] for item in listed.json["items"]] == [str(own)]
    assert [answer.status for answer in shown] == [200, 404, 404]
    assert shown[1].json["detail"] == shown[2].json["detail"]


async def test_purge_erases_what_is_the_tenants(market: Market, busy_tenant: CredentialRef) -> None:
    answer = await purge(market, busy_tenant.tenant_id)

    assert answer.json["erased"] == {
        "credentials": 1,
        "checks": 4,
        "alerts": 1,
        "events": 1,
        "deliveries": 1,
        "webhooks": 1,
        "keys": 1,
    }
    assert await traces(market, busy_tenant) == []


async def test_purge_leaves_others_alone(market: Market, busy_tenant: CredentialRef) -> None:
    ref = await market.key("kraken", State.REVOKED)
    await market.sweep(times=3)
    before = await traces(market, ref)

    await purge(market, busy_tenant.tenant_id)

    assert before == await traces(market, ref) != []


async def test_purge_is_remembered(market: Market, busy_tenant: CredentialRef) -> None:
    await purge(market, busy_tenant.tenant_id)

    [deed] = await market.deeds("tenant.purge")
    assert (deed["actor"], deed["tenant_id"], deed["after"]["checks"]) == ("admin", busy_tenant.tenant_id, 4)
    assert (await market.deeds("credential.check"))[0]["tenant_id"] == busy_tenant.tenant_id


async def test_purge_leaves_the_secret_store_alone_and_says_so(market: Market, busy_tenant: CredentialRef) -> None:
    answer = await purge(market, busy_tenant.tenant_id)
    await market.discover()

    found_again = await market.ask("GET", f"{TENANTS}/{busy_tenant.tenant_id}")
    assert "discovery finds this tenant again" in answer.json["note"]
    assert (found_again.status, found_again.json["credentials"]) == (200, 1)


@pytest.mark.parametrize("confirm", ["yes", str(UUID(int=7)), " "])
async def test_purge_that_is_not_confirmed_erases_nothing(market: Market, confirm: str) -> None:
    ref = await market.key()

    answer = await purge(market, ref.tenant_id, confirm=confirm)

    assert (answer.status, answer.json["errors"][0]["where"]) == (422, "/confirm")
    assert (await market.ask("GET", f"{TENANTS}/{ref.tenant_id}")).status == 200


async def test_purge_waits_for_a_sweep_of_the_tenant(market: Market) -> None:
    ref = await market.key()
    await sweep_store.begin(
        market.port.daemon.db,
        origin=Origin.API,
        requested_by="test",
        tenant_id=ref.tenant_id,
        now=market.port.clock(),
    )

    answer = await purge(market, ref.tenant_id)

    assert (answer.status, "in progress" in answer.json["detail"]) == (409, True)


async def test_check_under_way_writes_nothing_about_an_erased_tenant(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)
    db, sweeper = market.port.daemon.db, market.port.daemon.sweeper
    [claim] = await store.claim_these(db, [(await market.row(ref))["id"]], now=market.port.clock(), lease=HOUR)
    looked = await sweeper.look_at(claim)

    await purge(market, ref.tenant_id)

    assert await sweeper.record(claim, looked) is None
    assert await traces(market, ref) == []


async def test_discovery_and_purge_at_once_do_not_stumble(market: Market) -> None:
    refs = [await market.foreign_key(leaf="trading.first") for _ in range(10)]
    stored = [market.foreign_key(tenant=ref.tenant_id, leaf="trading.second") for ref in refs]

    await asyncio.gather(*(purge(market, ref.tenant_id) for ref in refs), *stored)
    await market.discover()

    assert {(await market.row(ref))["retired_at"] for ref in refs} == {None}


async def test_every_table_that_names_tenants_is_purged_or_kept_on_purpose(market: Market) -> None:
    """A new table with a `tenant_id` needs a line in PURGED, or a reason."""
    db = market.port.daemon.db
    naming = await db.fetch(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id' AND table_schema = 'public'"
    )
    purged = {table for statement in PURGED.values() for table in re.findall(r"DELETE FROM (\w+)", statement)}
    hanging = await db.fetch(
        """
        SELECT conrelid::regclass::text AS table_name
        FROM pg_constraint
        WHERE contype = 'f' AND confdeltype = 'c' AND confrelid::regclass::text = ANY ($1)
        """,
        sorted(purged),
    )

    assert {row["table_name"] for row in naming} <= purged | KEPT | {row["table_name"] for row in hanging}


async def test_operator_may_not_purge(market: Market) -> None:
    tenant = await factories.tenant(market.port.daemon.db)
    key = await market.port.key(Role.OPERATOR)

    answer = await market.ask("POST", f"{TENANTS}/{tenant}/purge", key=key, json={"confirm": str(tenant)})

    assert answer.status == 403


async def traces(market: Market, ref: CredentialRef) -> list[str]:
    """The tables, but for the audit log, in which this tenant or its key is named anywhere."""
    db = market.port.daemon.db
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'audit_log'")
    names = [str(ref.tenant_id)]
    names += [
        str(row["id"]) for row in await db.fetch("SELECT id FROM credentials WHERE tenant_id = $1", ref.tenant_id)
    ]
    found = []
    for table in (row["tablename"] for row in tables):
        rows = await db.fetch(f"SELECT row_to_json(t)::text AS text FROM {table} t")
        found += [table for row in rows if any(name in row["text"] for name in names)]
    return sorted(found)
