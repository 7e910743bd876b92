"""The loop with real receivers: what arrives, how often, in which order, and what becomes of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from structlog.testing import capture_logs

from alertd import metrics
from alertd.db import new_id, open_db
from alertd.model import EventType
from alertd.webhooks import endpoints, seals
from alertd.webhooks.channels import Channel
from alertd.webhooks.retry import FIRST_COOLDOWN, Outcome
from alertd.webhooks.sender import Sender
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    CIPHER,
    FAILED,
    HOUR,
    LEASE,
    MINUTE,
    RECOVERED,
    SECOND,
    Clock,
    a_sender,
    all_finished,
    attempt,
    delivery_of,
    endpoint,
    event,
    header,
    ids,
    log_of,
    queue,
    running,
    say,
    say_many,
    settings_for,
    state_of,
    taken,
    tenants_with_messages,
    until,
)
from tests.webhooks.receivers import OK, answering, receiving
from tests.webhooks.relay import a_door

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def clock(now):
    return Clock(now, real=True)


async def test_a_message_arrives_as_the_stored_bytes(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    (request,) = receiver.requests
    assert request.endswith(await db.fetchval("SELECT body FROM events"))


async def test_an_off_the_shelf_verifier_accepts_it(db, acme):
    clock = Clock(datetime.now(UTC), real=True)
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url(), secret=SECRET)
        queued = event(tenant_id=acme, at=clock())
        await queue(db, queued)

        await sender.flush(SECOND)

    (request,) = receiver.requests
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    body = request.partition(b"\r\n\r\n")[2]
    verified = Verifier(SECRET).verify(body, {name: header(request, name) for name in names})
    assert verified["id"] == queued.id


async def test_a_message_says_how_many_older_ones_it_stands_for(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        hook = await webhook(db, acme, url=receiver.url(), active=False)
        await say(db, FAILED, acme, at=clock())
        await say(db, RECOVERED, acme, at=clock())
        await say(db, FAILED, acme, at=clock(), subject="key-2")
        await endpoints.enable(db, hook, now=clock())

        await sender.flush(SECOND)

    assert [header(request, "X-AlphaPulse-Left-Out") for request in receiver.requests] == ["1", None]


async def test_a_delivery_is_delivered_and_logged(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    (attempt,) = await log_of(db, message)
    assert await state_of(db, message) == "delivered"
    assert (attempt["status_code"], attempt["response"], attempt["address"]) == (200, "ok", "127.0.0.1")


async def test_a_message_is_tried_again_under_the_same_id(db, acme, clock):
    async with answering(BAD, BAD, NO_CONTENT) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=clock())

        await sender.flush(5 * SECOND)

    assert ids(receiver) == [message] * 3
    assert [row["status_code"] for row in await log_of(db, message)] == [500, 500, 204]
    assert await state_of(db, message) == "delivered"


async def test_after_three_tries_it_is_given_up(db, acme, clock):
    async with answering(BAD) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=clock())

        await sender.flush(5 * SECOND)

    assert len(receiver.requests) == 3
    assert await state_of(db, message) == "failed"


async def test_a_refused_connection_is_a_failed_attempt(db, acme, clock):
    async with answering(OK) as receiver:
        url = receiver.url()
    async with a_sender(db, clock, retry_attempts=1) as sender:
        await webhook(db, acme, url=url)
        message = await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    (attempt,) = await log_of(db, message)
    assert (attempt["outcome"], attempt["error"]) == ("failure", "connect")


async def test_gone_is_obeyed(db, acme, clock):
    async with (
        answering(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n") as receiver,
        a_sender(db, clock) as sender,
    ):
        hook = await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    assert len(receiver.requests) == 1
    assert (await endpoint(db, hook))["is_active"] is False


async def test_messages_of_one_subject_arrive_in_order_even_if_the_first_needs_another_try(db, acme, clock):
    async with answering(BAD, OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        failed = await say(db, FAILED, acme, at=clock())
        recovered = await say(db, RECOVERED, acme, at=clock())

        await sender.flush(5 * SECOND)

    assert ids(receiver) == [failed, failed, recovered]


async def test_a_slow_endpoint_delays_no_other(db, acme, clock):
    answer = asyncio.Event()

    async def slow(talk):
        await talk.request()
        await answer.wait()

    other = await tenant(db)
    async with receiving(slow) as hanging, answering(OK) as quick, a_sender(db, clock) as sender:
        await webhook(db, acme, url=hanging.url())
        await webhook(db, other, url=quick.url())
        await say_many(db, FAILED, acme, at=clock(), messages=20)
        message = await say(db, FAILED, other, at=clock())

        async with running(sender):
            await until(lambda: delivered(db, message))
            answer.set()

    assert hanging.connections == 1


async def delivered(db, event_id):
    return await state_of(db, event_id) == "delivered"


async def test_one_endpoint_gets_one_message_at_a_time(db, acme, clock):
    open_now, most = 0, 0

    async def counting(talk):
        nonlocal open_now, most
        while True:
            await talk.request()
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0.01)
            open_now -= 1
            await talk.say(OK)

    async with receiving(counting) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await say_many(db, FAILED, acme, at=clock(), messages=20)

        await sender.flush(SECOND)

    assert most == 1
    assert await all_finished(db)


async def test_no_more_endpoints_than_allowed_are_served_at_once(db, clock):
    open_now, most = 0, 0

    async def counting(talk):
        nonlocal open_now, most
        await talk.request()
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.05)
        open_now -= 1
        await talk.say(OK)

    async with receiving(counting) as receiver, a_sender(db, clock, concurrency=3) as sender:
        await tenants_with_messages(db, receiver, tenants=9, messages=1, at=clock())

        await sender.flush(SECOND)

    assert most == 3
    assert await all_finished(db)


async def test_endpoints_that_never_answer_leave_the_others_their_slots(db, acme, clock, monkeypatch):
    monkeypatch.setattr("alertd.webhooks.sender.LINGERING_SECONDS", 0.05)

    over = asyncio.Event()

    async def never(talk):
        await talk.request()
        await over.wait()

    async with (
        receiving(never) as hanging,
        answering(OK) as quick,
        a_sender(db, clock, concurrency=2, timeout_seconds=5, retry_attempts=1) as sender,
    ):
        await tenants_with_messages(db, hanging, tenants=4, messages=1, at=clock())
        async with running(sender):
            await until(lambda: connected(hanging, 4))
            await webhook(db, acme, url=quick.url())
            message = await say(db, FAILED, acme, at=clock())
            await until(lambda: delivered(db, message), seconds=4)
            over.set()

    assert await db.fetchval("SELECT count(*) FROM webhook_delivery_log WHERE outcome <> 'success'") == 4


async def connected(receiver, connections):
    return receiver.connections >= connections


async def test_who_waits_long_is_not_without_number(db, clock, monkeypatch):
    monkeypatch.setattr("alertd.webhooks.sender.LINGERING_SECONDS", 0.0)
    open_now, most = 0, 0

    async def counting(talk):
        nonlocal open_now, most
        await talk.request()
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.2)
        open_now -= 1
        await talk.say(OK)

    async with receiving(counting) as receiver, a_sender(db, clock, concurrency=1) as sender:
        await tenants_with_messages(db, receiver, tenants=12, messages=1, at=clock())

        await sender.flush(SECOND)

    assert most == 5


async def test_a_wake_up_delivers_at_once(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender, running(sender):
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=clock())

        sender.wake()

        await until(lambda: delivered(db, message))


async def test_without_a_wake_up_it_looks_by_itself(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender, running(sender):
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=clock())

        await until(lambda: delivered(db, message))


async def test_the_loop_beats(db, clock):
    beats = []
    stop = asyncio.Event()
    async with a_sender(db, clock) as sender:
        task = asyncio.create_task(sender.run(stop, lambda: beats.append(1)))
        await until(lambda: has(beats))
        stop.set()
        await task

    assert beats


async def has(things):
    return bool(things)


async def test_stopping_lets_an_attempt_end_and_writes_it_down(db, acme, clock):
    asked = asyncio.Event()

    async def slow(talk):
        await talk.request()
        asked.set()
        await asyncio.sleep(0.2)
        await talk.say(OK)

    async with receiving(slow) as receiver, a_sender(db, clock) as sender:
        hook = await webhook(db, acme, url=receiver.url())
        first = await say(db, FAILED, acme, at=clock())
        second = await say(db, FAILED, acme, at=clock(), subject="key-2")
        async with running(sender):
            await asked.wait()

    assert [await state_of(db, first), await state_of(db, second)] == ["delivered", "pending"]
    assert (await endpoint(db, hook))["lease_id"] is None


async def test_attempts_are_counted_by_type_and_status(db, acme, clock):
    before = count("webhook_delivery_total", event_type="credential.failed", status="success")

    async with answering(BAD, OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=clock())
        await sender.flush(5 * SECOND)

    assert count("webhook_delivery_total", event_type="credential.failed", status="success") == before + 1


def count(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_refused_address_is_counted(db, acme, clock):
    before = count("alertd_refused_addresses_total")

    async with a_sender(db, clock, retry_attempts=1) as sender:
        await webhook(db, acme, url="http://10.0.0.1/hook")
        await say(db, FAILED, acme, at=clock())
        await sender.flush(SECOND)

    assert count("alertd_refused_addresses_total") == before + 1


async def test_the_backlog_is_shown(db, acme, clock):
    async with a_sender(db, clock) as sender:
        hook = await webhook(db, acme, url="http://127.0.0.1:9/hook", active=False)
        await say(db, FAILED, acme, at=clock())
        await db.execute("UPDATE tenant_webhooks SET circuit = 'open' WHERE id = $1", hook)
        async with running(sender):
            await until(lambda: shown("alertd_open_circuits", 1.0))

    assert count("alertd_deliveries", state="parked") == 1.0


async def shown(name, value):
    return count(name) == value


async def test_an_answer_that_comes_after_its_lease_is_only_counted(db, acme, now):
    clock = Clock(now)
    before = count("alertd_late_settles_total")

    async def steals_the_lease(talk):
        await talk.request()
        await db.execute("UPDATE tenant_webhooks SET lease_id = $1", new_id())
        await talk.say(OK)

    async with receiving(steals_the_lease) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=now)
        with capture_logs() as logs:
            await sender.flush(SECOND)

    assert "An answer came after its lease had run out" in [line["event"] for line in logs]
    assert count("alertd_late_settles_total") == before + 1
    assert await state_of(db, message) == "pending"


async def test_a_circuit_that_opens_and_closes_is_logged(db, acme, now):
    clock = Clock(now)
    async with (
        answering(BAD, OK) as receiver,
        a_sender(db, clock, retry_attempts=1, breaker_failures=1) as sender,
    ):
        await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=now)
        with capture_logs() as logs:
            await sender.flush(SECOND)
            await say(db, RECOVERED, acme, at=now)
            clock.move(FIRST_COOLDOWN)
            await sender.flush(SECOND)

    events = [line["event"] for line in logs]
    assert "Circuit opened: the endpoint is left alone" in events
    assert "Circuit closed: the endpoint answers again" in events


async def test_a_receiver_that_was_away_hears_the_latest_state_of_each_key_once(db, acme, now):
    clock = Clock(now)
    async with (
        answering(BAD, BAD, OK) as receiver,
        a_sender(db, clock, retry_attempts=1, breaker_failures=2) as sender,
    ):
        await webhook(db, acme, url=receiver.url())
        lost = await say_many(db, FAILED, acme, at=now, messages=2)
        await sender.flush(SECOND)
        away = [now + minute * MINUTE for minute in range(1, 5)]
        await say(db, FAILED, acme, at=away[0], subject="key-8")
        await say(db, RECOVERED, acme, at=away[1], subject="key-8")
        broken = await say(db, FAILED, acme, at=away[2], subject="key-8")
        fine = await say(db, RECOVERED, acme, at=away[3], subject="key-1")
        clock.move(FIRST_COOLDOWN)
        await sender.flush(SECOND)

    assert ids(receiver) == [*lost, fine, lost[0], broken]
    left_out = [header(request, "X-AlphaPulse-Left-Out") for request in receiver.requests]
    assert left_out == [None, None, "1", None, "2"]
    assert await all_finished(db)


async def test_what_a_dead_process_left_is_logged(db, acme, now):
    clock = Clock(now)
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=now)
        (one,) = await taken(db, now)
        await attempt(db, one, now=now)
        clock.move(LEASE)
        with capture_logs() as logs:
            await sender.flush(SECOND)

    assert "Attempts of a process that died are sent again" in [line["event"] for line in logs]


async def test_what_takes_too_long_at_the_end_is_left_to_the_lease(db, acme, clock, monkeypatch):
    monkeypatch.setattr("alertd.webhooks.sender.LONGEST_DRAIN", timedelta(milliseconds=50))
    asked = asyncio.Event()

    async def never(talk):
        await talk.request()
        asked.set()
        await asyncio.sleep(60)

    async with receiving(never) as receiver, a_sender(db, clock) as sender:
        hook = await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=clock())
        async with running(sender):
            await asked.wait()

    assert (await endpoint(db, hook))["lease_id"] is not None


# --- Secrets ---------------------------------------------------------------------------------


async def test_a_plain_secret_is_sealed_when_it_is_first_read(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        hook = await webhook(db, acme, url=receiver.url(), secret=SECRET)
        await db.execute("""UPDATE tenant_webhooks SET headers = '{"X-Team": "ops"}'""")
        await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    row = await endpoint(db, hook)
    assert seals.unseal(CIPHER, hook, row["webhook_secret"]) == SECRET != row["webhook_secret"]
    assert "X-Team" not in row["headers"]
    assert header(receiver.requests[0], "X-Team") == "ops"


async def test_a_sealed_secret_signs_like_the_plain_one(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url(), secret=SECRET)
        await say(db, FAILED, acme, at=clock(), subject="key-1")
        await sender.flush(SECOND)
        await say(db, FAILED, acme, at=clock(), subject="key-2")
        await sender.flush(SECOND)

    first, second = receiver.requests
    assert header(first, "X-AlphaPulse-Signature") != header(second, "X-AlphaPulse-Signature")
    assert await all_finished(db)


@pytest.mark.parametrize(
    ("column", "value"),
    [("webhook_secret", "v1.00000000.c2VhbGVkIHdpdGggYW5vdGhlciBrZXk"), ("headers", "[1]"), ("channel", "pigeon")],
)
async def test_an_unusable_endpoint_keeps_its_messages_until_an_operator_mends_it(db, acme, now, column, value):
    clock = Clock(now)
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await db.execute(f"UPDATE tenant_webhooks SET {column} = $1", value)
        message = await say(db, FAILED, acme, at=now)
        with capture_logs() as logs:
            await sender.flush(SECOND)
        assert "An endpoint cannot be used" in [line["event"] for line in logs]
        assert (await delivery_of(db, message))["attempts"] == 0

        await db.execute("UPDATE tenant_webhooks SET channel = 'webhook', headers = NULL, webhook_secret = $1", SECRET)
        clock.move(timedelta(minutes=5))
        await sender.flush(SECOND)

    assert ids(receiver) == [message]


async def test_an_endpoint_without_a_secret_is_a_failure_and_not_a_crash(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock, retry_attempts=1) as sender:
        await webhook(db, acme, url=receiver.url(), secret="")
        message = await say(db, FAILED, acme, at=clock())

        await sender.flush(SECOND)

    (attempt,) = await log_of(db, message)
    assert (receiver.requests, attempt["error"]) == ([], "internal")


async def test_nothing_secret_is_logged(db, acme, clock):
    async with answering(BAD) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url() + "?token=hunter2", secret=SECRET)
        await say(db, FAILED, acme, at=clock())

        with capture_logs() as logs:
            await sender.flush(5 * SECOND)

    assert logs
    assert "hunter2" not in json.dumps(logs, default=str)
    assert SECRET not in json.dumps(logs, default=str)


# --- Other channels --------------------------------------------------------------------------


class Pager:
    """A channel that keeps what it is given."""

    def __init__(self):
        self.sent = []

    async def send(self, message, endpoint, at):
        self.sent.append((endpoint.address, message.type))
        return Outcome()


async def test_operators_are_reached_through_their_own_channel(db, tmp_path, clock):
    pager = Pager()
    channels: dict[str, Channel] = {"apprise": pager}
    sender = Sender(
        db, channels=channels, cipher=CIPHER, settings=settings_for(tmp_path), now=clock, jitter=lambda: 0.0
    )
    await webhook(db, None, channel="apprise", url="night-shift", secret="")
    await say(db, EventType.SYSTEM_ALERT, None, at=clock())

    await sender.flush(SECOND)

    assert pager.sent == [("night-shift", EventType.SYSTEM_ALERT)]
    assert await all_finished(db)


# --- The database is away --------------------------------------------------------------------


async def test_the_loop_goes_on_after_the_database_was_away(dsn, db, acme, clock):
    async with (
        answering(OK) as receiver,
        a_door(dsn) as door,
        open_db(door.dsn, pool_size=2) as own,
        a_sender(own, clock) as sender,
    ):
        await webhook(db, acme, url=receiver.url())
        with capture_logs() as logs:
            async with running(sender):
                await door.shut()
                await until(lambda: logged(logs, "Deliveries wait for the database"))
                message = await say(db, FAILED, acme, at=clock())
                await door.open()
                await until(lambda: delivered(db, message))
                await until(lambda: logged(logs, "Deliveries go on"))

    assert [line["event"] for line in logs].count("Deliveries wait for the database") == 1


async def test_an_answer_is_written_down_after_a_short_absence_of_the_database(dsn, db, acme, clock):
    async with a_door(dsn) as door, open_db(door.dsn, pool_size=2) as own, a_sender(own, clock) as sender:

        async def shuts_the_door(talk):
            await talk.request()
            await door.shut()
            await talk.say(OK)
            await asyncio.sleep(0.3)
            await door.open()

        async with receiving(shuts_the_door) as receiver:
            await webhook(db, acme, url=receiver.url())
            message = await say(db, FAILED, acme, at=clock())
            async with running(sender):
                await until(lambda: delivered(db, message))

    assert receiver.connections == 1
    assert len(await log_of(db, message)) == 1


async def logged(logs, text):
    return text in [line["event"] for line in logs]


async def test_what_is_due_is_delivered_however_long_that_takes(db, acme, now):
    clock = Clock(now, real=True)
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        messages = await say_many(db, FAILED, acme, at=now, messages=20)

        await sender.flush(timedelta(0))

    assert sorted(ids(receiver)) == sorted(messages)


async def test_later_ones_are_left_to_the_next_run(db, acme, clock):
    async with answering(OK) as receiver, a_sender(db, clock) as sender:
        await webhook(db, acme, url=receiver.url())
        await say(db, FAILED, acme, at=clock(), window=HOUR)
        later = await say(db, FAILED, acme, at=clock(), window=HOUR)

        await sender.flush(SECOND)

    assert await state_of(db, later) == "pending"
