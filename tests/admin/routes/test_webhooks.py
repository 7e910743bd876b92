"""Endpoints as their owners and operators see, add, change and remove them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from alertd.admin.access import Role
from alertd.webhooks.requirements import SUBSCRIBABLE
from alertd.webhooks.signing import verify
from tests import factories
from tests.admin.port import KEYS, open_port
from tests.admin.routes.desk import PUBLIC, WEBHOOKS, Desk, open_desk
from tests.webhooks.receivers import OK, answering


def flaws(answer) -> list[str]:
    return [flaw["where"] for flaw in answer.json["errors"]]


async def events(desk: Desk) -> list[str]:
    return [row["type"] for row in await desk.db.fetch("SELECT type FROM events ORDER BY id")]


# --- Add -------------------------------------------------------------------------------------


async def test_created_endpoint_is_answered_whole(desk: Desk) -> None:
    created = await desk.add(
        event_types=["credential.failed", "credential.recovered"],
        description="ops",
        headers={"X-Team": "one", "Authorization": "Bearer hunter2"},
    )

    assert created.pop("secret").startswith("whsec_")
    assert created == {
        "id": created["id"],
        "tenant_id": str(desk.tenant),
        "url": PUBLIC,
        "event_types": ["credential.failed", "credential.recovered"],
        "description": "ops",
        "headers": ["Authorization", "X-Team"],
        "is_active": True,
        "disabled_reason": None,
        "circuit": "closed",
        "circuit_until": None,
        "consecutive_failures": 0,
        "rotation_ends_at": None,
        "created_at": "2026-01-05T12:00:00Z",
        "notes": [],
    }


async def test_secret_and_headers_are_in_no_later_answer(desk: Desk) -> None:
    created = await desk.add(headers={"Authorization": "Bearer hunter2"})

    shown = await desk.ask("GET", f"{WEBHOOKS}/{created['id']}")
    listed = await desk.ask("GET", WEBHOOKS)
    logged = await desk.ask("GET", "/api/v1/audit")

    assert created["secret"] not in shown.text + listed.text + logged.text
    assert "hunter2" not in json.dumps(created) + shown.text + listed.text + logged.text


async def test_secret_signs_what_arrives(desk: Desk) -> None:
    async with answering(OK) as receiver:
        created = await desk.add(receiver.url())
        await desk.do(created, "test")
        await desk.send()

    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    judged = verify(dict(pairs), body, created["secret"], now=desk.port.clock())
    assert (judged.problems, json.loads(body)["event"]) == ((), "webhook.test")


async def test_endpoint_hears_everything_unless_it_says_otherwise(desk: Desk) -> None:
    assert (await desk.add())["event_types"] == ["*"]


async def test_creation_is_written_down_without_what_is_secret(desk: Desk) -> None:
    created = await desk.add(f"{PUBLIC}/path?token=hunter2", headers={"X-Team": "one"})

    deed = await desk.deed("webhook.create")
    assert (deed["actor"], deed["object"], deed["tenant_id"]) == ("admin", f"webhook:{created['id']}", desk.tenant)
    assert deed["after"] == {
        "url": "https://93.184.216.34",
        "event_types": ["*"],
        "description": "",
        "headers": ["X-Team"],
        "is_active": True,
    }


async def test_tenant_need_not_say_who_it_is(desk: Desk) -> None:
    answer = await desk.ask("POST", WEBHOOKS, key=desk.key, json={"url": PUBLIC})

    assert (answer.status, answer.json["tenant_id"]) == (201, str(desk.tenant))


async def test_operators_have_to_name_the_tenant(desk: Desk) -> None:
    answer = await desk.ask("POST", WEBHOOKS, json={"url": PUBLIC})

    assert (answer.status, flaws(answer)) == (422, ["/tenant_id"])


async def test_tenant_that_nobody_knows_gets_no_endpoint(desk: Desk) -> None:
    answer = await desk.ask("POST", WEBHOOKS, json={"tenant_id": str(uuid4()), "url": PUBLIC})

    assert answer.status == 404


@pytest.mark.parametrize(
    ("wish", "where"),
    [
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "http://10.0.0.1/"}, "/url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "/url"),
        ({"url": "https://user:hunter2@example.com/"}, "/url"),
        ({"url": "x" * 3000}, "/url"),
        ({"event_types": ["nonsense"]}, "/event_types/0"),
        ({"event_types": ["system.alert"]}, "/event_types/0"),
        ({"headers": {"Host": "x"}}, "/headers"),
        ({"headers": {"X-AlphaPulse-Signature": "x"}}, "/headers"),
        ({"headers": {"X-Team": "a\nb"}}, "/headers"),
        ({"secret": "mine"}, "/secret"),
    ],
)
async def test_what_cannot_be_is_refused_where_it_is(desk: Desk, wish, where: str) -> None:
    answer = await desk.ask("POST", WEBHOOKS, json={"tenant_id": str(desk.tenant), "url": PUBLIC, **wish})

    assert (answer.status, flaws(answer)) == (422, [where])
    assert "hunter2" not in answer.text


async def test_plain_http_and_odd_ports_need_the_settings(dsn: str, tmp_path: Path, now: datetime) -> None:
    async with open_port(dsn, tmp_path, now, environ=KEYS) as port:
        tenant = await factories.tenant(port.daemon.db)
        wish = {"tenant_id": str(tenant), "url": "http://93.184.216.34:9000/"}
        answer = await port.ask("POST", WEBHOOKS, json=wish)

    assert (answer.status, flaws(answer)) == (422, ["/url", "/url"])


async def test_our_own_database_is_no_receiver(tmp_path: Path, dsn: str, now: datetime) -> None:
    async with open_desk(dsn, tmp_path, now) as desk:
        [(address, port)] = [(str(host), port) for host, port in desk.port.daemon.policy.own]
        answer = await desk.ask(
            "POST", WEBHOOKS, json={"tenant_id": str(desk.tenant), "url": f"http://{address}:{port}"}
        )

    assert (answer.status, flaws(answer)) == (422, ["/url"])


async def test_name_that_does_not_resolve_is_saved_with_a_note(desk: Desk) -> None:
    created = await desk.add("https://hooks.invalid/x")

    assert created["notes"] == ["the name does not resolve at the moment; each attempt looks again"]


async def test_new_endpoint_hears_at_once_of_what_fails(desk: Desk) -> None:
    await desk.failing_key()

    async with answering(OK) as receiver:
        await desk.add(receiver.url())
        await desk.send()

    assert [b'"credential.failed"' in request for request in receiver.requests] == [True]


async def test_endpoint_that_did_not_ask_for_failures_hears_of_none(desk: Desk) -> None:
    await desk.failing_key()

    await desk.add(event_types=["performance.alert"])

    assert await events(desk) == []


async def test_while_tenants_hear_nothing_a_new_endpoint_does_not(dsn: str, tmp_path: Path, now: datetime) -> None:
    async with open_desk(dsn, tmp_path, now, environ={"ALERTD_CREDENTIALS__NOTIFY": "false"}) as desk:
        await desk.failing_key()
        await desk.add()

        assert await events(desk) == []


async def test_repeated_request_makes_one_endpoint_and_shows_one_secret(desk: Desk) -> None:
    wish = {"tenant_id": str(desk.tenant), "url": PUBLIC}
    first = await desk.ask("POST", WEBHOOKS, json=wish, headers={"Idempotency-Key": "k1"})
    again = await desk.ask("POST", WEBHOOKS, json=wish, headers={"Idempotency-Key": "k1"})

    assert first.json == again.json
    assert await desk.db.fetchval("SELECT count(*) FROM tenant_webhooks") == 1


# --- See -------------------------------------------------------------------------------------


async def test_list_goes_on_page_by_page_from_the_oldest(desk: Desk) -> None:
    added = [(await desk.add(description=str(number)))["id"] for number in range(3)]

    first = (await desk.ask("GET", f"{WEBHOOKS}?limit=2")).json
    rest = (await desk.ask("GET", f"{WEBHOOKS}?limit=2&cursor={first['next_cursor']}")).json

    assert [item["id"] for item in first["items"] + rest["items"]] == added
    assert rest["next_cursor"] is None


async def test_list_is_narrowed_to_a_tenant(desk: Desk) -> None:
    other = await factories.tenant(desk.db)
    await factories.webhook(desk.db, other)
    own = await desk.add()

    narrowed = await desk.ask("GET", f"{WEBHOOKS}?tenant_id={desk.tenant}")
    as_tenant = await desk.ask("GET", WEBHOOKS, key=desk.key)

    assert [item["id"] for item in narrowed.json["items"]] == [own["id"]]
    assert as_tenant.json["items"] == narrowed.json["items"]


async def test_notifiers_of_operators_are_no_endpoints(desk: Desk) -> None:
    notifier = await factories.webhook(desk.db, None, channel="apprise", url="mail")

    listed = await desk.ask("GET", WEBHOOKS)
    shown = await desk.ask("GET", f"{WEBHOOKS}/{notifier}")

    assert (listed.json["items"], shown.status) == ([], 404)


async def test_somebody_elses_is_like_one_that_is_not_there(desk: Desk) -> None:
    theirs = await factories.webhook(desk.db, await factories.tenant(desk.db))

    other = await desk.ask("GET", f"{WEBHOOKS}/{theirs}", key=desk.key)
    absent = await desk.ask("GET", f"{WEBHOOKS}/{uuid4()}", key=desk.key)

    assert (other.status, absent.status) == (404, 404)
    assert other.json["detail"] == absent.json["detail"]


async def test_headers_that_cannot_be_read_any_more_are_null(desk: Desk) -> None:
    created = await desk.add(headers={"X-Team": "one"})
    await desk.db.execute("UPDATE tenant_webhooks SET headers = 'v1.00000000.AAAA'")

    shown = await desk.ask("GET", f"{WEBHOOKS}/{created['id']}")

    assert (shown.status, shown.json["headers"]) == (200, None)


# --- Change ----------------------------------------------------------------------------------


async def test_what_is_not_named_stays(desk: Desk) -> None:
    created = await desk.add(event_types=["credential.failed"], headers={"X-Team": "one"})

    changed = await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json={"description": "new"})

    del created["secret"]
    assert (changed.status, changed.json) == (200, {**created, "description": "new"})


async def test_everything_can_be_changed(desk: Desk) -> None:
    created = await desk.add(headers={"X-Team": "one"})
    wish = {
        "url": "https://93.184.216.35/",
        "event_types": list(SUBSCRIBABLE),
        "description": "d",
        "headers": {},
        "is_active": False,
    }

    changed = await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json=wish)

    assert {name: changed.json[name] for name in wish} == {**wish, "headers": []}
    assert changed.json["disabled_reason"] == "person"


async def test_change_is_written_down_with_what_it_changed(desk: Desk) -> None:
    created = await desk.add()
    wish = {"url": "https://93.184.216.35/secret-path", "headers": {"X-Team": "hunter2"}}

    await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", key=desk.key, json=wish)

    deed = await desk.deed("webhook.update")
    assert deed["before"] == {"url": "https://93.184.216.34", "headers": []}
    assert deed["after"] == {"url": "https://93.184.216.35", "headers": ["X-Team"]}


@pytest.mark.parametrize("wish", [{}, {"url": None}])
async def test_change_of_nothing_is_refused(desk: Desk, wish) -> None:
    created = await desk.add()

    assert (await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json=wish)).status == 422


@pytest.mark.parametrize(
    ("wish", "where"), [({"url": "http://10.0.0.1/"}, "/url"), ({"headers": {"Te": "x"}}, "/headers")]
)
async def test_change_is_reviewed_like_a_new_one(desk: Desk, wish, where: str) -> None:
    created = await desk.add()

    answer = await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json=wish)

    assert (answer.status, flaws(answer)) == (422, [where])


async def test_new_address_closes_the_circuit(desk: Desk) -> None:
    created = await desk.add()
    until = desk.port.clock() + timedelta(hours=1)
    await desk.db.execute(
        "UPDATE tenant_webhooks SET circuit = 'open', circuit_until = $1, consecutive_failures = 10", until
    )

    broken = await desk.ask("GET", f"{WEBHOOKS}/{created['id']}")
    changed = await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json={"url": "https://93.184.216.35/"})

    assert (broken.json["circuit"], broken.json["circuit_until"]) == ("open", "2026-01-05T13:00:00Z")
    assert (changed.json["circuit"], changed.json["consecutive_failures"]) == ("closed", 0)


async def test_endpoint_that_now_asks_for_failures_hears_of_what_fails(desk: Desk) -> None:
    await desk.failing_key()
    created = await desk.add(event_types=["performance.alert"])

    await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json={"event_types": []})
    await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", json={"description": "heard already"})

    assert await events(desk) == ["credential.failed"]


async def test_endpoint_that_asks_for_more_hears_what_is_current_of_that_alone(desk: Desk) -> None:
    await desk.failing_key()
    await desk.firing_strategy()
    created = await desk.add(event_types=["credential.failed"])

    await desk.ask(
        "PATCH", f"{WEBHOOKS}/{created['id']}", json={"event_types": ["credential.failed", "performance.alert"]}
    )

    assert sorted(await events(desk)) == ["credential.failed", "performance.alert"]


# --- Remove ----------------------------------------------------------------------------------


async def test_removed_endpoint_is_gone_with_its_deliveries(desk: Desk) -> None:
    created = await desk.add()
    await desk.test_messages(created)

    removed = await desk.ask("DELETE", f"{WEBHOOKS}/{created['id']}")
    again = await desk.ask("DELETE", f"{WEBHOOKS}/{created['id']}")

    assert (removed.status, removed.text, again.status) == (204, "", 404)
    assert await desk.db.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
    assert (await desk.deed("webhook.delete"))["before"]["url"] == "https://93.184.216.34"


async def test_nobody_changes_what_is_somebody_elses(desk: Desk) -> None:
    created = await desk.add()
    stranger = await desk.port.key(Role.TENANT, tenant_id=await factories.tenant(desk.db))

    changed = await desk.ask("PATCH", f"{WEBHOOKS}/{created['id']}", key=stranger, json={"is_active": False})
    removed = await desk.ask("DELETE", f"{WEBHOOKS}/{created['id']}", key=stranger)

    assert (changed.status, removed.status) == (404, 404)
    assert await desk.db.fetchval("SELECT is_active FROM tenant_webhooks")
