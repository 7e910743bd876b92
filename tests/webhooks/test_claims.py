"""Who is served next: leases on endpoints, fairness, order within a subject, and what a dead process leaves."""

from datetime import timedelta

import pytest

from alertd.db import new_id
from alertd.model import EventType
from alertd.webhooks.claims import (
    BATCH,
    CLOSE_INTERRUPTED,
    HEADS,
    LEASE_ENDPOINTS,
    MOST_ATTEMPTS,
    claim,
    next_due,
)
from alertd.webhooks.leases import begin, release
from alertd.webhooks.settlement import settle
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    FAILED,
    FAST,
    HOUR,
    LEASE,
    MAX_AGE,
    MINUTE,
    OK,
    RECOVERED,
    RISK,
    SECOND,
    attempt,
    delivery_of,
    endpoint,
    event,
    finish,
    heads,
    log_of,
    queue,
    say,
    send_all,
    state_of,
    take,
    taken,
)


async def fill(db, tenant_id, webhook_id, messages, at):
    """Many due messages of one endpoint, one subject each."""
    await db.execute(
        """
        WITH made AS (
          INSERT INTO events (id, type, tenant_id, subject, body, created_at)
          SELECT 'evt_' || $1::uuid || n, 'credential.failed', $1::uuid, 'key-' || n, '{}', $3::timestamptz
          FROM generate_series(1, $4::integer) AS n
          RETURNING id, subject
        )
        INSERT INTO webhook_deliveries (id, event_id, webhook_id, tenant_id, event_type, subject, state,
                                        next_attempt_at, created_at)
        SELECT gen_random_uuid(), id, $2::uuid, $1, 'credential.failed', subject, 'pending', $3, $3
        FROM made
        """,
        tenant_id,
        webhook_id,
        at,
        messages,
    )
    await db.execute("UPDATE tenant_webhooks SET next_due_at = $2 WHERE id = $1", webhook_id, at)


async def test_a_claim_holds_what_the_sender_needs(db, acme, hook, now):
    queued = event(tenant_id=acme, at=now)
    await queue(db, queued)

    (one,) = await taken(db, now)

    assert (one.target.id, one.target.tenant_id, one.target.channel) == (hook, acme, "webhook")
    (due,) = one.deliveries
    assert (due.message.id, due.message.type, due.attempts) == (queued.id, FAILED, 0)
    assert due.message.body == await db.fetchval("SELECT body FROM events")


async def test_nothing_due_is_nothing_taken(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)

    assert await taken(db, now - SECOND) == ()


