"""Written down together or singly: the tables look the same, and nobody waits for another one's lock."""

import asyncio

import pytest

from alertd.db import new_id
from alertd.webhooks import endpoints, leases, settlement
from alertd.webhooks.ledger import Ledger
from alertd.webhooks.retry import FIRST_COOLDOWN
from alertd.webhooks.settlement import Settled
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    ERROR,
    FAILED,
    FAST,
    GONE,
    HOUR,
    LEASE,
    OK,
    ONCE,
    SECOND,
    TIMEOUT,
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
)

TABLES = {
    "webhook_deliveries": "state, attempts, next_attempt_at, left_out, superseded_by, finished_at",
    "webhook_delivery_log": "attempt, started_at, finished_at, outcome, status_code, error, address, duration_ms, "
    "response",
    "tenant_webhooks": "is_active, disabled_reason, circuit, consecutive_failures, circuit_until, cooldown_seconds, "
    "next_due_at, lease_id, lease_until",
    "events": "type, recipients, accepted_at",
}


@pytest.fixture
def ledger(db):
    return Ledger(db)


@pytest.fixture
async def two(db, now):
    """A claimed message of each of two tenants."""
    for _ in range(2):
        owner = await tenant(db)
        await webhook(db, owner)
        await say(db, FAILED, owner, at=now)
    return await taken(db, now)


async def begin(ledger, one, now):
    return await ledger.begin(one, one.deliveries[0], now=now, lease=LEASE)


async def begin_all(ledger, claimed, now):
    return await asyncio.gather(*(begin(ledger, one, now) for one in claimed))


async def settle(ledger, attempt, outcome, now, policy=FAST):
    return await ledger.settle(attempt, outcome, now=now, policy=policy, jitter=lambda: 0.0)


# --- Together --------------------------------------------------------------------------------


async def test_attempts_that_begin_together_are_each_on_record(db, ledger, two, now):
    attempts = await begin_all(ledger, two, now)

    logged = await db.fetch("SELECT id, webhook_id, lease_id, attempt, outcome FROM webhook_delivery_log ORDER BY id")
    assert [tuple(row) for row in logged] == [(a.id, a.webhook_id, a.lease_id, 1, None) for a in attempts]
    assert await deliveries(db, "attempts", "next_attempt_at") == [(1, now + LEASE)] * 2


async def test_attempts_that_end_together_are_each_settled(db, ledger, two, now):
    good, bad = await begin_all(ledger, two, now)

    settled = await asyncio.gather(settle(ledger, good, OK, now), settle(ledger, bad, ERROR, now))

    assert settled == [Settled("delivered"), Settled("pending")]
    assert await deliveries(db, "state", "next_attempt_at") == [("delivered", None), ("pending", now + SECOND)]


async def test_endpoints_that_are_given_back_together_are_each_due_as_their_messages_are(db, ledger, two, now):
    good, bad = await begin_all(ledger, two, now)
    await asyncio.gather(settle(ledger, good, OK, now), settle(ledger, bad, ERROR, now))

    await asyncio.gather(*(ledger.release(one, now=now) for one in two))

    rows = await db.fetch("SELECT lease_id, lease_until, next_due_at FROM tenant_webhooks ORDER BY id")
    assert [tuple(row) for row in rows] == [(None, now, None), (None, now, now + SECOND)]


async def test_the_first_success_is_noted_on_the_event_and_on_the_check(db, ledger, acme, now):
    await webhook(db, acme)
    check_id = await history_row(db, acme, now)
    await queue(db, event(tenant_id=acme, at=now, check_id=check_id))
    (one,) = await taken(db, now)

    await settle(ledger, await begin(ledger, one, now), OK, now)

    check = await db.fetchrow("SELECT webhook_sent, webhook_sent_at FROM credential_health_checks")
    assert tuple(check) == (True, now)
    assert await db.fetchval("SELECT accepted_at FROM events") == now


# --- As singly -------------------------------------------------------------------------------


async def contents(db):
    return {
        table: sorted(str(tuple(row)) for row in await db.fetch(f"SELECT {columns} FROM {table}"))
        for table, columns in TABLES.items()
    }


async def singly(db, one, outcome, now, policy):
    attempt = await leases.begin(db, one, one.deliveries[0], now=now, lease=LEASE)
    settled = await settlement.settle(db, attempt, outcome, now=now, policy=policy, jitter=lambda: 0.0)
    await leases.release(db, one, now=now)
    return settled


async def together(db, one, outcome, now, policy):
    ledger = Ledger(db)
    settled = await settle(ledger, await begin(ledger, one, now), outcome, now, policy)
    await ledger.release(one, now=now)
    return settled


async def told(db, now, way, outcome, policy, before):
    """The tables after one attempt in this way, after some in the usual way; emptied again."""
    owner = await tenant(db)
    await webhook(db, owner)
    for number, earlier in enumerate(before):
        await say(db, FAILED, owner, at=now, subject=f"earlier-{number}")
        await send_all(db, earlier, now=now, policy=policy)
    await say(db, FAILED, owner, at=now)
    later = now + FIRST_COOLDOWN
    (one,) = await taken(db, later)
    settled = await way(db, one, outcome, later, policy)
    found = await contents(db)
    await db.execute("TRUNCATE tenants CASCADE")
    await db.execute("TRUNCATE events CASCADE")
    return settled, found


