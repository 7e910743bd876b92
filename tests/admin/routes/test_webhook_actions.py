"""What is done with an endpoint: tried, switched, reset, given a new secret."""

from datetime import timedelta
from uuid import UUID

import pytest

from alertd.webhooks.seals import unseal
from tests.admin.routes.desk import WEBHOOKS, Desk
from tests.webhooks.post_office import HOUR
from tests.webhooks.receivers import OK, answering

BROKEN = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


async def stored_secret(desk: Desk, webhook) -> str:
    """The secret that signs."""
    sealed = await desk.db.fetchval("SELECT webhook_secret FROM tenant_webhooks")
    return unseal(desk.port.daemon.cipher, UUID(webhook["id"]), sealed)


# --- Test ------------------------------------------------------------------------------------


async def test_test_message_arrives_under_the_id_that_was_answered(desk: Desk) -> None:
    async with answering(OK) as receiver:
        created = await desk.add(receiver.url(), event_types=["performance.alert"])
        tested = await desk.do(created, "test", key=desk.key)
        await desk.send()

    assert tested.status == 200
    assert f"webhook-id: {tested.json['event_id']}".encode() in receiver.requests[0].lower()
    assert (await desk.deed("webhook.test"))["after"] == tested.json


async def test_paused_tenant_is_sent_no_test(desk: Desk) -> None:
    created = await desk.add()
    await desk.db.execute("UPDATE tenants SET paused = true")

    answer = await desk.do(created, "test")

    assert (answer.status, answer.json["detail"]) == (409, f"tenant {desk.tenant} is paused: nothing is sent")
    assert await desk.db.fetchval("SELECT count(*) FROM events") == 0


# --- Switch ----------------------------------------------------------------------------------


async def test_switching_off_puts_aside_and_switching_on_sends(desk: Desk) -> None:
    await desk.failing_key()
    async with answering(OK) as receiver:
        created = await desk.add(receiver.url())
        off = await desk.do(created, "disable", key=desk.key)
        await desk.send()
        sent_while_off = len(receiver.requests)
        on = await desk.do(created, "enable", key=desk.key)
        await desk.send()

    assert (off.json["is_active"], off.json["disabled_reason"], off.json["messages"]) == (False, "person", 1)
    assert (on.json["is_active"], on.json["disabled_reason"], on.json["messages"]) == (True, None, 1)
    assert (sent_while_off, len(receiver.requests)) == (0, 1)


async def test_switching_is_written_down(desk: Desk) -> None:
    created = await desk.add()

    await desk.do(created, "disable")

    deed = await desk.deed("webhook.disable")
    assert deed["before"] == {"is_active": True, "circuit": "closed"}
    assert deed["after"] == {"is_active": False, "circuit": "closed", "messages": 0}


async def test_reset_closes_the_circuit_and_sends_what_waits(desk: Desk) -> None:
    await desk.failing_key()
    async with answering(BROKEN, OK) as receiver:
        created = await desk.add(receiver.url())
        await desk.send()
        until = desk.port.clock() + HOUR
        await desk.db.execute("UPDATE tenant_webhooks SET circuit = 'open', circuit_until = $1", until)
        await desk.db.execute("UPDATE webhook_deliveries SET state = 'parked', finished_at = NULL")
        reset = await desk.do(created, "reset")
        await desk.send()

    assert (reset.json["circuit"], reset.json["circuit_until"], reset.json["messages"]) == ("closed", None, 1)
    assert len(receiver.requests) == 2
    assert (await desk.deed("webhook.reset"))["before"] == {"is_active": True, "circuit": "open"}


# --- Secrets ---------------------------------------------------------------------------------


async def test_new_secret_is_shown_once_and_waits_for_its_turn(desk: Desk) -> None:
    created = await desk.add()

    rotated = await desk.do(created, "rotate-secret", key=desk.key)
    shown = await desk.ask("GET", f"{WEBHOOKS}/{created['id']}")

    assert rotated.json["secret"].startswith("whsec_")
    assert rotated.json["rotation_ends_at"] == shown.json["rotation_ends_at"] == "2026-01-06T12:00:00Z"
    assert rotated.json["secret"] not in shown.text
    assert await stored_secret(desk, created) == created["secret"]


@pytest.mark.parametrize(
    ("hours", "ends"), [(1, "2026-01-05T13:00:00Z"), (0.5, "2026-01-05T12:30:00Z"), (720, "2026-02-04T12:00:00Z")]
)
async def test_overlap_is_as_long_as_wished(desk: Desk, hours: float, ends: str) -> None:
    rotated = await desk.do(await desk.add(), "rotate-secret", json={"overlap_hours": hours})

    assert rotated.json["rotation_ends_at"] == ends


async def test_without_overlap_the_new_secret_signs_at_once(desk: Desk) -> None:
    created = await desk.add()

    rotated = await desk.do(created, "rotate-secret", json={"overlap_hours": 0})

    assert rotated.json["rotation_ends_at"] is None
    assert await stored_secret(desk, created) == rotated.json["secret"]


@pytest.mark.parametrize("hours", [-1, 721, "1", None])
async def test_overlap_has_bounds(desk: Desk, hours) -> None:
    assert (await desk.do(await desk.add(), "rotate-secret", json={"overlap_hours": hours})).status == 422


async def test_rotation_that_is_over_is_not_shown(desk: Desk) -> None:
    created = await desk.add()
    await desk.do(created, "rotate-secret", json={"overlap_hours": 1})

    desk.port.clock.turn(timedelta(hours=1))

    assert (await desk.ask("GET", f"{WEBHOOKS}/{created['id']}")).json["rotation_ends_at"] is None


async def test_committed_secret_signs_alone(desk: Desk) -> None:
    created = await desk.add()
    rotated = await desk.do(created, "rotate-secret")

    committed = await desk.do(created, "commit-secret", key=desk.key)

    assert (committed.status, committed.json["rotation_ends_at"]) == (200, None)
    assert await stored_secret(desk, created) == rotated.json["secret"]


async def test_there_has_to_be_something_to_commit(desk: Desk) -> None:
    answer = await desk.do(await desk.add(), "commit-secret")

    assert answer.status == 409
    assert "rotate first" in answer.json["detail"]


async def test_rotation_is_written_down_without_the_secret(desk: Desk) -> None:
    created = await desk.add()
    rotated = await desk.do(created, "rotate-secret")
    await desk.do(created, "commit-secret")

    assert (await desk.deed("webhook.rotate_secret"))["after"] == {"overlap_hours": 24}
    assert (await desk.deed("webhook.commit_secret"))["object"] == f"webhook:{created['id']}"
    assert rotated.json["secret"] not in (await desk.ask("GET", "/api/v1/audit")).text
