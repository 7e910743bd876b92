"""The log as people read it, what waits, and what is forgotten."""

import pytest

from alertd.db import new_id
from alertd.errors import Absent
from alertd.model import EventType
from alertd.webhooks import deliveries as log
from alertd.webhooks.deliveries import Filter
from alertd.webhooks.retention import prune_deliveries, prune_events, prune_windows
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    FAILED,
    HOUR,
    MINUTE,
    OK,
    ONCE,
    RISK,
    SECOND,
    deliveries,
    delivery_of,
    finish,
    say,
    say_many,
    send_all,
    taken,
)

# --- Reading ---------------------------------------------------------------------------------


async def test_one_delivery_with_its_attempts(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now)
    await send_all(db, OK, now=now + SECOND)
    delivery_id = (await delivery_of(db, message))["id"]

    found = await log.get(db, delivery_id)
    tries = (await log.attempts(db, [delivery_id]))[delivery_id]

    assert (found.event, found.event_id, found.state, found.webhook_id) == (
        "credential.failed",
        message,
        "delivered",
        hook,
    )
    assert [(one.at, one.number, one.outcome, one.status) for one in tries] == [
        (now, 1, "failure", 500),
        (now + SECOND, 2, "success", 200),
    ]


async def test_a_delivery_without_attempts_has_none(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)
    delivery_id = (await delivery_of(db, message))["id"]

    assert await log.attempts(db, [delivery_id]) == {delivery_id: ()}


async def test_the_body_can_be_read_again(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)

    assert message.encode() in await log.body(db, message)


async def test_what_is_not_there_is_absent(db):
    with pytest.raises(Absent):
        await log.get(db, new_id())
    with pytest.raises(Absent):
        await log.body(db, "evt_unknown")


async def test_pages_are_newest_first_and_lead_on(db, acme, hook, now):
    older = await say(db, FAILED, acme, at=now)
    middle = await say(db, FAILED, acme, at=now + SECOND)
    newer = await say(db, FAILED, acme, at=now + 2 * SECOND)

    first = await log.deliveries_before(db, None, Filter(), limit=2)
    second = await log.deliveries_before(db, (first[-1].created_at, first[-1].id), Filter(), limit=2)

    assert [each.event_id for each in first] == [newer, middle]
    assert [each.event_id for each in second] == [older]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({}, 3),
        ({"state": "failed"}, 1),
        ({"event": "credential.risk"}, 1),
        ({"state": "delivered"}, 0),
    ],
)
async def test_a_page_is_narrowed_down(db, acme, hook, now, narrowed, found):
    await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    await say(db, RISK, acme, at=now)
    await say(db, FAILED, acme, at=now, subject="key-9")

    narrow = await log.deliveries_before(db, None, Filter(**narrowed), limit=10)

    assert len(narrow) == found


async def test_a_tenant_sees_its_own(db, acme, hook, now):
    other = await tenant(db)
    elsewhere = await webhook(db, other)
    await say(db, FAILED, acme, at=now)
    theirs = await say(db, FAILED, other, at=now + HOUR)

    by_tenant = await log.deliveries_before(db, None, Filter(tenant_id=other), limit=10)
    by_hook = await log.deliveries_before(db, None, Filter(webhook_id=elsewhere, event_id=theirs), limit=10)
    by_time = await log.deliveries_before(db, None, Filter(since=now + MINUTE, until=now + 2 * HOUR), limit=10)

    assert [each.event_id for each in by_tenant] == [theirs]
    assert by_tenant == by_hook == by_time


