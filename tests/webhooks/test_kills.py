"""kill -9 at each point of a delivery, PostgreSQL up or crashing too: every message arrives, and by its id once."""

import asyncio
import itertools
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from alertd.db import apply_schema, open_db
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, dsn_of, running_server
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    FAILED,
    MINUTE,
    SECOND,
    Clock,
    a_sender,
    all_finished,
    ids,
    log_of,
    running,
    say_many,
    until,
)
from tests.webhooks.receivers import OK, receiving
from tests.webhooks.sending_process import FATAL, MESSAGES, POINTS, killed_at

NUMBERS = itertools.count()
CRASH = ((signal.SIGQUIT, 10.0),)  # at once, without writing anything down: the next start recovers from the log


class Server:
    """A PostgreSQL that can crash and come back; unlike the one for all tests, it waits for the disk."""

    def __init__(self, cluster, database):
        self.dsn = dsn_of(cluster.sockets, database=database)
        self._cluster = cluster
        self._life = AsyncExitStack()

    async def start(self):
        await self._life.enter_async_context(running_server(self._cluster, stopping=CRASH))

    async def crash(self):
        await self._life.aclose()


@pytest.fixture(scope="module")
def cluster(server_home):
    """A data folder for the tests of this file, each with a database of its own."""
    data = server_home / "mortal"
    log = server_home / "mortal.log"
    made = Cluster(data=data, sockets=data, binaries=find_binaries(), log=log, account=server_account(data))
    asyncio.run(create_data(made, options=["--no-sync"]))
    return made


@pytest.fixture
async def server(cluster):
    database = f"mortal_{next(NUMBERS)}"
    opened = Server(cluster, database)
    await opened.start()
    async with open_db(cluster.dsn, pool_size=1) as db:
        await db.execute(f"CREATE DATABASE {database}")
    async with open_db(opened.dsn, pool_size=1) as db:
        await apply_schema(db)
    yield opened
    await opened.crash()


class Taker:
    """A receiver that takes everything, and tells when the fatal request has come; that one it does not answer."""

    def __init__(self, *, answers):
        self.reached = asyncio.Event()
        self.answers = answers
        self.receiver = None

    async def talk(self, talk):
        while True:
            self.receiver.requests.append(await talk.request())
            if len(self.receiver.requests) == FATAL and not self.answers:
                self.reached.set()
                await asyncio.sleep(60)
            await talk.say(OK)


@pytest.mark.parametrize("crash", [False, True], ids=["PostgreSQL up", "PostgreSQL crashes too"])
@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_and_nothing_is_new(server, point, crash):
    taker = Taker(answers=point != "post")
    async with receiving(taker.talk) as receiver:
        taker.receiver = receiver
        async with open_db(server.dsn, pool_size=2) as db:
            await webhook(db, await tenant(db), url=receiver.url())

        code = await killed_at(point, server.dsn, reached=taker.reached if point == "post" else None)
        await restart(server, crash)
        async with open_db(server.dsn, pool_size=2) as db:
            before = await unknown_to(db, receiver)
            async with a_sender(db, Clock(datetime.now(UTC) + MINUTE, real=True)) as sender:
                await sender.flush(SECOND)
            expected = [row["id"] for row in await db.fetch("SELECT id FROM events")]
            finished = await all_finished(db)

    assert (code, before, finished) == (-signal.SIGKILL, [], True)
    assert len(expected) == MESSAGES
    assert set(ids(receiver)) == set(expected)
    assert len(ids(receiver)) <= MESSAGES + 1


async def restart(server, crash):
    if crash:
        await server.crash()
        await server.start()


async def unknown_to(db, receiver):
    """What arrived and has no attempt on record: there must be nothing."""
    return [event_id for event_id in ids(receiver) if not await log_of(db, event_id)]


async def test_a_sender_lives_through_a_crash_of_postgresql(server):
    taker = Taker(answers=False)
    async with receiving(taker.talk) as receiver, open_db(server.dsn, pool_size=4) as db:
        taker.receiver = receiver
        owner = await tenant(db)
        await webhook(db, owner, url=receiver.url())
        expected = await say_many(db, FAILED, owner, at=datetime.now(UTC), messages=MESSAGES)
        async with a_sender(db, Clock(datetime.now(UTC), real=True), timeout_seconds=1) as sender, running(sender):
            await taker.reached.wait()
            await restart(server, crash=True)
            await until(lambda: all_finished(db), seconds=30)

    assert set(ids(receiver)) == set(expected)
