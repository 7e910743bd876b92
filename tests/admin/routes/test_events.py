"""Listening to what happens: in order, once, only one's own, and to the end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import StreamReader, web

from alertd.admin.access import Role
from alertd.admin.streams import MOST_OF_ONE, MOST_OF_TENANTS, Streams
from alertd.alerts import log_store, pipeline
from alertd.alerts.explanation import Decision
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin, SweepState, Tally
from alertd.db import Db, open_db
from alertd.webhooks.message import event_time, least_event_id, new_event_id
from tests import factories
from tests.admin.port import ADMIN, Port, open_port
from tests.webhooks.post_office import FAILED, RECOVERED, event, queue, until

STREAM = "/api/v1/events/stream"
SECOND = timedelta(seconds=1)
LOOKING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass
class Heard:
    """One frame; a comment has only `comment`."""

    name: str = ""
    data: Any = None
    id: str | None = None
    comment: str | None = None


@dataclass
class Stream:
    """What one listener gets."""

    reader: StreamReader
    headers: Any

    async def next(self, name: str = "") -> Heard:
        """The next frame that is no comment, of this name if one is given. Raises EOFError at the end."""
        while True:
            heard = await self.frame()
            if heard.comment is None and heard.name.startswith(name):
                return heard

    async def frame(self) -> Heard:
        heard = Heard()
        async with asyncio.timeout(10):
            while (line := (await self.reader.readline()).decode()) != "\n":
                if not line:
                    raise EOFError
                field, _, value = line.rstrip("\n").partition(": ")
                match field:
                    case "id":
                        heard.id = value
                    case "event":
                        heard.name = value
                    case "data":
                        heard.data = json.loads(value)
                    case _:
                        heard.comment = value
        return heard


@pytest.fixture
def quick(port: Port) -> Port:
    """A port whose streams look very often."""
    port.daemon.streams.look = timedelta(milliseconds=20)
    return port


@pytest.fixture
async def tenant(port: Port) -> UUID:
    return await factories.tenant(port.daemon.db)


@asynccontextmanager
async def listening(port: Port, query: str = "", *, key: str = ADMIN, last: str | None = None) -> AsyncIterator[Stream]:
    headers = {"X-Alert-API-Key": key} | ({"Last-Event-ID": last} if last else {})
    async with port.client.get(STREAM + query, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        yield Stream(answer.content, answer.headers)


async def say(port: Port, tenant: UUID | None, **changes: Any) -> str:
    """An event, queued; answers its id."""
    said = event(changes.pop("kind", FAILED), tenant_id=tenant, at=port.clock(), **changes)
    await queue(port.daemon.db, said)
    return said.id


# --- Events ----------------------------------------------------------------------------------


async def test_stream_looks_like_one(quick: Port) -> None:
    async with listening(quick) as stream:
        first = await stream.frame()

    assert stream.headers["Content-Type"] == "text/event-stream"
    assert stream.headers["Cache-Control"] == "no-cache, no-transform"
    assert stream.headers["X-Accel-Buffering"] == "no"
    assert first.comment == "3000"


async def test_event_is_heard_as_it_was_stored(quick: Port, tenant: UUID) -> None:
    async with listening(quick) as stream:
        event_id = await say(quick, tenant)
        heard = await stream.next()

    assert (heard.name, heard.id, heard.data["id"]) == ("event", event_id, event_id)
    assert (heard.data["event"], heard.data["tenant_id"]) == ("credential.failed", str(tenant))


async def test_what_was_there_before_is_not_heard(quick: Port, tenant: UUID) -> None:
    await say(quick, tenant)
    async with listening(quick) as stream:
        event_id = await say(quick, tenant, kind=RECOVERED)

        assert (await stream.next()).id == event_id


@pytest.mark.parametrize("how", ["header", "query"])
async def test_listener_who_comes_back_hears_what_it_missed(quick: Port, tenant: UUID, how: str) -> None:
    said = []
    for number in range(4):
        said.append(await say(quick, tenant, subject=f"key-{number}"))
        quick.clock.turn(SECOND)

    places = {"header": {"last": said[1]}, "query": {"query": f"?after={said[1]}"}}
    async with listening(quick, **places[how]) as stream:
        heard = [(await stream.next("event")).id for _ in range(2)]
        said.append(await say(quick, tenant, subject="key-4"))
        heard.append((await stream.next("event")).id)

    assert heard == said[2:]


async def test_long_absence_is_made_up_for_whole(quick: Port, tenant: UUID) -> None:
    start = quick.clock()
    ids = [new_event_id(start + timedelta(milliseconds=number)) for number in range(1200)]
    rows = [(each, tenant, json.dumps({"id": each}).encode(), start) for each in ids]
    await quick.daemon.db.executemany(
        "INSERT INTO events (id, type, tenant_id, subject, body, created_at) VALUES ($1, 'x', $2, 'key', $3, $4)", rows
    )

    async with listening(quick, last=least_event_id(start)) as stream:
        heard = [(await stream.next("event")).id for _ in ids]

    assert heard == ids


async def test_what_becomes_visible_late_is_heard_late(quick: Port, tenant: UUID) -> None:
    async with listening(quick) as stream:
        older = event(tenant_id=tenant, at=quick.clock(), subject="slow")
        quick.clock.turn(SECOND)
        newer = await say(quick, tenant)
        first = await stream.next("event")
        await queue(quick.daemon.db, older)
        second = await stream.next("event")

    assert (first.id, second.id) == (newer, older.id)


async def test_tenant_hears_its_own_only(quick: Port, tenant: UUID) -> None:
    key = await quick.key(Role.TENANT, tenant_id=tenant)
    async with listening(quick, key=key) as stream:
        await say(quick, None)
        await say(quick, await factories.tenant(quick.daemon.db))
        mine = await say(quick, tenant)

        assert (await stream.next()).id == mine


async def test_tenant_does_not_hear_what_is_held(quick: Port, tenant: UUID) -> None:
    await factories.webhook(quick.daemon.db, tenant)
    key = await quick.key(Role.TENANT, tenant_id=tenant)
    async with listening(quick, key=key) as theirs, listening(quick) as ours:
        held = event(tenant_id=tenant, at=quick.clock(), subject="held")
        await queue(quick.daemon.db, held, held=True)
        sent = await say(quick, tenant, subject="sent")

        assert (await theirs.next()).id == sent
        assert {(await ours.next("event")).id for _ in range(2)} == {held.id, sent}


async def test_operators_may_listen_to_one_tenant(quick: Port, tenant: UUID) -> None:
    async with listening(quick, f"?tenant_id={tenant}") as stream:
        await say(quick, None)
        mine = await say(quick, tenant)

        assert (await stream.next("event")).id == mine


async def test_nobody_listens_to_another_tenant(quick: Port, tenant: UUID) -> None:
    key = await quick.key(Role.TENANT, tenant_id=tenant)

    assert (await quick.ask("GET", f"{STREAM}?tenant_id={UUID(int=7)}", key=key)).status == 404


@pytest.mark.parametrize("last", ["1", "evt_", "evt_" + "g" * 32, "evt_" + "f" * 32, "evt_" + "0" * 33])
async def test_false_last_event_id_is_refused(quick: Port, last: str) -> None:
    answer = await quick.ask("GET", STREAM, headers={"Last-Event-ID": last})

    assert (answer.status, answer.json["detail"]) == (400, "Last-Event-ID is not the id of an event.")


async def test_false_after_is_refused(quick: Port) -> None:
    assert (await quick.ask("GET", f"{STREAM}?after=1")).status == 422


# --- Alerts and sweeps -----------------------------------------------------------------------


async def trouble(port: Port) -> None:
    await pipeline.platform_trouble(port.daemon.db, "secret_store", "vault", "It is sealed.", now=port.clock())


async def test_alert_is_heard_when_it_fires_and_when_it_is_over(quick: Port) -> None:
    async with listening(quick) as stream:
        await trouble(quick)
        fired = await stream.next("alert")
        await pipeline.platform_recovered(quick.daemon.db, "secret_store", "vault", "Well.", now=quick.clock())
        resolved = await stream.next("alert")

    assert (fired.data["rule"], fired.data["state"], fired.id) == ("secret_store", "firing", None)
    assert (resolved.data["id"], resolved.data["state"]) == (fired.data["id"], "resolved")


async def test_alert_that_fired_before_is_not_heard(quick: Port) -> None:
    await trouble(quick)
    async with listening(quick) as stream:
        await pipeline.platform_recovered(quick.daemon.db, "secret_store", "vault", "Well.", now=quick.clock())

        assert (await stream.next("alert")).data["state"] == "resolved"


async def test_acknowledgement_is_heard(quick: Port) -> None:
    await trouble(quick)
    alert_id = await quick.daemon.db.fetchval("SELECT id FROM alerts")
    async with listening(quick) as stream:
        await quick.ask("POST", f"/api/v1/alerts/{alert_id}/ack", json={"comment": "on it"})

        assert (await stream.next("alert")).data["acked_by"] == "admin"


async def swept(db: Db, port: Port, sweep_id: UUID, checked: int) -> None:
    await sweep_store.progress(db, sweep_id, Tally(total=2, checked=checked), port.clock())


async def test_sweep_is_heard_as_it_gets_on(quick: Port, tenant: UUID) -> None:
    db = quick.daemon.db
    sweep_id = await sweep_store.begin(db, origin=Origin.COMMAND, requested_by="test", now=quick.clock())
    async with listening(quick) as stream:
        begun = await stream.next("sweep")
        await swept(db, quick, sweep_id, 1)
        half = await stream.next("sweep")
        await sweep_store.finish(db, sweep_id, SweepState.COMPLETED, Tally(total=2, checked=2), now=quick.clock())
        done = await stream.next("sweep")

    assert [each.data["checked"] for each in (begun, half, done)] == [0, 1, 2]
    assert [each.data["state"] for each in (begun, half, done)] == ["running", "running", "completed"]


async def test_sweep_that_is_over_is_not_heard(quick: Port) -> None:
    db = quick.daemon.db
    over = await sweep_store.begin(db, origin=Origin.COMMAND, requested_by="test", now=quick.clock())
    await sweep_store.finish(db, over, SweepState.COMPLETED, Tally(), now=quick.clock())
    async with listening(quick) as stream:
        new = await sweep_store.begin(db, origin=Origin.COMMAND, requested_by="test", now=quick.clock())

        assert (await stream.next("sweep")).data["id"] == str(new)


async def test_tenant_hears_of_no_alert_and_no_sweep(quick: Port, tenant: UUID) -> None:
    key = await quick.key(Role.TENANT, tenant_id=tenant)
    await sweep_store.begin(
        quick.daemon.db, origin=Origin.COMMAND, requested_by="test", tenant_id=tenant, now=quick.clock()
    )
    async with listening(quick, key=key) as stream:
        alert_id = await factories.alert(quick.daemon.db, tenant)
        await log_store.note(quick.daemon.db, alert_id, Decision.FIRED, now=quick.clock())
        mine = await say(quick, tenant)

        assert (await stream.next()).id == mine


# --- To the end ------------------------------------------------------------------------------


async def test_silence_is_broken_by_a_heartbeat(quick: Port) -> None:
    quick.daemon.streams.heartbeat = timedelta(milliseconds=50)
    async with listening(quick) as stream:
        frames = [(await stream.frame()).comment for _ in range(3)]

    assert frames == ["3000", "still here", "still here"]


async def test_stream_ends_with_its_key(quick: Port) -> None:
    quick.daemon.streams.heartbeat = timedelta(milliseconds=50)
    key = await quick.key(Role.VIEWER)
    async with listening(quick, key=key) as stream:
        await stream.frame()
        await quick.daemon.db.execute("UPDATE api_keys SET revoked_at = $1", quick.clock())

        with pytest.raises(EOFError):
            await stream.next()


async def test_revoked_key_hears_nothing_more(quick: Port, tenant: UUID) -> None:
    key = await quick.key(Role.TENANT, tenant_id=tenant)
    async with listening(quick, key=key) as stream:
        await stream.frame()
        await quick.daemon.db.execute("UPDATE api_keys SET revoked_at = $1", quick.clock())
        await say(quick, tenant)

        with pytest.raises(EOFError):
            await stream.next()


async def test_stream_ends_with_the_server(dsn: str, tmp_path: Path, now: Any) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        stream = await port.client.get(STREAM, headers={"X-Alert-API-Key": ADMIN})
        port.daemon.streams.end()

        assert (await stream.content.read()).startswith(b"retry: 3000")
        assert stream.content.at_eof()


async def test_stream_outlives_a_lost_database(quick: Port, tenant: UUID, dsn: str) -> None:
    async with listening(quick) as stream, open_db(dsn, pool_size=1) as db:
        await stream.frame()
        await db.execute(
            """
            SELECT pg_terminate_backend(pid)
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
        said = event(tenant_id=tenant, at=quick.clock())
        await queue(db, said)

        assert (await stream.next("event")).id == said.id


