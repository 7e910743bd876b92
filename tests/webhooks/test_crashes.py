"""A process may die anywhere: every message arrives at least once. Step by step; test_kills has real processes."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from alertd.webhooks.channels import open_channels
from alertd.webhooks.dns import Names
from alertd.webhooks.post import open_poster
from alertd.webhooks.seals import open_endpoint
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    CIPHER,
    FAILED,
    LEASE,
    MINUTE,
    SECOND,
    Clock,
    a_sender,
    all_finished,
    attempt,
    ids,
    log_of,
    running,
    say,
    say_many,
    settings_for,
    state_of,
    taken,
    tenants_with_messages,
    until,
)
from tests.webhooks.receivers import LOOPBACK, OK, answering, receiving


async def restarted(db, now):
    """Another process, once the lease of the first has run out."""
    async with a_sender(db, Clock(now + 2 * LEASE)) as sender:
        await sender.flush(SECOND)


async def test_killed_after_the_commit_that_queued_it(db, acme, now):
    async with answering(OK) as receiver:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=now)

        await restarted(db, now)

    assert ids(receiver) == [message]


async def test_killed_after_the_claim(db, acme, now):
    async with answering(OK) as receiver:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=now)
        await taken(db, now)

        await restarted(db, now)

    assert ids(receiver) == [message]


async def test_killed_between_the_record_of_an_attempt_and_the_attempt(db, acme, now):
    async with answering(OK) as receiver:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=now)
        (one,) = await taken(db, now)
        await attempt(db, one, now=now)

        await restarted(db, now)

    assert ids(receiver) == [message]
    assert [row["outcome"] for row in await log_of(db, message)] == ["unknown", "success"]


async def test_killed_after_the_answer_and_before_it_was_written_down(db, acme, now, tmp_path):
    async with answering(OK) as receiver:
        await webhook(db, acme, url=receiver.url())
        message = await say(db, FAILED, acme, at=now)
        await post_and_forget(db, now, tmp_path)

        await restarted(db, now)

    assert ids(receiver) == [message, message]
    assert await state_of(db, message) == "delivered"


async def post_and_forget(db, now, state_dir):
    """Everything that a sender does, up to the answer."""
    settings = settings_for(state_dir)
    (one,) = await taken(db, now)
    begun = await attempt(db, one, now=now)
    target = await open_endpoint(db, one.target, CIPHER)
    async with (
        open_poster(LOOPBACK, Names(), timeout=SECOND) as poster,
        open_channels(settings, poster) as channels,
    ):
        outcome = await channels["webhook"].send(begun.delivery.message, target, now)
    assert outcome.status == 200


async def test_a_process_that_is_killed_again_and_again_loses_nothing(db, dsn, acme):
    async def lingering(talk):
        while True:
            receiver.requests.append(await talk.request())
            await asyncio.sleep(0.01)
            await talk.say(OK)

    async with receiving(lingering) as receiver:
        await webhook(db, acme, url=receiver.url())
        other = await tenant(db)
        await webhook(db, other, url=receiver.url())
        messages = await say_many(db, FAILED, acme, at=datetime.now(UTC), messages=60)
        messages += await say_many(db, FAILED, other, at=datetime.now(UTC), messages=60)

        await kill_a_sender_after(dsn, receiver, requests=20)
        await db.execute("UPDATE tenant_webhooks SET lease_until = $1", datetime.now(UTC))
        await kill_a_sender_after(dsn, receiver, requests=50)

        async with a_sender(db, Clock(datetime.now(UTC) + MINUTE, real=True)) as sender:
            await sender.flush(SECOND)

    assert set(ids(receiver)) == set(messages)
    assert len(receiver.requests) <= len(messages) + 4
    assert await all_finished(db)


async def kill_a_sender_after(dsn, receiver, *, requests):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.webhooks.sending_process", dsn),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: arrived(receiver, requests), seconds=30)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def arrived(receiver, requests):
    return len(receiver.requests) >= requests


async def test_two_senders_on_one_database_send_nothing_twice(db, now):
    async with (
        answering(OK) as receiver,
        a_sender(db, Clock(now), concurrency=4) as first,
        a_sender(db, Clock(now), concurrency=4) as second,
    ):
        messages = await tenants_with_messages(db, receiver, tenants=10, messages=20, at=now)

        async with running(first), running(second):
            await until(lambda: all_finished(db), seconds=30)

    assert sorted(ids(receiver)) == sorted(messages)
