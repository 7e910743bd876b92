"""What an event puts into the tables: who gets it, when, and what it replaces."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from alertd.errors import Transient
from alertd.model import EventType
from alertd.webhooks import outbox
from alertd.webhooks.message import body
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    EXPIRING,
    FAILED,
    HOUR,
    MINUTE,
    OK,
    ONCE,
    RECOVERED,
    RISK,
    SECOND,
    deliveries,
    delivery_of,
    event,
    finish,
    heads,
    queue,
    say,
    send_all,
    state_of,
    take,
)


async def test_the_stored_bytes_are_the_body_of_the_event(db, acme, now):
    await webhook(db, acme)
    queued = event(tenant_id=acme, at=now)

    await queue(db, queued)

    assert await db.fetchval("SELECT body FROM events WHERE id = $1", queued.id) == body(queued)


async def queue_and_fail(db, queued):
    async with db.transaction() as tx:
        await outbox.enqueue(tx, queued, now=queued.at, window=HOUR)
        raise Transient("the caller changed its mind")


async def test_every_endpoint_of_the_tenant_gets_its_own_delivery(db, acme, now):
    first, second = await webhook(db, acme), await webhook(db, acme)

    recipients = await queue(db, event(tenant_id=acme, at=now))

    assert recipients == 2
    assert await deliveries(db, "webhook_id", "state", order="webhook_id") == [
        (first, "pending"),
        (second, "pending"),
    ]


async def test_nobody_elses_endpoint_gets_it(db, acme, now):
    await webhook(db, await tenant(db, name="Other"))

    assert await queue(db, event(tenant_id=acme, at=now)) == 0
    assert await deliveries(db, "id") == []


async def test_an_event_that_nobody_listens_to_is_recorded_all_the_same(db, acme, now):
    await say(db, FAILED, acme, at=now)

    assert await db.fetchval("SELECT recipients FROM events") == 0


@pytest.mark.parametrize(
    ("event_type", "event_types", "recipients"),
    [
        ("*", (), 1),
        ("credential.failed", (), 1),
        ("credential.recovered", ("credential.failed",), 1),
        ("credential.recovered", (), 0),
        ("", (), 0),
    ],
)
async def test_an_endpoint_gets_the_types_it_listens_to(db, acme, now, event_type, event_types, recipients):
    await webhook(db, acme, event_type=event_type, event_types=event_types)

    assert await queue(db, event(FAILED, tenant_id=acme, at=now)) == recipients


async def test_operators_events_go_to_their_notifiers_only(db, acme, now):
    await webhook(db, acme)
    notifier = await webhook(db, None, channel="apprise", url="ops", secret="")

    await say(db, EventType.SYSTEM_ALERT, None, at=now)

    assert await deliveries(db, "webhook_id") == [(notifier,)]


async def test_notifiers_can_be_narrowed_down_by_name(db, now):
    await webhook(db, None, channel="apprise", url="mail", secret="")
    pager = await webhook(db, None, channel="apprise", url="pager", secret="")

    await say(db, EventType.SYSTEM_ALERT, None, at=now, notifiers={"pager"})

    assert await deliveries(db, "webhook_id") == [(pager,)]


async def test_one_endpoint_can_be_addressed_alone(db, acme, now):
    await webhook(db, acme)
    new = await webhook(db, acme)

    await say(db, FAILED, acme, at=now, webhook_id=new)

    assert await deliveries(db, "webhook_id") == [(new,)]


async def test_a_paused_tenant_hears_nothing(db, now):
    paused = await tenant(db, paused=True)
    await webhook(db, paused)

    assert await queue(db, event(tenant_id=paused, at=now)) == 0


async def test_a_message_for_an_endpoint_that_is_switched_off_is_parked(db, acme, now):
    await webhook(db, acme, active=False)

    failed = await say(db, FAILED, acme, at=now)

    assert await state_of(db, failed) == "parked"


async def test_a_test_goes_to_an_endpoint_that_is_switched_off_and_listens_to_nothing(db, acme, now):
    off = await webhook(db, acme, active=False, event_type="")

    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=now, webhook_id=off)

    assert (await delivery_of(db, tested))["state"] == "pending"
    assert (await delivery_of(db, tested))["source"] == "test"


async def test_a_rolled_back_transaction_leaves_nothing(db, acme, now):
    await webhook(db, acme)

    with pytest.raises(Transient):
        await queue_and_fail(db, event(tenant_id=acme, at=now))

    assert await db.fetchval("SELECT count(*) FROM events") == 0
    assert await db.fetchval("SELECT count(*) FROM webhook_windows") == 0
    assert await heads(db, now) == []


# --- The window ------------------------------------------------------------------------------


async def test_the_first_message_of_a_window_goes_at_once(db, acme, now):
    await webhook(db, acme)

    first = await say(db, FAILED, acme, at=now, window=HOUR)

    assert (await delivery_of(db, first))["next_attempt_at"] == now


async def test_a_second_one_is_put_off_to_the_end_of_the_window(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)

    second = await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    assert (await delivery_of(db, second))["next_attempt_at"] == now + HOUR
    assert await db.fetchval("SELECT suppressed FROM webhook_windows") == 1


async def test_a_third_one_replaces_the_second_and_counts_it(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    second = await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    third = await say(db, FAILED, acme, at=now + 2 * MINUTE, window=HOUR)

    newest = await delivery_of(db, third)
    assert (newest["state"], newest["left_out"], newest["next_attempt_at"]) == ("pending", 1, now + HOUR)
    replaced = await delivery_of(db, second)
    assert (replaced["state"], replaced["superseded_by"]) == ("superseded", newest["id"])


async def test_a_fourth_one_counts_what_the_third_stood_for(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)
    await say(db, FAILED, acme, at=now + 2 * MINUTE, window=HOUR)

    fourth = await say(db, FAILED, acme, at=now + 3 * MINUTE, window=HOUR)

    assert (await delivery_of(db, fourth))["left_out"] == 2


async def test_what_was_put_off_opens_the_next_window_when_it_goes(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)
    await send_all(db, OK, now=now)
    await send_all(db, OK, now=now + HOUR)

    third = await say(db, FAILED, acme, at=now + HOUR + MINUTE, window=HOUR)

    assert (await delivery_of(db, third))["next_attempt_at"] == now + 2 * HOUR


async def test_what_replaces_a_message_that_was_due_takes_its_turn(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await send_all(db, OK, now=now)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    newer = await say(db, FAILED, acme, at=now + HOUR + SECOND, window=HOUR)

    assert await heads(db, now + HOUR + SECOND) == [newer]


async def test_what_took_a_turn_opens_the_next_window(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)
    await say(db, FAILED, acme, at=now + HOUR + MINUTE, window=HOUR)

    later = await say(db, FAILED, acme, at=now + 2 * HOUR, window=HOUR)

    assert (await delivery_of(db, later))["next_attempt_at"] == now + 2 * HOUR


async def test_only_an_endpoint_that_still_waits_for_it_gets_its_place(db, acme, now):
    await webhook(db, acme)
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await send_all(db, OK, now=now)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)
    (served,) = (await take(db, now + HOUR, limit=1)).claims
    await finish(db, served, OK, now=now + HOUR)

    newer = await say(db, FAILED, acme, at=now + HOUR + MINUTE, window=HOUR)

    rows = await db.fetch("SELECT webhook_id, next_attempt_at FROM webhook_deliveries WHERE event_id = $1", newer)
    due = {row["webhook_id"] == served.target.id: row["next_attempt_at"] for row in rows}
    assert due == {True: now + 2 * HOUR, False: now + HOUR + MINUTE}


async def test_a_quiet_hour_opens_the_window_again(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)

    later = await say(db, FAILED, acme, at=now + HOUR, window=HOUR)

    assert (await delivery_of(db, later))["next_attempt_at"] == now + HOUR


async def test_two_quiet_hours_open_it_again_after_a_message_was_put_off(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    later = await say(db, FAILED, acme, at=now + 2 * HOUR, window=HOUR)

    assert (await delivery_of(db, later))["next_attempt_at"] == now + 2 * HOUR


@pytest.mark.parametrize(
    ("kind", "subject"), [(RISK, "key-1"), (FAILED, "key-2")], ids=["another type", "another subject"]
)
async def test_windows_are_apart(db, acme, now, kind, subject):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)

    other = await say(db, kind, acme, at=now + MINUTE, subject=subject, window=HOUR)

    assert (await delivery_of(db, other))["next_attempt_at"] == now + MINUTE


@pytest.mark.parametrize("window", [None, timedelta(0)])
async def test_without_a_window_everything_goes_at_once(db, acme, now, window):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=window)

    second = await say(db, FAILED, acme, at=now + MINUTE, window=window)

    assert (await delivery_of(db, second))["next_attempt_at"] == now + MINUTE


# --- Latest state wins -----------------------------------------------------------------------


async def test_a_recovery_replaces_a_failure_that_was_put_off_and_goes_at_once(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await send_all(db, OK, now=now)
    put_off = await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    recovered = await say(db, RECOVERED, acme, at=now + 2 * MINUTE)

    assert await state_of(db, put_off) == "superseded"
    assert (await delivery_of(db, recovered))["left_out"] == 1
    assert await send_all(db, OK, now=now + 2 * MINUTE) == [recovered]
    assert await heads(db, now + 2 * HOUR) == []


async def test_a_failure_that_waits_for_its_turn_goes_before_the_recovery(db, acme, now):
    await webhook(db, acme)
    failed = await say(db, FAILED, acme, at=now, window=HOUR)

    recovered = await say(db, RECOVERED, acme, at=now + MINUTE)

    assert await heads(db, now + MINUTE) == [failed]
    assert await send_all(db, OK, now=now + MINUTE) == [failed]
    assert await send_all(db, OK, now=now + MINUTE) == [recovered]


async def test_after_a_recovery_nothing_counts_as_put_off_any_more(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)
    await say(db, RECOVERED, acme, at=now + 2 * MINUTE)

    again = await say(db, FAILED, acme, at=now + HOUR + MINUTE, window=HOUR)

    assert (await delivery_of(db, again))["next_attempt_at"] == now + HOUR + MINUTE


async def test_another_matter_of_the_subject_replaces_nothing_and_waits_for_nothing(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now, window=HOUR)
    await send_all(db, OK, now=now)
    put_off = await say(db, FAILED, acme, at=now + MINUTE, window=HOUR)

    expiring = await say(db, EXPIRING, acme, at=now + 2 * MINUTE, window=HOUR)

    assert await state_of(db, put_off) == "pending"
    assert await heads(db, now + 2 * MINUTE) == [expiring]


# --- Held ------------------------------------------------------------------------------------


async def test_a_held_message_is_not_sent(db, acme, now):
    await webhook(db, acme)

    held = await say(db, FAILED, acme, at=now, window=HOUR, held=True)

    assert await state_of(db, held) == "held"
    assert await heads(db, now + 2 * HOUR) == []


async def test_a_newer_failure_replaces_a_held_one(db, acme, now):
    await webhook(db, acme)
    held = await say(db, FAILED, acme, at=now, held=True)

    newer = await say(db, FAILED, acme, at=now + MINUTE)

    assert await state_of(db, held) == "superseded"
    assert (await delivery_of(db, newer))["left_out"] == 1


async def test_the_end_of_what_was_only_held_is_not_announced(db, acme, now):
    await webhook(db, acme)
    held = await say(db, FAILED, acme, at=now, held=True)

    recipients = await queue(db, event(RECOVERED, tenant_id=acme, at=now + MINUTE))

    assert recipients == 0
    assert await state_of(db, held) == "superseded"


async def test_the_end_of_what_was_heard_before_is_announced(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    await send_all(db, OK, now=now)
    await say(db, FAILED, acme, at=now + MINUTE, held=True)

    recipients = await queue(db, event(RECOVERED, tenant_id=acme, at=now + 2 * MINUTE))

    assert recipients == 1


async def test_the_end_of_what_was_given_up_is_announced_or_it_would_be_sent_again_as_if_it_were_so(db, acme, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    await say(db, FAILED, acme, at=now + SECOND, held=True)

    recovered = await say(db, RECOVERED, acme, at=now + MINUTE)

    assert await send_all(db, OK, now=now + MINUTE) == [recovered]
    assert await heads(db, now + HOUR) == []


async def test_an_endpoint_that_heard_of_it_is_told_of_the_end_and_another_is_not(db, acme, now):
    told = await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    await send_all(db, OK, now=now)
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now + MINUTE, held=True)

    recovered = await say(db, RECOVERED, acme, at=now + 2 * MINUTE)

    assert await db.fetchval("SELECT webhook_id FROM webhook_deliveries WHERE event_id = $1", recovered) == told


# --- Did it fail? ----------------------------------------------------------------------------


async def test_an_announcement_failed_when_every_endpoint_was_given_up_on(db, acme, now):
    await webhook(db, acme)
    await webhook(db, acme)
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, ERROR, now=now, policy=ONCE)

    assert await outbox.announcement_failed(db, failed) is True


async def test_an_announcement_that_opened_the_circuit_failed_for_now(db, acme, now):
    await webhook(db, acme)
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, ERROR, now=now, policy=replace(ONCE, threshold=1))

    assert await state_of(db, failed) == "parked"
    assert await outbox.announcement_failed(db, failed) is True


async def test_an_announcement_did_not_fail_while_one_endpoint_is_left(db, acme, now):
    await webhook(db, acme)
    failed = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)

    await webhook(db, acme)
    await db.execute(
        """
        INSERT INTO webhook_deliveries (id, event_id, webhook_id, event_type, subject, state, created_at)
        SELECT gen_random_uuid(), $1, id, 'credential.failed', 'key-1', 'parked', $2
        FROM tenant_webhooks
        ORDER BY created_at DESC
        LIMIT 1
        """,
        failed,
        now,
    )

    assert await outbox.announcement_failed(db, failed) is False


async def test_an_announcement_that_was_accepted_once_did_not_fail(db, acme, now):
    await webhook(db, acme)
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, OK, now=now)

    assert await outbox.announcement_failed(db, failed) is False


async def test_an_announcement_to_nobody_did_not_fail(db, acme, now):
    failed = await say(db, FAILED, acme, at=now)

    assert await outbox.announcement_failed(db, failed) is False
    assert await outbox.announcement_failed(db, "evt_unknown") is False


async def test_the_body_is_the_same_for_all_endpoints(db, acme, now):
    await webhook(db, acme)
    await webhook(db, acme)
    queued = replace(event(tenant_id=acme, at=now), fields={"label": "Zürich"})

    await queue(db, queued)

    assert json.loads(await db.fetchval("SELECT body FROM events"))["label"] == "Zürich"
    assert await db.fetchval("SELECT count(DISTINCT event_id) FROM webhook_deliveries") == 1
