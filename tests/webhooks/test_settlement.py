"""What an answer changes: the delivery, the circuit, and who else hears of it."""

import asyncio
from datetime import timedelta

import pytest

from alertd.model import EventType
from alertd.webhooks import endpoints
from alertd.webhooks.retry import FIRST_COOLDOWN, Fault, Outcome
from alertd.webhooks.settlement import Policy, settle
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    FAILED,
    FAST,
    GONE,
    HOUR,
    MINUTE,
    OK,
    ONCE,
    RECOVERED,
    RISK,
    SECOND,
    TIMEOUT,
    attempt,
    deliveries,
    delivery_of,
    endpoint,
    event,
    finish,
    heads,
    history_row,
    log_of,
    queue,
    say,
    send_all,
    state_of,
    taken,
    until,
)


@pytest.fixture
async def operators(db):
    return await webhook(db, None, channel="apprise", url="ops", secret="")


async def system_alerts(db):
    rows = await db.fetch("SELECT body FROM events WHERE type = 'system.alert' ORDER BY id")
    return [bytes(row["body"]).decode() for row in rows]


# --- One delivery ----------------------------------------------------------------------------


async def test_a_success_ends_the_delivery(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, OK, now=now)

    row = await delivery_of(db, failed)
    assert (row["state"], row["finished_at"], row["next_attempt_at"]) == ("delivered", now, None)


