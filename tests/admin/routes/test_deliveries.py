"""What was sent, how it was answered, and what is sent again because somebody asks."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from alertd.admin.access import Role
from alertd.webhooks import endpoints
from tests import factories
from tests.admin.port import ADMIN
from tests.admin.routes.desk import DELIVERIES, Desk
from tests.webhooks.post_office import ids
from tests.webhooks.receivers import OK, answering

BROKEN = b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nno\x00!"
NOON = "2026-01-05T12:00:00Z"
MINUTE = timedelta(minutes=1)


async def listed(desk: Desk, query: str = "", **options) -> list[str]:
    """The event ids of a list."""
    answer = await desk.ask("GET", DELIVERIES + query, **options)
    assert answer.status == 200, answer.text
    return [item["event_id"] for item in answer.json["items"]]


async def only(desk: Desk) -> str:
    """The address of the only delivery."""
    return f"{DELIVERIES}/{await desk.db.fetchval('SELECT id FROM webhook_deliveries')}"


async def set_state(desk: Desk, state: str) -> None:
    await desk.db.execute("UPDATE webhook_deliveries SET state = $1, next_attempt_at = NULL", state)


# --- See -------------------------------------------------------------------------------------


async def test_delivery_is_shown_with_its_attempts(desk: Desk) -> None:
    async with answering(BROKEN) as receiver:
        webhook = await desk.add(receiver.url())
        [event_id] = await desk.test_messages(webhook)
        await desk.send()

    [item] = (await desk.ask("GET", DELIVERIES)).json["items"]
    [attempt] = item.pop("attempts")
    assert attempt.pop("duration_ms") >= 0
    assert attempt == {"at": "2026-01-05T12:01:00Z", "status": 500, "error": None, "response": "no!"}
    assert item == {
        "id": item["id"],
        "webhook_id": webhook["id"],
        "tenant_id": str(desk.tenant),
        "event": "webhook.test",
        "event_id": event_id,
        "source": "test",
        "state": "failed",
        "next_attempt_at": None,
        "left_out": 0,
        "superseded_by": None,
        "created_at": NOON,
        "finished_at": "2026-01-05T12:01:00Z",
    }


async def test_one_delivery_has_the_body_that_was_sent(desk: Desk) -> None:
    async with answering(OK) as receiver:
        await desk.test_messages(await desk.add(receiver.url()))
        await desk.send()

    shown = (await desk.ask("GET", await only(desk))).json
    assert shown["body"].encode() == receiver.requests[0].partition(b"\r\n\r\n")[2]
    assert (shown["state"], shown["attempts"][0]["status"]) == ("delivered", 200)


async def test_address_that_is_refused_is_said_as_such(desk: Desk) -> None:
    await desk.test_messages(await desk.add())
    await desk.db.execute("UPDATE tenant_webhooks SET webhook_url = 'http://10.0.0.1/'")
    await desk.send()

    [attempt] = (await desk.ask("GET", await only(desk))).json["attempts"]

    assert (attempt["status"], attempt["error"]) == (None, "refused_address")


async def test_what_waits_says_for_when(desk: Desk) -> None:
    await desk.test_messages(await desk.add())

    shown = (await desk.ask("GET", await only(desk))).json

    assert (shown["state"], shown["next_attempt_at"], shown["attempts"]) == ("pending", NOON, [])


async def test_list_goes_on_page_by_page_from_the_newest(desk: Desk) -> None:
    queued = await desk.test_messages(await desk.add(), 3)

    first = (await desk.ask("GET", f"{DELIVERIES}?limit=2")).json
    rest = (await desk.ask("GET", f"{DELIVERIES}?limit=2&cursor={first['next_cursor']}")).json

    assert [item["event_id"] for item in first["items"] + rest["items"]] == queued[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?webhook_id={webhook}", [1, 0]),
        ("?webhook_id=00000000-0000-4000-8000-000000000007", []),
        ("?tenant_id={tenant}", [1, 0]),
        ("?tenant_id={stranger}", [2]),
        ("?state=pending", [2, 1, 0]),
        ("?state=held", []),
        ("?event=webhook.test", [2, 1, 0]),
        ("?event=credential.failed", []),
        ("?since=2026-01-05T12:01:00Z", [2, 1]),
        ("?until=2026-01-05T12:01:00Z", [0]),
        ("?since=2026-01-05T12:01:00Z&until=2026-01-05T12:02:00Z", [1]),
    ],
)
async def test_list_is_narrowed_down(desk: Desk, query: str, expected: list[int]) -> None:
    webhook, stranger = await desk.add(), await factories.tenant(desk.db)
    queued = await desk.test_messages(webhook, 2)
    foreign = await factories.webhook(desk.db, stranger)
    queued.append(await endpoints.test(desk.db, foreign, now=desk.port.clock()))

    found = await listed(desk, query.format(webhook=webhook["id"], tenant=desk.tenant, stranger=stranger))

    assert found == [queued[number] for number in expected]


async def test_test_message_is_found_by_the_id_that_was_answered(desk: Desk) -> None:
    webhook = await desk.add()
    await desk.test_messages(webhook)
    event_id = (await desk.do(webhook, "test")).json["event_id"]

    assert await listed(desk, f"?event_id={event_id}") == [event_id]


@pytest.mark.parametrize("query", ["?state=nonsense", "?event=nonsense", "?webhook_id=1", "?since=yesterday", "?x=1"])
async def test_wrong_filters_are_refused(desk: Desk, query: str) -> None:
    assert (await desk.ask("GET", DELIVERIES + query)).status == 422


async def test_tenant_sees_its_own_only(desk: Desk) -> None:
    stranger = await factories.tenant(desk.db)
    await endpoints.test(desk.db, await factories.webhook(desk.db, stranger), now=desk.port.clock())

    one = await desk.ask("GET", await only(desk), key=desk.key)
    narrowed = await desk.ask("GET", f"{DELIVERIES}?tenant_id={stranger}", key=desk.key)

    assert await listed(desk, key=desk.key) == []
    assert (one.status, narrowed.status) == (404, 404)


# --- Send again ------------------------------------------------------------------------------


async def test_replay_sends_the_same_message_again(desk: Desk) -> None:
    async with answering(BROKEN, OK) as receiver:
        [event_id] = await desk.test_messages(await desk.add(receiver.url()))
        await desk.send()
        replayed = await desk.ask("POST", f"{await only(desk)}/replay", key=desk.key)
        await desk.send()

    assert (replayed.status, replayed.json["state"], replayed.json["source"]) == (200, "pending", "replay")
    assert ids(receiver) == [event_id, event_id]
    assert len((await desk.ask("GET", await only(desk))).json["attempts"]) == 2


async def test_replay_is_written_down(desk: Desk) -> None:
    await desk.test_messages(await desk.add())
    await set_state(desk, "failed")

    replayed = await desk.ask("POST", f"{await only(desk)}/replay")

    deed = await desk.deed("delivery.replay")
    assert (deed["object"], deed["tenant_id"]) == (f"delivery:{replayed.json['id']}", desk.tenant)
    assert deed["before"] == {"state": "failed"}


@pytest.mark.parametrize("state", ["pending", "parked"])
async def test_what_is_on_its_way_is_not_sent_twice(desk: Desk, state: str) -> None:
    await desk.test_messages(await desk.add())
    await set_state(desk, state)

    answer = await desk.ask("POST", f"{await only(desk)}/replay")

    assert answer.status == 409
    assert state in answer.json["detail"]


async def test_held_messages_are_released_by_replay(desk: Desk) -> None:
    async with answering(OK) as receiver:
        await desk.test_messages(await desk.add(receiver.url()))
        await set_state(desk, "held")
        await desk.send()
        sent_while_held = len(receiver.requests)
        await desk.ask("POST", f"{await only(desk)}/replay")
        await desk.send()

    assert (sent_while_held, len(receiver.requests)) == (0, 1)


async def test_tenant_does_not_release_what_is_held(desk: Desk) -> None:
    await desk.test_messages(await desk.add())
    await set_state(desk, "held")

    one = await desk.ask("POST", f"{await only(desk)}/replay", key=desk.key)
    many = await desk.ask("POST", f"{DELIVERIES}/replay", key=desk.key, json={"since": NOON, "state": "held"})

    assert (one.status, many.status) == (403, 403)
    assert await desk.db.fetchval("SELECT state FROM webhook_deliveries") == "held"


async def test_delivery_that_is_not_there_or_somebody_elses_is_not_replayed(desk: Desk) -> None:
    await desk.test_messages(await desk.add())
    stranger = await desk.port.key(Role.TENANT, tenant_id=await factories.tenant(desk.db))

    other = await desk.ask("POST", f"{await only(desk)}/replay", key=stranger)
    absent = await desk.ask("POST", f"{DELIVERIES}/{uuid4()}/replay")

    assert (other.status, absent.status) == (404, 404)


@pytest.mark.parametrize(
    ("wish", "queued"),
    [
        ({"since": NOON}, 3),
        ({"since": "2026-01-05T13:00:00+01:00"}, 3),
        ({"since": "2026-01-05T12:01:00Z"}, 2),
        ({"since": NOON, "until": "2026-01-05T12:02:00Z"}, 2),
        ({"since": NOON, "state": "delivered"}, 0),
        ({"since": NOON, "event": "webhook.test"}, 3),
        ({"since": NOON, "event": "credential.failed"}, 0),
        ({"since": NOON, "webhook_id": str(uuid4())}, 0),
        ({"since": NOON, "tenant_id": str(uuid4())}, 0),
    ],
)
async def test_many_are_sent_again(desk: Desk, wish, queued: int) -> None:
    await desk.test_messages(await desk.add(), 3)
    await set_state(desk, "failed")

    answer = await desk.ask("POST", f"{DELIVERIES}/replay", json=wish)

    assert (answer.status, answer.json) == (200, {"queued": queued})
    assert await desk.db.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'") == queued


async def test_replay_of_many_is_written_down(desk: Desk) -> None:
    await desk.ask("POST", f"{DELIVERIES}/replay", key=ADMIN, json={"since": NOON, "state": "delivered"})

    deed = await desk.deed("delivery.replay")
    assert (deed["object"], deed["after"]["queued"]) == ("deliveries", 0)
    assert json.dumps(deed["after"]).count(NOON) == 1


async def test_tenant_replays_its_own_only(desk: Desk) -> None:
    stranger = await factories.tenant(desk.db)
    await endpoints.test(desk.db, await factories.webhook(desk.db, stranger), now=desk.port.clock())
    await set_state(desk, "failed")

    own = await desk.ask("POST", f"{DELIVERIES}/replay", key=desk.key, json={"since": NOON})
    other = await desk.ask(
        "POST", f"{DELIVERIES}/replay", key=desk.key, json={"since": NOON, "tenant_id": str(stranger)}
    )

    assert (own.json, other.status) == ({"queued": 0}, 404)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"since": "2026-01-05T12:00:00"},
        {"since": NOON, "until": NOON},
        {"since": NOON, "state": "pending"},
        {"since": NOON, "webhook_id": "1"},
    ],
)
async def test_wishes_that_cannot_be_are_refused(desk: Desk, wish) -> None:
    assert (await desk.ask("POST", f"{DELIVERIES}/replay", json=wish)).status == 422