@pytest.mark.parametrize("outcome", [OK, ERROR, TIMEOUT, GONE], ids=["ok", "error", "timeout", "gone"])
@pytest.mark.parametrize(
    ("policy", "before"),
    [(FAST, ()), (ONCE, ()), (ONCE, (ERROR, ERROR)), (ONCE, (ERROR, ERROR, ERROR))],
    ids=["first of three", "the last", "after two failures", "a probe"],
)
async def test_the_tables_are_the_same_in_both_ways(db, now, outcome, policy, before):
    assert await told(db, now, together, outcome, policy, before) == await told(
        db, now, singly, outcome, policy, before
    )


# --- What a batch leaves out -----------------------------------------------------------------


async def test_without_the_lease_nothing_begins(db, ledger, two, now):
    await db.execute("UPDATE tenant_webhooks SET lease_id = $1 WHERE id = $2", new_id(), two[0].target.id)

    lost, held = await begin_all(ledger, two, now)

    assert (lost, held.webhook_id) == (None, two[1].target.id)
    assert await db.fetchval("SELECT count(*) FROM webhook_delivery_log") == 1


async def test_what_a_person_parked_meanwhile_does_not_begin(db, ledger, two, now):
    await endpoints.disable(db, two[0].target.id, now=now)

    assert await begin(ledger, two[0], now) is None


async def test_an_answer_after_the_lease_changes_nothing(db, ledger, two, now):
    attempt = await begin(ledger, two[0], now)
    await db.execute("UPDATE tenant_webhooks SET lease_id = $1", new_id())

    assert await settle(ledger, attempt, OK, now) is None
    assert await state_of(db, attempt.delivery.message.id) == "pending"


async def test_an_attempt_is_settled_once(ledger, two, now):
    attempt = await begin(ledger, two[0], now)

    assert await settle(ledger, attempt, OK, now) == Settled("delivered")
    assert await settle(ledger, attempt, ERROR, now) is None


async def test_a_success_starts_the_count_of_failures_again(db, ledger, acme, now):
    hook = await webhook(db, acme)
    await say(db, FAILED, acme, at=now, subject="earlier")
    await send_all(db, ERROR, now=now, policy=ONCE)
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    await settle(ledger, await begin(ledger, one, now), OK, now)

    assert (await endpoint(db, hook))["consecutive_failures"] == 0


async def test_a_retry_of_a_message_that_was_parked_meanwhile_stays_parked(db, ledger, two, now):
    attempt = await begin(ledger, two[0], now)
    await endpoints.disable(db, two[0].target.id, now=now)

    await settle(ledger, attempt, ERROR, now)

    parked = await delivery_of(db, attempt.delivery.message.id)
    assert (parked["state"], parked["next_attempt_at"]) == ("parked", None)


async def test_an_endpoint_can_be_left_alone_for_a_while(db, ledger, two, now):
    await ledger.release(two[0], now=now, until=now + HOUR)

    assert (await endpoint(db, two[0].target.id))["lease_until"] == now + HOUR


async def test_a_lost_lease_is_not_given_back(db, ledger, two, now):
    other = new_id()
    await db.execute("UPDATE tenant_webhooks SET lease_id = $1", other)

    await ledger.release(two[0], now=now)

    assert (await endpoint(db, two[0].target.id))["lease_id"] == other


async def test_a_row_that_somebody_has_locked_is_waited_for_by_its_own_attempt_alone(db, ledger, two, now):
    locked, free = two
    async with db.transaction() as tx:
        await tx.execute("SELECT FROM tenant_webhooks WHERE id = $1 FOR UPDATE", locked.target.id)
        waiting = asyncio.create_task(begin(ledger, locked, now))
        attempt = await begin(ledger, free, now)
        settled = await settle(ledger, attempt, OK, now)
        await ledger.release(free, now=now)
        waited = not waiting.done()

    assert (settled, waited) == (Settled("delivered"), True)
    assert (await waiting).number == 1


async def test_an_event_that_somebody_has_locked_is_waited_for_by_its_own_attempt_alone(db, ledger, two, now):
    locked, free = await begin_all(ledger, two, now)
    async with db.transaction() as tx:
        await tx.execute("SELECT FROM events WHERE id = $1 FOR UPDATE", locked.delivery.message.id)
        waiting = asyncio.create_task(settle(ledger, locked, OK, now))
        settled = await settle(ledger, free, OK, now)
        waited = not waiting.done()

    assert (settled, waited) == (Settled("delivered"), True)
    assert await waiting == Settled("delivered")


async def test_a_message_that_is_queued_while_its_endpoint_is_given_back_is_due(db, ledger, acme, now):
    await webhook(db, acme)
    first = await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)
    await finish(db, one, OK, now=now)

    _, second = await asyncio.gather(ledger.release(one, now=now), say(db, FAILED, acme, at=now, subject="key-2"))

    assert await heads(db, now) == [second]
    assert len(await log_of(db, first)) == 1