async def test_what_was_found_while_the_database_went_is_heard_afterwards(quick: Port, tenant: UUID, dsn: str) -> None:
    async def looks() -> bool:
        return bool(await elsewhere.fetchval(f"SELECT count(*) {LOOKING}"))

    async with listening(quick) as stream, open_db(dsn, pool_size=2) as elsewhere:
        await stream.frame()
        async with elsewhere.transaction() as tx:
            await tx.execute("LOCK TABLE silences IN ACCESS EXCLUSIVE MODE")
            said = event(tenant_id=tenant, at=quick.clock())
            await queue(elsewhere, said)
            await log_store.note(elsewhere, await factories.alert(elsewhere, tenant), Decision.FIRED, now=quick.clock())
            await until(looks)
            await elsewhere.execute(f"SELECT pg_terminate_backend(pid) {LOOKING}")

        assert (await stream.next()).id == said.id
        assert (await stream.next()).name == "alert"


def test_tenants_leave_room_for_operators() -> None:
    streams = Streams()
    with ExitStack() as stack:
        for number in range(MOST_OF_TENANTS):
            stack.enter_context(streams.taking_part(f"key:{number}", most=MOST_OF_TENANTS))
        with pytest.raises(web.HTTPTooManyRequests):
            stack.enter_context(streams.taking_part("key:another", most=MOST_OF_TENANTS))

        stack.enter_context(streams.taking_part("settings:operator"))


