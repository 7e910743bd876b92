"""Sending again: one, many, held ones; as rows, under the same id."""

import pytest

from alertd.db import new_id
from alertd.errors import Absent, Busy, Refused
from alertd.webhooks import endpoints
from alertd.webhooks.replay import Selection, release, replay, replay_one
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    FAILED,
    HOUR,
    MINUTE,
    OK,
    PATIENT_BREAKER,
    RECOVERED,
    RISK,
    SECOND,
    Clock,
    a_sender,
    deliveries,
    delivery_of,
    endpoint,
    heads,
    ids,
    log_of,
    say,
    say_many,
    send_all,
    state_of,
)
from tests.webhooks.receivers import OK as ANSWER
from tests.webhooks.receivers import answering


async def lost(db, tenant_id, now, *, messages=1):
    """Messages that were given up on."""
    said = await say_many(db, FAILED, tenant_id, at=now, messages=messages)
    await send_all(db, ERROR, now=now, policy=PATIENT_BREAKER)
    return said


async def again(db, event_id, now):
    async with db.transaction() as tx:
        await replay_one(tx, (await delivery_of(db, event_id))["id"], now=now)


async def bulk(db, now, **chosen):
    async with db.transaction() as tx:
        return await replay(tx, Selection(**chosen), now=now)


# --- One -------------------------------------------------------------------------------------


async def test_a_failed_delivery_is_sent_again_under_the_same_id(db, acme, now):
    async with answering(ANSWER) as receiver, a_sender(db, Clock(now)) as sender:
        await webhook(db, acme, url=receiver.url())
        (failed,) = await lost(db, acme, now)
        await again(db, failed, now)

        await sender.flush(SECOND)

    assert ids(receiver) == [failed]
    assert await state_of(db, failed) == "delivered"


async def test_a_replay_has_all_its_tries_and_keeps_the_old_attempts_in_the_log(db, acme, hook, now):
    (failed,) = await lost(db, acme, now)

    await again(db, failed, now + MINUTE)
    await send_all(db, ERROR, now=now + MINUTE)

    row = await delivery_of(db, failed)
    assert (row["state"], row["source"], row["attempts"]) == ("pending", "replay", 1)
    assert len(await log_of(db, failed)) == 2


async def test_a_delivered_message_can_be_sent_again(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)
    await send_all(db, OK, now=now)

    await again(db, message, now)

    assert await heads(db, now) == [message]


async def test_what_is_still_on_its_way_is_not_queued_twice(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)

    with pytest.raises(Busy, match="pending"):
        await again(db, message, now)


async def test_what_is_not_there_cannot_be_replayed(db, now):
    with pytest.raises(Absent):
        await replay_one(db, new_id(), now=now)


async def test_a_replay_to_an_endpoint_that_is_off_waits_for_it(db, acme, hook, now):
    (failed,) = await lost(db, acme, now)
    await endpoints.disable(db, hook, now=now)

    await again(db, failed, now)

    assert await state_of(db, failed) == "parked"


async def test_waiting_replays_are_not_merged(db, acme, hook, now):
    first = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=PATIENT_BREAKER)
    second = await say(db, FAILED, acme, at=now + SECOND)
    await send_all(db, ERROR, now=now + SECOND, policy=PATIENT_BREAKER)
    await endpoints.disable(db, hook, now=now)

    await bulk(db, now + MINUTE, state="failed")

    assert [await state_of(db, first), await state_of(db, second)] == ["parked", "parked"]


async def test_an_old_message_that_was_replayed_is_not_held_for_its_age(db, acme, hook, now):
    (failed,) = await lost(db, acme, now)

    await again(db, failed, now + 1000 * HOUR)

    assert await heads(db, now + 1000 * HOUR) == [failed]


# --- Many ------------------------------------------------------------------------------------