async def test_the_backlog_counts_what_waits(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await say(db, RISK, acme, at=now, held=True)
    other = await tenant(db)
    await webhook(db, other, active=False)
    await say(db, FAILED, other, at=now)

    waiting = await log.backlog(db, now + MINUTE)

    assert waiting.states == {"pending": 1, "held": 1, "parked": 1}
    assert (waiting.oldest_due_at, waiting.open_circuits) == (now, 0)


async def test_an_empty_backlog(db, now):
    waiting = await log.backlog(db, now)

    assert waiting.states == {"pending": 0, "held": 0, "parked": 0}
    assert (waiting.oldest_due_at, waiting.open_circuits) == (None, 0)


async def test_open_circuits_are_counted_and_what_they_hold_is_not_late(db, acme, hook, now):
    await db.execute("UPDATE tenant_webhooks SET circuit = 'open', circuit_until = $1", now)
    await say(db, FAILED, acme, at=now)

    waiting = await log.backlog(db, now + HOUR)

    assert (waiting.oldest_due_at, waiting.open_circuits) == (None, 1)


# --- Retention -------------------------------------------------------------------------------


async def finished(db, tenant_id, now, *, subject="key-1"):
    message = await say(db, FAILED, tenant_id, at=now, subject=subject)
    await send_all(db, OK, now=now)
    return message


async def left(db):
    return [event_id for (event_id,) in await deliveries(db, "event_id")]


async def test_what_was_finished_long_ago_is_deleted_with_its_attempts(db, acme, hook, now):
    await finished(db, acme, now)
    newer = await finished(db, acme, now + HOUR)

    assert await prune_deliveries(db, before=now + HOUR) == 1

    assert await left(db) == [newer]
    assert await db.fetchval("SELECT count(*) FROM webhook_delivery_log") == 1


async def test_the_newest_of_a_subject_stays_however_old_it_is(db, acme, hook, now):
    first = await finished(db, acme, now, subject="key-1")
    second = await finished(db, acme, now, subject="key-2")

    assert await prune_deliveries(db, before=now + 1000 * HOUR) == 0
    assert await left(db) == [first, second]


@pytest.mark.parametrize("state", ["pending", "parked", "held"])
async def test_what_is_not_finished_stays(db, acme, hook, now, state):
    open_one = await say(db, FAILED, acme, at=now)
    await db.execute("UPDATE webhook_deliveries SET state = $1", state)
    newer = await say(db, RISK, acme, at=now + HOUR)

    assert await prune_deliveries(db, before=now + 1000 * HOUR) == 0
    assert await left(db) == [open_one, newer]


async def test_what_was_replayed_lately_stays(db, acme, hook, now):
    message = await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)
    await finish(db, one, OK, now=now + HOUR)
    await say(db, RISK, acme, at=now + 2 * HOUR)

    assert await prune_deliveries(db, before=now + MINUTE) == 0
    assert message in await left(db)


async def test_deletion_goes_in_batches(db, acme, hook, now):
    await say_many(db, FAILED, acme, at=now, messages=4)
    await send_all(db, OK, now=now)
    await say_many(db, FAILED, acme, at=now + HOUR, messages=4)

    assert await prune_deliveries(db, before=now + HOUR, batch=3) == 3
    assert await prune_deliveries(db, before=now + HOUR, batch=3) == 1


async def test_old_events_go_once_no_delivery_needs_them(db, acme, hook, now):
    needed = await say(db, FAILED, acme, at=now, subject="key-1")
    await say(db, FAILED, acme, at=now + HOUR, subject="key-1")
    alone = await tenant(db)
    unheard = await say(db, FAILED, alone, at=now, subject="key-2")
    newest = await say(db, FAILED, alone, at=now + HOUR, subject="key-2")

    assert await prune_events(db, before=now + 1000 * HOUR) == 1

    rows = await db.fetch("SELECT id FROM events")
    assert {needed, newest} <= {row["id"] for row in rows}
    assert unheard not in {row["id"] for row in rows}


async def test_operators_messages_go_though_each_is_the_newest_of_its_subject(db, now):
    await webhook(db, None, channel="apprise", url="ops", secret="")
    await say(db, EventType.SYSTEM_ALERT, None, at=now, subject="alerts:1")
    await send_all(db, OK, now=now)

    assert await prune_deliveries(db, before=now + HOUR) == 1
    assert await prune_events(db, before=now + HOUR) == 1


async def test_closed_windows_are_forgotten(db, acme, hook, now):
    await say(db, FAILED, acme, at=now, window=HOUR)

    assert await prune_windows(db, before=now + HOUR) == 0
    assert await prune_windows(db, before=now + HOUR + SECOND) == 1