async def test_nobody_opens_too_many(quick: Port) -> None:
    async def none_open() -> bool:
        return len(quick.daemon.streams) == 0

    opened = [await quick.client.get(STREAM, headers={"X-Alert-API-Key": ADMIN}) for _ in range(MOST_OF_ONE)]
    refused = await quick.ask("GET", STREAM)
    [stream.close() for stream in opened]
    await until(none_open)

    assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
    assert (await quick.ask("GET", STREAM)).status == 200


async def test_listener_who_takes_nothing_is_given_up(quick: Port, tenant: UUID) -> None:
    async def given_up() -> bool:
        return len(quick.daemon.streams) == 0

    async def listened_to() -> bool:
        return len(quick.daemon.streams) == 1

    quick.daemon.streams.patience = timedelta(milliseconds=200)
    with socket.create_connection((quick.address.host, quick.address.port)) as plug:
        host = f"Host: {quick.address.host}:{quick.address.port}"
        plug.sendall(f"GET {STREAM} HTTP/1.1\r\n{host}\r\nX-Alert-API-Key: {ADMIN}\r\n\r\n".encode())
        await until(listened_to)
        await quick.daemon.db.executemany(
            "INSERT INTO events (id, type, tenant_id, subject, body, created_at) VALUES ($1, 'x', $2, 'key', $3, $4)",
            [(new_event_id(quick.clock()), tenant, b"1" * 1_000_000, quick.clock()) for _ in range(20)],
        )
        await until(given_up)


# --- Ids -------------------------------------------------------------------------------------


def test_ids_are_in_the_order_of_their_times(now: Any) -> None:
    earlier, later = new_event_id(now), new_event_id(now + timedelta(milliseconds=1))

    assert earlier < least_event_id(now + timedelta(milliseconds=1)) <= later
    assert least_event_id(now) <= earlier
    assert event_time(earlier) == now
    assert least_event_id(event_time(least_event_id(now)) - timedelta(days=30_000)) == "evt_" + "0" * 32