async def test_a_bulk_replay_answers_how_many_it_queued(db, acme, hook, now):
    await lost(db, acme, now, messages=3)

    assert await bulk(db, now) == 3
    assert await bulk(db, now) == 0


@pytest.mark.parametrize(
    ("chosen", "queued"),
    [
        ({}, 2),
        ({"state": "delivered"}, 1),
        ({"event_type": "credential.risk"}, 1),
        ({"event_type": "credential.recovered"}, 0),
    ],
)
async def test_a_bulk_replay_takes_what_is_selected(db, acme, hook, now, chosen, queued):
    await say(db, RECOVERED, acme, at=now, subject="good")
    await send_all(db, OK, now=now)
    await say(db, FAILED, acme, at=now + HOUR, subject="bad")
    await say(db, RISK, acme, at=now + 2 * HOUR, subject="worse")
    await send_all(db, ERROR, now=now + 2 * HOUR, policy=PATIENT_BREAKER)

    assert await bulk(db, now + 3 * HOUR, **chosen) == queued


async def test_a_bulk_replay_takes_a_span_of_time(db, acme, hook, now):
    await lost(db, acme, now)
    middle = await say(db, FAILED, acme, at=now + HOUR, subject="middle")
    await say(db, FAILED, acme, at=now + 2 * HOUR, subject="late")
    await send_all(db, ERROR, now=now + 2 * HOUR, policy=PATIENT_BREAKER)

    assert await bulk(db, now + 3 * HOUR, since=now + HOUR, until=now + 2 * HOUR) == 1
    assert await state_of(db, middle) == "pending"


async def test_a_bulk_replay_stays_with_one_endpoint_and_one_tenant(db, acme, hook, now):
    other = await tenant(db)
    elsewhere = await webhook(db, other)
    await lost(db, acme, now)
    await lost(db, other, now)

    assert await bulk(db, now, webhook_id=elsewhere, tenant_id=acme) == 0
    assert await bulk(db, now, webhook_id=elsewhere) == 1
    assert await bulk(db, now, tenant_id=acme) == 1


async def test_a_bulk_replay_is_spread_over_time_and_lets_a_new_message_pass(db, acme, hook, now):
    await lost(db, acme, now, messages=8)
    await bulk(db, now + MINUTE)
    due = [at - now - MINUTE for (at,) in await deliveries(db, "next_attempt_at")]

    await send_all(db, OK, now=now + MINUTE)
    fresh = await say(db, FAILED, acme, at=now + MINUTE, subject="fresh")

    assert due == [number * SECOND / 10 for number in range(8)]
    assert await heads(db, now + MINUTE) == [fresh]


@pytest.mark.parametrize("state", ["pending", "parked", "nonsense"])
async def test_what_is_on_its_way_cannot_be_selected(db, now, state):
    with pytest.raises(Refused):
        await bulk(db, now, state=state)


# --- Held ------------------------------------------------------------------------------------


async def test_a_released_message_goes_out(db, acme, hook, now):
    held = await say(db, FAILED, acme, at=now, held=True)

    async with db.transaction() as tx:
        released = await release(tx, [(await delivery_of(db, held))["id"]], now=now + HOUR)

    assert released == 1
    assert await heads(db, now + HOUR) == [held]


async def test_a_release_leaves_what_is_not_held_alone(db, acme, hook, now):
    (failed,) = await lost(db, acme, now)

    assert await release(db, [(await delivery_of(db, failed))["id"]], now=now) == 0
    assert await state_of(db, failed) == "failed"


async def test_a_released_message_for_an_open_circuit_waits_for_its_probe(db, acme, hook, now):
    held = await say(db, FAILED, acme, at=now, held=True)
    await db.execute("UPDATE tenant_webhooks SET circuit = 'open', circuit_until = $1", now + HOUR)

    await release(db, [(await delivery_of(db, held))["id"]], now=now)

    assert await state_of(db, held) == "parked"
    assert (await endpoint(db, hook))["next_due_at"] == now + HOUR