async def test_the_answer_is_in_the_log(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    outcome = Outcome(status=503, response="busy\x00", duration=timedelta(milliseconds=1234), address="203.0.113.9")

    await send_all(db, outcome, now=now)

    (row,) = await log_of(db, failed)
    assert (row["outcome"], row["status_code"], row["duration_ms"], row["address"], row["response"]) == (
        "failure",
        503,
        1234,
        "203.0.113.9",
        "busy\ufffd",
    )


async def test_a_timeout_is_logged_as_one(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, TIMEOUT, now=now)

    (row,) = await log_of(db, failed)
    assert (row["outcome"], row["error"]) == ("timeout", "timeout")


async def test_fast_retries_are_after_one_and_three_seconds_and_then_it_is_given_up(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    assert await send_all(db, ERROR, now=now) == [failed]
    assert await send_all(db, ERROR, now=now + 0.9 * SECOND) == []
    assert await send_all(db, ERROR, now=now + SECOND) == [failed]
    assert await send_all(db, ERROR, now=now + 2.9 * SECOND) == []
    assert await send_all(db, ERROR, now=now + 3 * SECOND) == [failed]

    row = await delivery_of(db, failed)
    assert (row["state"], row["attempts"], row["finished_at"]) == ("failed", 3, now + 3 * SECOND)
    assert await heads(db, now + HOUR) == []


async def test_a_retry_after_is_waited_for(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, Outcome(status=429, retry_after=MINUTE), now=now)

    assert (await delivery_of(db, failed))["next_attempt_at"] == now + MINUTE


async def test_what_no_attempt_can_mend_is_given_up_at_once(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, Outcome(error=Fault.REFUSED_URL), now=now)

    assert await state_of(db, failed) == "failed"


async def test_the_first_success_is_noted_on_the_event_and_on_the_check(db, acme, hook, now):
    check_id = await history_row(db, acme, now)
    await webhook(db, acme)
    queued = event(tenant_id=acme, at=now, check_id=check_id)
    await queue(db, queued)

    first, second = await taken(db, now)
    await finish(db, first, OK, now=now)
    await finish(db, second, OK, now=now + MINUTE)

    check = await db.fetchrow("SELECT webhook_sent, webhook_sent_at FROM credential_health_checks")
    assert tuple(check) == (True, now)
    assert await db.fetchval("SELECT accepted_at FROM events") == now


async def test_a_failure_notes_nothing_on_the_check(db, acme, hook, now):
    check_id = await history_row(db, acme, now)
    await queue(db, event(tenant_id=acme, at=now, check_id=check_id))

    await send_all(db, ERROR, now=now, policy=ONCE)

    assert await db.fetchval("SELECT webhook_sent FROM credential_health_checks") is False


# --- The circuit -----------------------------------------------------------------------------


async def fail_often(db, acme, now, *, times=3):
    """Deliveries that are given up, one subject each; answers the time after them."""
    for number in range(times):
        await say(db, FAILED, acme, at=now + number * SECOND, subject=f"lost-{number}")
        await send_all(db, ERROR, now=now + number * SECOND, policy=ONCE)
    return now + times * SECOND


async def lost(db):
    """The event ids of `fail_often`, in their order."""
    rows = await db.fetch("SELECT event_id FROM webhook_deliveries WHERE subject LIKE 'lost-%' ORDER BY created_at")
    return [row["event_id"] for row in rows]


async def test_deliveries_are_counted_and_not_attempts(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)

    await send_all(db, ERROR, now=now)
    await send_all(db, ERROR, now=now + SECOND)
    assert (await endpoint(db, hook))["consecutive_failures"] == 0
    await send_all(db, ERROR, now=now + 3 * SECOND)

    assert (await endpoint(db, hook))["consecutive_failures"] == 1


async def test_a_success_starts_the_count_again(db, acme, hook, now):
    after = await fail_often(db, acme, now, times=2)
    await say(db, FAILED, acme, at=after)

    await send_all(db, OK, now=after)

    assert (await endpoint(db, hook))["consecutive_failures"] == 0


async def test_too_many_failures_open_the_circuit_for_fifteen_minutes(db, acme, hook, now):
    after = await fail_often(db, acme, now)

    row = await endpoint(db, hook)
    assert (row["circuit"], row["circuit_until"]) == ("open", after - SECOND + FIRST_COOLDOWN)


async def test_what_was_queued_is_parked_when_the_circuit_opens(db, acme, hook, now):
    waiting = await say(db, RISK, acme, at=now + HOUR)

    await fail_often(db, acme, now)

    assert await state_of(db, waiting) == "parked"


async def test_what_comes_later_is_parked_too_and_only_the_latest_state_stays(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    failed = await say(db, FAILED, acme, at=after)
    risk = await say(db, RISK, acme, at=after + SECOND)

    recovered = await say(db, RECOVERED, acme, at=after + 2 * SECOND)

    assert await state_of(db, failed) == "superseded"
    assert await state_of(db, risk) == "parked"
    newest = await delivery_of(db, recovered)
    assert (newest["state"], newest["left_out"]) == ("parked", 1)


async def test_nothing_is_sent_before_the_cool_down_is_over(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    await say(db, FAILED, acme, at=after)
    until = (await endpoint(db, hook))["circuit_until"]

    assert await heads(db, until - SECOND) == []


async def test_one_probe_the_newest_message_goes_out_after_the_cool_down(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    await say(db, FAILED, acme, at=after)
    newest = await say(db, FAILED, acme, at=after + SECOND, subject="key-2")
    until = (await endpoint(db, hook))["circuit_until"]

    (one,) = await taken(db, until)

    assert [due.message.id for due in one.deliveries] == [newest]
    assert (await endpoint(db, hook))["circuit"] == "half_open"


async def test_a_message_that_comes_during_the_probe_is_parked(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    await say(db, FAILED, acme, at=after)
    until = (await endpoint(db, hook))["circuit_until"]
    await taken(db, until)

    another = await say(db, FAILED, acme, at=until, subject="key-2")

    assert await state_of(db, another) == "parked"


async def test_a_failed_probe_doubles_the_cool_down_and_is_parked_again(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    failed = await say(db, FAILED, acme, at=after)
    until = (await endpoint(db, hook))["circuit_until"]

    await send_all(db, ERROR, now=until)

    row = await endpoint(db, hook)
    assert (row["circuit"], row["circuit_until"]) == ("open", until + 2 * FIRST_COOLDOWN)
    assert await state_of(db, failed) == "parked"


async def test_the_cool_down_doubles_to_a_day_and_no_further(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    await say(db, FAILED, acme, at=after)

    until = after
    for _ in range(9):
        until = (await endpoint(db, hook))["circuit_until"]
        await send_all(db, ERROR, now=until)

    assert (await endpoint(db, hook))["circuit_until"] == until + timedelta(hours=24)


async def test_a_probe_whose_process_died_is_made_again(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    failed = await say(db, FAILED, acme, at=after)
    until = (await endpoint(db, hook))["circuit_until"]
    await taken(db, until)

    assert await send_all(db, OK, now=until + HOUR) == [failed]
    assert (await endpoint(db, hook))["circuit"] == "closed"


async def test_a_good_probe_closes_the_circuit_and_the_rest_catches_up(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    await say(db, FAILED, acme, at=after, subject="key-1")
    latest = await say(db, RECOVERED, acme, at=after + SECOND, subject="key-1")
    probe = await say(db, FAILED, acme, at=after + 2 * SECOND, subject="key-2")
    until = (await endpoint(db, hook))["circuit_until"]

    assert await send_all(db, OK, now=until) == [probe]
    assert await send_all(db, OK, now=until) == [*await lost(db), latest]

    row = await endpoint(db, hook)
    assert (row["circuit"], row["consecutive_failures"], row["circuit_until"]) == ("closed", 0, None)
    assert (await delivery_of(db, latest))["source"] == "catch_up"


async def test_what_was_given_up_before_the_circuit_opened_is_probe_enough(db, acme, hook, now):
    await fail_often(db, acme, now)
    until = (await endpoint(db, hook))["circuit_until"]

    *others, newest = await lost(db)
    assert await send_all(db, OK, now=until) == [newest]
    assert await send_all(db, OK, now=until) == others


async def test_a_recovery_that_was_given_up_goes_out_when_the_endpoint_answers_again(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await send_all(db, OK, now=now)
    recovered = await say(db, RECOVERED, acme, at=now + SECOND)
    await send_all(db, ERROR, now=now + SECOND, policy=ONCE)
    await say(db, RISK, acme, at=now + MINUTE, subject="key-2")
    await send_all(db, OK, now=now + MINUTE)

    assert await send_all(db, OK, now=now + MINUTE) == [recovered]
    assert (await delivery_of(db, recovered))["source"] == "catch_up"


async def test_of_what_was_given_up_only_the_latest_state_goes_out(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    recovered = await say(db, RECOVERED, acme, at=now + SECOND)
    await send_all(db, ERROR, now=now + SECOND, policy=ONCE)
    await say(db, RISK, acme, at=now + MINUTE, subject="key-2")
    await send_all(db, OK, now=now + MINUTE)

    assert await send_all(db, OK, now=now + MINUTE) == [recovered]
    assert await state_of(db, failed) == "superseded"
    assert (await delivery_of(db, recovered))["left_out"] == 1


async def test_what_was_given_up_and_is_no_longer_so_stays_given_up(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    await say(db, RECOVERED, acme, at=now + SECOND)
    await send_all(db, OK, now=now + SECOND)

    assert await heads(db, now + HOUR) == []
    assert await state_of(db, failed) == "failed"


async def test_a_catch_up_that_is_given_up_stays_so(db, acme, hook, now):
    refused = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    await say(db, RISK, acme, at=now + SECOND, subject="key-2")
    await send_all(db, OK, now=now + SECOND)
    assert await send_all(db, ERROR, now=now + SECOND, policy=ONCE) == [refused]
    await say(db, RISK, acme, at=now + MINUTE, subject="key-3")
    await send_all(db, OK, now=now + MINUTE)

    assert await heads(db, now + HOUR) == []
    assert await state_of(db, refused) == "failed"


async def test_a_catch_up_that_waited_for_days_is_not_too_old(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    first = await say(db, FAILED, acme, at=after, subject="key-1")
    probe = await say(db, FAILED, acme, at=after, subject="key-2")

    days_later = now + timedelta(days=30)

    sent = await send_all(db, OK, now=days_later) + await send_all(db, OK, now=days_later)
    assert sorted(sent) == sorted([*await lost(db), first, probe])


async def test_a_test_is_sent_while_the_circuit_is_open_and_its_success_closes_it(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    parked = await say(db, FAILED, acme, at=after)
    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=after, subject="test", webhook_id=hook)

    assert await send_all(db, OK, now=after) == [tested]

    assert (await endpoint(db, hook))["circuit"] == "closed"
    assert await heads(db, after) == [*await lost(db), parked]


async def test_a_failed_test_neither_counts_nor_prolongs(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    before = await endpoint(db, hook)
    await say(db, EventType.WEBHOOK_TEST, acme, at=after, subject="test", webhook_id=hook)

    await send_all(db, ERROR, now=after, policy=ONCE)

    row = await endpoint(db, hook)
    assert (row["circuit"], row["circuit_until"]) == ("open", before["circuit_until"])
    assert row["consecutive_failures"] == before["consecutive_failures"]


async def test_a_test_is_tried_once(db, acme, hook, now):
    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=now, subject="test", webhook_id=hook)

    await send_all(db, ERROR, now=now, policy=FAST)

    assert await state_of(db, tested) == "failed"


async def test_the_success_of_a_test_sends_nothing_else_to_an_endpoint_that_is_switched_off(db, acme, hook, now):
    waiting = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now, policy=ONCE)
    async with db.transaction() as tx:
        await endpoints.disable(tx, hook, now=now)
    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=now + SECOND, subject="test", webhook_id=hook)

    assert await send_all(db, OK, now=now + SECOND) == [tested]

    assert (await state_of(db, waiting), await heads(db, now + MINUTE)) == ("failed", [])


async def test_a_test_that_happens_to_be_the_probe_is_one(db, acme, hook, now):
    after = await fail_often(db, acme, now)
    until = (await endpoint(db, hook))["circuit_until"]
    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=until, subject="test", webhook_id=hook)
    assert after < until

    await send_all(db, ERROR, now=until)

    assert await state_of(db, tested) == "failed"
    assert (await endpoint(db, hook))["circuit_until"] == until + 2 * FIRST_COOLDOWN


async def test_one_endpoints_circuit_is_not_anothers(db, acme, hook, now):
    other = await tenant(db)
    await webhook(db, other)
    after = await fail_often(db, acme, now)

    message = await say(db, FAILED, other, at=after)

    assert await heads(db, after) == [message]


# --- 410 -------------------------------------------------------------------------------------


async def test_gone_switches_the_endpoint_off(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, GONE, now=now)

    row = await endpoint(db, hook)
    assert (row["is_active"], row["disabled_reason"]) == (False, "gone")
    assert await state_of(db, failed) == "failed"
    assert len(await log_of(db, failed)) == 1


async def test_gone_parks_what_was_queued_and_what_comes_later(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await say(db, RISK, acme, at=now)

    await send_all(db, GONE, now=now)
    later = await say(db, FAILED, acme, at=now + SECOND)

    assert await deliveries(db, "event_type", "state") == [
        ("credential.failed", "failed"),
        ("credential.risk", "parked"),
        ("credential.failed", "parked"),
    ]
    assert await heads(db, now + HOUR) == []
    assert await state_of(db, later) == "parked"


async def test_operators_are_told_of_an_endpoint_that_is_gone(db, acme, hook, operators, now):
    await say(db, RISK, acme, at=now)

    await send_all(db, GONE, now=now)

    (alert,) = await system_alerts(db)
    assert '"rule":"endpoint_gone"' in alert
    assert str(hook) in alert
    assert await db.fetchval("SELECT state FROM webhook_deliveries WHERE webhook_id = $1", operators) == "pending"


async def test_a_pager_for_what_is_critical_does_not_hear_of_an_endpoint_that_is_gone(db, acme, hook, operators, now):
    await db.execute("UPDATE tenant_webhooks SET min_severity = 'critical' WHERE id = $1", operators)
    await say(db, RISK, acme, at=now)

    await send_all(db, GONE, now=now)

    assert await db.fetchval("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1", operators) == 0


# --- A failure of which nobody hears ---------------------------------------------------------


async def test_a_failing_key_that_no_endpoint_would_hear_of_is_told_to_operators(db, acme, hook, operators, now):
    failed = await say(db, FAILED, acme, at=now)

    await send_all(db, ERROR, now=now, policy=ONCE)

    (alert,) = await system_alerts(db)
    assert '"rule":"webhook_not_accepted"' in alert
    assert failed in alert


async def test_it_is_not_while_another_endpoint_may_still_take_it(db, acme, hook, operators, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    first, second = await taken(db, now)

    await finish(db, first, ERROR, now=now, policy=ONCE)
    assert await system_alerts(db) == []
    await finish(db, second, ERROR, now=now, policy=ONCE)

    assert len(await system_alerts(db)) == 1


async def test_it_is_once_when_the_last_two_endpoints_give_up_at_the_same_moment(db, acme, hook, operators, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    first, second = await taken(db, now)
    one, other = await attempt(db, first, now=now), await attempt(db, second, now=now)
    await say(db, RISK, acme, at=now)

    async with db.transaction() as tx:
        # Parking these is the last thing that both do before they commit.
        await tx.fetch("SELECT id FROM webhook_deliveries WHERE event_type = 'credential.risk' FOR UPDATE")
        both = asyncio.gather(give_up(db, one, now), give_up(db, other, now))
        await until(lambda: waiting(db, 2))
    await both

    assert len(await system_alerts(db)) == 1


async def give_up(db, begun, now):
    policy = Policy(waits=(), ceiling=HOUR, threshold=1)
    await settle(db, begun, ERROR, now=now, policy=policy, jitter=lambda: 0.0)


async def waiting(db, transactions):
    query = """
        SELECT count(*) = $1
        FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()
    """
    return await db.fetchval(query, transactions)


async def test_it_is_not_when_one_endpoint_took_it(db, acme, hook, operators, now):
    await webhook(db, acme)
    await say(db, FAILED, acme, at=now)
    first, second = await taken(db, now)

    await finish(db, first, OK, now=now)
    await finish(db, second, ERROR, now=now, policy=ONCE)

    assert await system_alerts(db) == []


@pytest.mark.parametrize("kind", [RECOVERED, RISK])
async def test_other_messages_that_nobody_took_are_only_in_the_log(db, acme, hook, operators, now, kind):
    await say(db, kind, acme, at=now)

    await send_all(db, ERROR, now=now, policy=ONCE)

    assert await system_alerts(db) == []


async def test_an_operators_message_that_nobody_took_causes_no_other(db, operators, now):
    await say(db, EventType.SYSTEM_ALERT, None, at=now)

    await send_all(db, GONE, now=now, policy=Policy(waits=(), ceiling=HOUR, threshold=1))

    assert len(await system_alerts(db)) == 1


# --- A person was faster ---------------------------------------------------------------------


async def test_a_failure_does_not_undo_what_a_person_parked_meanwhile(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    settled = await settle_after_parking(db, one, now)

    assert settled.state == "parked"
    assert await state_of(db, failed) == "parked"


async def settle_after_parking(db, one, now):
    begun = await attempt(db, one, now=now)
    await db.execute("UPDATE webhook_deliveries SET state = 'parked', next_attempt_at = NULL")
    return await settle(db, begun, ERROR, now=now, policy=ONCE, jitter=lambda: 0.0)


async def test_jitter_stretches_a_wait(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)
    begun = await attempt(db, one, now=now)

    await settle(db, begun, ERROR, now=now, policy=FAST, jitter=lambda: 0.5)

    assert (await delivery_of(db, failed))["next_attempt_at"] == now + 1.05 * SECOND
