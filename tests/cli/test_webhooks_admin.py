"""Endpoints and deliveries at the command line: on a real database, with a real sender beside it where needed."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from alertd.cli import commands
from alertd.db import Db, new_id
from alertd.webhooks.endpoints import Draft, add
from alertd.webhooks.seals import unseal
from tests.cli.desk import Desk
from tests.factories import tenant
from tests.webhooks.post_office import (
    CIPHER,
    FAILED,
    OK,
    RECOVERED,
    Clock,
    a_sender,
    endpoint,
    ids,
    log_of,
    running,
    say,
    send_all,
    state_of,
)
from tests.webhooks.receivers import OK as ACCEPTED
from tests.webhooks.receivers import answering

BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
URL = "http://127.0.0.1:9/hook?token=hunter2"
SOME_ID = "0199c0de-0000-7000-8000-000000000001"
LOCAL = '[webhooks]\nallow_http = true\nports = []\nallow_cidrs = ["127.0.0.0/8"]\n'


@pytest.fixture
def desk(desk: Desk, dsn: str) -> Desk:
    """One that is allowed to send to loopback, with the database of the test."""
    desk.settings = LOCAL
    key = base64.b64encode(b"k" * 32).decode()
    desk.variables = {"ALERTD_DATABASE__DSN": dsn, "ALERTD_SECRETS__ENCRYPTION_KEY": key}
    return desk


@pytest.fixture
async def acme(db: Db) -> UUID:
    return await tenant(db)


@pytest.fixture
async def hook(db: Db, acme: UUID) -> UUID:
    added = await add(db, Draft(acme, URL), cipher=CIPHER, now=datetime.now(UTC))
    return added.webhook.id


@asynccontextmanager
async def a_daemon(db: Db) -> AsyncIterator[None]:
    async with a_sender(db, Clock(datetime.now(UTC), real=True), retry_attempts=1) as sender, running(sender):
        yield


async def failing_key(db: Db, tenant_id: UUID) -> None:
    await db.execute(
        """
        INSERT INTO credentials (id, tenant_id, exchange, credential_type, phase, next_check_at, created_at,
                                 verdict, reason, alerting, consecutive_failures, first_failure_at)
        VALUES ($1, $2, 'kraken', 'trading', 0.5, $3, $3, 'invalid', 'expired', true, 3, $3)
        """,
        new_id(),
        tenant_id,
        datetime.now(UTC),
    )


def asked(folder: Path, *words: str, stdin: str = "") -> Result:
    """The command in this process, for what ends before a database is looked for."""
    app = typer.Typer()
    commands.register(app)
    config = folder / "alertd.toml"
    config.write_text(f'state_dir = "{folder}"\n')
    return CliRunner().invoke(app, words, input=stdin, env={"ALERTD_CONFIG": str(config)})


async def deeds(db: Db) -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT action, object FROM audit_log ORDER BY at, id")
    return [(row["action"], row["object"]) for row in rows]


# --- Endpoints -------------------------------------------------------------------------------


async def test_an_added_endpoint_shows_its_secret_alone_on_standard_output(desk: Desk, db: Db, acme: UUID) -> None:
    ended = await desk.run("webhooks", "add", str(acme), URL, "--event", "credential.failed", "--description", "ops")

    row = await db.fetchrow("SELECT * FROM tenant_webhooks")
    assert (ended.code, ended.out) == (0, unseal(CIPHER, row["id"], row["webhook_secret"]) + "\n")
    assert (row["tenant_id"], row["webhook_url"], row["event_type"], row["description"]) == (
        acme,
        URL,
        "credential.failed",
        "ops",
    )
    assert await deeds(db) == [("webhook.create", f"webhook:{row['id']}")]


async def test_an_added_endpoint_hears_of_what_fails_at_the_moment(desk: Desk, db: Db, acme: UUID) -> None:
    await failing_key(db, acme)

    ended = await desk.run("webhooks", "add", str(acme), URL, "--json")

    shown = json.loads(ended.out)
    assert (shown["current_failures"], shown["secret"].startswith("whsec_")) == (1, True)
    assert await db.fetchval("SELECT event_type FROM webhook_deliveries") == "credential.failed"


async def test_in_quiet_mode_nothing_is_sent_to_it(desk: Desk, db: Db, acme: UUID) -> None:
    await failing_key(db, acme)
    desk.settings = LOCAL + "[credentials]\nnotify = false\n"

    ended = await desk.run("webhooks", "add", str(acme), URL, "--json")

    assert json.loads(ended.out)["current_failures"] == 0


async def test_headers_come_from_standard_input(desk: Desk, db: Db, acme: UUID) -> None:
    ended = await desk.run("webhooks", "add", str(acme), URL, "--headers", "-", stdin='{"X-Key": "hunter3"}')

    row = await db.fetchrow("SELECT id, headers FROM tenant_webhooks")
    assert (ended.code, unseal(CIPHER, row["id"], row["headers"])) == (0, '{"X-Key": "hunter3"}')
    assert "hunter3" not in ended.printed


@pytest.mark.parametrize("headers", ["nonsense", "[]", '{"X-Key": 1}'])
def test_what_are_no_headers_is_bad_usage(tmp_path: Path, headers: str) -> None:
    ended = asked(tmp_path, "webhooks", "add", str(new_id()), URL, "--headers", "-", stdin=headers)

    assert (ended.exit_code, ended.stdout) == (2, "")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://10.0.0.1/", "forbidden (private)"),
        ("https://[::ffff:10.0.0.1]/", "forbidden"),
        ("https://user:hunter2@hooks.example.com/", "user name"),
        ("http://127.0.0.1:8089/", "alertd's own"),
    ],
)
async def test_an_address_that_is_not_allowed_is_not_saved(desk: Desk, db: Db, acme: UUID, url: str, why: str) -> None:
    ended = await desk.run("webhooks", "add", str(acme), url)

    assert (ended.code, await db.fetchval("SELECT count(*) FROM tenant_webhooks")) == (1, 0)
    assert why in ended.err
    assert "hunter2" not in ended.printed


async def test_an_unknown_tenant_gets_no_endpoint(desk: Desk) -> None:
    ended = await desk.run("webhooks", "add", str(new_id()), URL)

    assert (ended.code, ended.out) == (1, "")
    assert "there is no tenant" in ended.err


async def test_a_list_shows_no_secret(desk: Desk, acme: UUID, hook: UUID) -> None:
    listed = await desk.run("webhooks", "list", "--json")
    table = await desk.run("webhooks", "list", "--tenant", str(acme))

    (one,) = json.loads(listed.out)
    assert (one["id"], one["tenant_id"], one["is_active"], one["circuit"]) == (str(hook), str(acme), True, "closed")
    assert "secret" not in one
    assert str(hook) in table.out
    assert "1 endpoints." in table.err


async def test_a_list_of_another_tenant_is_empty(desk: Desk, hook: UUID) -> None:
    ended = await desk.run("webhooks", "list", "--tenant", str(new_id()), "--json")

    assert (ended.code, json.loads(ended.out)) == (0, [])


async def test_a_test_says_that_the_endpoint_took_it(desk: Desk, db: Db, acme: UUID) -> None:
    async with answering(ACCEPTED) as receiver, a_daemon(db):
        added = await add(db, Draft(acme, receiver.url()), cipher=CIPHER, now=datetime.now(UTC))
        ended = await desk.run("webhooks", "test", str(added.webhook.id), "--json")

    shown = json.loads(ended.out)
    assert (ended.code, shown["state"], shown["status"]) == (0, "delivered", 200)
    assert ids(receiver) == [shown["event_id"]]


async def test_a_test_says_why_the_endpoint_did_not_take_it(desk: Desk, db: Db, acme: UUID) -> None:
    async with answering(BAD) as receiver, a_daemon(db):
        added = await add(db, Draft(acme, receiver.url()), cipher=CIPHER, now=datetime.now(UTC))
        ended = await desk.run("webhooks", "test", str(added.webhook.id))

    assert ended.code == 1
    assert "did not take it: status 500" in ended.err


async def test_a_test_that_nobody_sends_is_queued(desk: Desk, db: Db, hook: UUID) -> None:
    ended = await desk.run("webhooks", "test", str(hook), "--wait", "0")

    assert (ended.code, await db.fetchval("SELECT state FROM webhook_deliveries")) == (1, "pending")
    assert "is a daemon running?" in ended.err


async def test_an_endpoint_is_switched_off_and_on(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    message = await say(db, FAILED, acme, at=datetime.now(UTC))

    off = await desk.run("webhooks", "disable", str(hook))
    parked = await state_of(db, message)
    on = await desk.run("webhooks", "enable", str(hook))

    assert (off.code, parked, on.code, await state_of(db, message)) == (0, "parked", 0, "pending")
    assert [action for action, _ in await deeds(db)] == ["webhook.disable", "webhook.enable"]


async def test_a_circuit_is_closed_by_hand(desk: Desk, db: Db, hook: UUID) -> None:
    await db.execute("UPDATE tenant_webhooks SET circuit = 'open', circuit_until = created_at, cooldown_seconds = 900")

    ended = await desk.run("webhooks", "reset", str(hook))

    assert (ended.code, (await endpoint(db, hook))["circuit"]) == (0, "closed")


async def test_a_secret_is_rotated_and_committed(desk: Desk, db: Db, hook: UUID) -> None:
    rotated = await desk.run("webhooks", "rotate-secret", str(hook), "--overlap-hours", "1")
    during = await endpoint(db, hook)
    committed = await desk.run("webhooks", "commit-secret", str(hook))
    again = await desk.run("webhooks", "commit-secret", str(hook))

    fresh = rotated.out.strip()
    assert unseal(CIPHER, hook, during["next_secret"]) == fresh
    assert unseal(CIPHER, hook, (await endpoint(db, hook))["webhook_secret"]) == fresh
    assert (rotated.code, committed.code, again.code) == (0, 0, 1)


async def test_removing_needs_a_yes(desk: Desk, db: Db, hook: UUID) -> None:
    asked = await desk.run("webhooks", "remove", str(hook))
    removed = await desk.run("webhooks", "remove", str(hook), "--yes")
    again = await desk.run("webhooks", "remove", str(hook), "--yes")

    assert (asked.code, removed.code, again.code) == (2, 0, 1)
    assert await db.fetchval("SELECT count(*) FROM tenant_webhooks") == 0
    assert await deeds(db) == [("webhook.delete", f"webhook:{hook}")]


@pytest.mark.parametrize("verb", ["test", "reset", "commit-secret"])
async def test_what_is_not_there_is_said_to_be_so(desk: Desk, verb: str) -> None:
    ended = await desk.run("webhooks", verb, str(new_id()))

    assert (ended.code, ended.out) == (1, "")
    assert "there is no webhook" in ended.err


async def test_to_look_makes_no_database(desk: Desk) -> None:
    desk.variables = {}

    ended = await desk.run("webhooks", "list")

    assert (ended.code, desk.state_dir.exists()) == (1, False)
    assert "There is no database" in ended.err


# --- Deliveries ------------------------------------------------------------------------------


async def finished(db: Db, tenant_id: UUID, *, subject: str = "key-1") -> str:
    now = datetime.now(UTC)
    message = await say(db, FAILED, tenant_id, at=now, subject=subject)
    await send_all(db, OK, now=now)
    return message


async def id_of(db: Db, event_id: str) -> str:
    return str(await db.fetchval("SELECT id FROM webhook_deliveries WHERE event_id = $1", event_id))


async def test_deliveries_are_listed_page_by_page(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    older, newer = await finished(db, acme), await finished(db, acme, subject="key-2")

    first = json.loads((await desk.run("deliveries", "list", "--limit", "1", "--json")).out)
    rest = json.loads((await desk.run("deliveries", "list", "--json", "--cursor", first["next_cursor"])).out)

    assert [one["event_id"] for one in (*first["items"], *rest["items"])] == [newer, older]
    assert rest["next_cursor"] is None


async def test_a_list_is_narrowed_down(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    await finished(db, acme)
    waiting = await say(db, RECOVERED, acme, at=datetime.now(UTC), subject="key-2")

    pending = await desk.run("deliveries", "list", "--state", "pending", "--webhook", str(hook), "--json")
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    future = await desk.run("deliveries", "list", "--since", tomorrow)

    assert [one["event_id"] for one in json.loads(pending.out)["items"]] == [waiting]
    assert (future.out, future.err) == ("", "0 deliveries.\n")


async def test_one_delivery_is_shown_with_its_attempts_and_its_body(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    message = await finished(db, acme)

    shown = json.loads((await desk.run("deliveries", "show", await id_of(db, message), "--json")).out)
    table = await desk.run("deliveries", "show", await id_of(db, message))

    assert [(attempt["status"], attempt["response"]) for attempt in shown["attempts"]] == [(200, "ok")]
    assert json.loads(shown["body"])["id"] == message
    assert message in table.out


async def test_one_delivery_is_sent_again(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    message = await finished(db, acme)

    queued = await desk.run("deliveries", "replay", await id_of(db, message))
    again = await desk.run("deliveries", "replay", await id_of(db, message))

    assert (queued.code, again.code, await state_of(db, message)) == (0, 1, "pending")
    assert "still on its way" in again.err
    assert len(await log_of(db, message)) == 1


async def test_what_was_sent_in_a_span_of_time_is_sent_again(desk: Desk, db: Db, acme: UUID, hook: UUID) -> None:
    messages = [await finished(db, acme), await finished(db, acme, subject="key-2")]
    since = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

    ended = await desk.run("deliveries", "replay", "--since", since, "--state", "delivered", "--json")

    assert json.loads(ended.out) == {"queued": 2}
    assert [await state_of(db, message) for message in messages] == ["pending", "pending"]
    assert await deeds(db) == [("delivery.replay", "deliveries")]


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("replay", SOME_ID, "--since", "2026-01-05"),
        ("replay", "--since", "2026-01-05", "--state", "pending"),
        ("list", "--state", "lost"),
        ("list", "--since", "yesterday"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_bad_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = asked(tmp_path, "deliveries", *words)

    assert (ended.exit_code, ended.stdout) == (2, "")


@pytest.mark.parametrize("verb", ["show", "replay"])
async def test_a_delivery_that_is_not_there_is_said_to_be_so(desk: Desk, verb: str) -> None:
    ended = await desk.run("deliveries", verb, str(new_id()))

    assert (ended.code, ended.out) == (1, "")
    assert "there is no delivery" in ended.err