async def test_a_leased_endpoint_is_nobody_elses_until_the_lease_ends(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await taken(db, now)

    assert await taken(db, now + LEASE - SECOND) == ()
    assert len(await taken(db, now + LEASE)) == 1


async def test_a_released_endpoint_is_free_at_once(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    await release(db, one, now=now)

    assert len(await taken(db, now)) == 1


async def test_an_endpoint_can_be_left_alone_for_a_while(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    await release(db, one, now=now, until=now + MINUTE)

    assert await taken(db, now + MINUTE - SECOND) == ()
    assert len(await taken(db, now + MINUTE)) == 1


async def test_a_crowd_for_one_endpoint_delays_another_tenant_by_no_claim_at_all(db, now):
    noisy, quiet = await tenant(db), await tenant(db)
    crowded = await webhook(db, noisy)
    await webhook(db, quiet)
    await fill(db, noisy, crowded, 1500, now - HOUR)
    message = await say(db, FAILED, quiet, at=now)

    claims = await taken(db, now)

    assert sorted(len(one.deliveries) for one in claims) == [1, BATCH]
    assert [message] == [one.deliveries[0].message.id for one in claims if one.target.tenant_id == quiet]


async def test_the_endpoint_that_was_served_longest_ago_comes_first(db, now):
    noisy, quiet = await tenant(db), await tenant(db)
    await fill(db, noisy, await webhook(db, noisy), 100, now - HOUR)
    await fill(db, quiet, await webhook(db, quiet), 100, now)
    (first,) = (await take(db, now, limit=1)).claims
    await release(db, first, now=now)

    (second,) = (await take(db, now + SECOND, limit=1)).claims

    assert {first.target.tenant_id, second.target.tenant_id} == {noisy, quiet}


async def test_two_claims_at_once_never_share_an_endpoint(db, now):
    owner = await tenant(db)
    hooks = [await webhook(db, owner) for _ in range(6)]
    await say(db, FAILED, owner, at=now)

    first = await take(db, now, limit=3)
    second = await take(db, now, limit=6)

    assert sorted(one.target.id for one in first.claims + second.claims) == sorted(hooks)


async def test_a_paused_tenant_is_not_served_and_is_after_the_pause(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await db.execute("UPDATE tenants SET paused = true WHERE id = $1", acme)
    assert await taken(db, now) == ()

    await db.execute("UPDATE tenants SET paused = false WHERE id = $1", acme)

    assert len(await taken(db, now)) == 1


# --- Order within a subject ------------------------------------------------------------------


async def test_of_one_subject_only_the_oldest_is_given(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    await say(db, RECOVERED, acme, at=now + SECOND)

    assert await heads(db, now + SECOND) == [failed]


async def test_a_recovery_does_not_overtake_a_failure_that_waits_for_another_try(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now)

    await say(db, RECOVERED, acme, at=now)

    assert await heads(db, now) == []
    assert await heads(db, now + SECOND) == [failed]


async def test_another_subject_does_overtake_it(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now)

    other = await say(db, RECOVERED, acme, at=now, subject="key-2")

    assert await heads(db, now) == [other]


async def test_the_recovery_follows_when_the_failure_was_given_up(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    recovered = await say(db, RECOVERED, acme, at=now)
    await send_all(db, ERROR, now=now)
    await send_all(db, ERROR, now=now + SECOND)

    await send_all(db, ERROR, now=now + 3 * SECOND)

    assert await heads(db, now + 3 * SECOND) == [recovered]


async def test_the_next_due_time_follows_the_head_of_each_subject(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await say(db, RISK, acme, at=now)
    await send_all(db, ERROR, now=now)

    assert (await endpoint(db, hook))["next_due_at"] == now + SECOND
    assert await next_due(db, now) == now + SECOND


async def test_nothing_left_is_no_due_time(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await send_all(db, OK, now=now)

    assert (await endpoint(db, hook))["next_due_at"] is None
    assert await next_due(db, now) is None


async def test_an_endpoint_with_a_wrong_due_time_is_given_back_and_corrected(db, acme, hook, now):
    await db.execute("UPDATE tenant_webhooks SET next_due_at = $1", now)

    assert await taken(db, now) == ()

    row = await endpoint(db, hook)
    assert (row["lease_id"], row["next_due_at"]) == (None, None)


# --- Attempts on record ----------------------------------------------------------------------


async def test_an_attempt_is_on_record_before_it_is_made(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    begun = await attempt(db, one, now=now)

    (row,) = await log_of(db, failed)
    assert (row["id"], row["attempt"], row["started_at"], row["finished_at"]) == (begun.id, 1, now, None)
    assert (await delivery_of(db, failed))["attempts"] == 1


async def test_beginning_extends_the_lease(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    await attempt(db, one, now=now + 20 * SECOND)

    assert await taken(db, now + LEASE) == ()


async def test_without_the_lease_nothing_begins(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (late,) = await taken(db, now)
    await taken(db, now + LEASE)

    begun = await begin(db, late, late.deliveries[0], now=now + LEASE, lease=LEASE)

    assert begun is None
    assert (await delivery_of(db, failed))["attempts"] == 0


async def test_what_is_no_longer_pending_does_not_begin(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)
    await db.execute("UPDATE webhook_deliveries SET state = 'parked'")

    assert await begin(db, one, one.deliveries[0], now=now, lease=LEASE) is None
    assert await db.fetchval("SELECT count(*) FROM webhook_delivery_log") == 0


async def test_an_attempt_of_a_dead_process_is_closed_as_unknown_and_sent_again(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (dead,) = await taken(db, now)
    await attempt(db, dead, now=now)

    harvest = await take(db, now + LEASE)

    assert harvest.interrupted == 1
    assert [due.message.id for due in harvest.claims[0].deliveries] == [failed]
    (row,) = await log_of(db, failed)
    assert (row["outcome"], row["finished_at"]) == ("unknown", now + LEASE)


async def test_an_unknown_attempt_counts_but_is_never_the_last(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    for crash in range(3):
        (dead,) = await taken(db, now + crash * LEASE)
        await attempt(db, dead, now=now + crash * LEASE)

    (one,) = await taken(db, now + 3 * LEASE)
    settled = await finish(db, one, ERROR, now=now + 3 * LEASE)

    assert [row["attempt"] for row in await log_of(db, failed)] == [1, 2, 3, 4]
    assert settled.state == "failed"


async def test_a_message_that_keeps_dying_with_its_process_is_left_to_a_person(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (dead,) = await taken(db, now)
    await attempt(db, dead, now=now)
    await db.execute("UPDATE webhook_deliveries SET attempts = $1", MOST_ATTEMPTS)

    assert await taken(db, now + LEASE) == ()

    assert await state_of(db, failed) == "held"


async def test_a_late_worker_changes_nothing(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    (late,) = await taken(db, now)
    begun = await attempt(db, late, now=now)
    await taken(db, now + LEASE)

    settled = await settle(db, begun, OK, now=now + LEASE, policy=FAST, jitter=lambda: 0.0)

    assert settled is None
    assert await state_of(db, failed) == "pending"


async def test_an_attempt_is_settled_once(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)
    begun = await attempt(db, one, now=now)
    await settle(db, begun, OK, now=now, policy=FAST, jitter=lambda: 0.0)

    assert await settle(db, begun, ERROR, now=now, policy=FAST, jitter=lambda: 0.0) is None


# --- Too old to send -------------------------------------------------------------------------


async def test_a_message_from_a_restored_backup_is_held(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)

    harvest = await take(db, now + MAX_AGE + SECOND)

    assert (harvest.claims, harvest.held) == ((), 1)
    assert await state_of(db, failed) == "held"


async def test_a_message_that_a_long_window_put_off_is_not_too_old(db, acme, hook, now):
    await say(db, FAILED, acme, at=now, window=2 * MAX_AGE)
    await send_all(db, OK, now=now)
    put_off = await say(db, FAILED, acme, at=now + SECOND, window=2 * MAX_AGE)

    assert await heads(db, now + 2 * MAX_AGE) == [put_off]


async def test_a_message_that_was_tried_before_the_backup_is_held_too(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now)
    await db.execute("UPDATE webhook_deliveries SET next_attempt_at = $1", now + MAX_AGE)

    assert await heads(db, now + MAX_AGE + SECOND) == []
    assert await state_of(db, failed) == "held"


async def test_of_several_old_messages_only_the_latest_state_is_held(db, acme, hook, now):
    failed = await say(db, FAILED, acme, at=now)
    recovered = await say(db, RECOVERED, acme, at=now + SECOND)

    await take(db, now + MAX_AGE + HOUR)

    assert [await state_of(db, failed), await state_of(db, recovered)] == ["superseded", "held"]


@pytest.mark.parametrize("source", ["replay", "catch_up", "test"])
async def test_what_a_person_or_a_recovered_endpoint_asked_for_is_never_too_old(db, acme, hook, now, source):
    failed = await say(db, FAILED, acme, at=now)
    await db.execute("UPDATE webhook_deliveries SET source = $1", source)

    assert await heads(db, now + MAX_AGE + HOUR) == [failed]


# --- Rotation --------------------------------------------------------------------------------


async def test_a_rotation_whose_time_is_over_is_committed_before_anything_is_signed(db, acme, hook, now):
    await db.execute("UPDATE tenant_webhooks SET next_secret = 'new', rotation_ends_at = $1", now)
    await say(db, FAILED, acme, at=now)

    (one,) = await taken(db, now)

    assert (one.target.secret, one.target.next_secret) == ("new", None)
    assert (await endpoint(db, hook))["rotation_ends_at"] is None


async def test_a_rotation_under_way_brings_both_secrets(db, acme, hook, now):
    await db.execute("UPDATE tenant_webhooks SET next_secret = 'new', rotation_ends_at = $1", now + SECOND)
    await say(db, FAILED, acme, at=now)

    (one,) = await taken(db, now)

    assert one.target.next_secret == "new"
    assert "new" not in repr(one)


# --- Plans -----------------------------------------------------------------------------------


@pytest.fixture
async def crowd(db, now):
    """2,000 endpoints, a few of them due; 10,000 finished deliveries and 200 open ones."""
    owner = await tenant(db)
    hooks = [await webhook(db, owner) for _ in range(2)]
    await fill(db, owner, hooks[0], 200, now)
    await db.execute(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, webhook_url, webhook_secret)
        SELECT gen_random_uuid(), $1, 'https://x.example', 's'
        FROM generate_series(1, 2000) AS n
        """,
        owner,
    )
    await db.execute(
        """
        INSERT INTO webhook_deliveries (id, event_id, webhook_id, event_type, subject, state, created_at, finished_at)
        SELECT gen_random_uuid(), e.id, w.id, 'credential.failed', e.subject, 'delivered', $1, $1
        FROM (SELECT id FROM tenant_webhooks LIMIT 50) w
        CROSS JOIN events e
        """,
        now - HOUR,
    )
    await db.execute("ANALYZE")
    return hooks


async def plan_of(db, statement, *args):
    rows = await db.fetch(f"EXPLAIN {statement}", *args)
    return "\n".join(row[0] for row in rows)


async def test_finding_endpoints_reads_an_index(db, crowd, now):
    plan = await plan_of(db, LEASE_ENDPOINTS, new_id(), now, now + LEASE, 100)

    assert "tenant_webhooks_due" in plan
    assert "Seq Scan on tenant_webhooks" not in plan


async def test_finding_messages_reads_indexes(db, crowd, now):
    plan = await plan_of(db, HEADS, crowd, now, BATCH)

    assert "webhook_deliveries_due" in plan
    assert "webhook_deliveries_open" in plan
    assert "Seq Scan on webhook_deliveries" not in plan


async def test_finding_attempts_of_dead_processes_reads_an_index(db, crowd, now):
    await db.execute(
        """
        INSERT INTO webhook_delivery_log (id, delivery_id, webhook_id, event_type, attempt, lease_id, started_at,
                                          finished_at)
        SELECT gen_random_uuid(), id, webhook_id, event_type, 1, id, $1, $1
        FROM webhook_deliveries
        """,
        now,
    )
    await db.execute("ANALYZE webhook_delivery_log")

    plan = await plan_of(db, CLOSE_INTERRUPTED, crowd, now)

    assert "webhook_delivery_log_open" in plan


async def test_a_claim_takes_at_most_as_many_endpoints_as_it_may(db, crowd, now):
    harvest = await claim(db, now=now, lease=timedelta(minutes=1), limit=1, max_age=MAX_AGE)

    assert len(harvest.claims) <= 1


async def test_a_test_message_does_not_wait_behind_the_tenants_own(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)
    await send_all(db, ERROR, now=now)

    tested = await say(db, EventType.WEBHOOK_TEST, acme, at=now, subject="webhook", webhook_id=hook)

    assert await heads(db, now) == [tested]
