"""`alertd sweep`: beside a daemon and without one, of everything or a part, and what it prints."""

import asyncio
import json
import os
import signal
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin
from alertd.db import Db, open_db, schema_status
from alertd.demo.exchanges.shape import Outage, State
from alertd.model import Event, EventType
from alertd.postgres import open_embedded
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id
from tests.e2e.daemon import ALERTD, Done, Home, alertd, running, starting
from tests.e2e.town import Tenant, Town, standing
from tests.e2e.waiting import lives, until

CALM = {"CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": 6}  # a daemon beside leaves the keys to the sweep
COUNTS = ("checked", "valid", "invalid", "inconclusive", "skipped")
PERMISSIONS = {"read", "trade", "withdraw", "transfer", "ip_restricted", "expires_at"}
CREDENTIAL = {
    "tenant_id",
    "exchange",
    "credential_type",
    "label",
    "verdict",
    "reason",
    "permissions",
    "warnings",
    "consecutive_failures",
    "duration_ms",
}


@pytest.fixture
def given(town: Town, dsn: str) -> dict[str, object]:
    return town.given | CALM | {"ALERTD_DATABASE__DSN": dsn}


def counts(done: Done) -> dict[str, Any]:
    return {name: done.json[name] for name in COUNTS}


def of(done: Done, tenant: Tenant) -> dict[str, Any]:
    [found] = [item for item in done.json["credentials"] if UUID(item["tenant_id"]) == tenant.id]
    return dict(found)


async def test_it_prints_one_object_of_the_promised_shape(home: Home, town: Town, given: dict[str, object]) -> None:
    good, bad = await town.tenant("binance"), await town.tenant("bybit", State.EXPIRED)
    down = await town.tenant("kraken", State.REVOKED)
    town.simulator.exchange("kraken").outage = Outage.HTML_503

    done = await alertd(home, given, "sweep", "--json")

    assert done.code == 0, done.err
    assert done.json.keys() == {*COUNTS, "credentials"}
    assert counts(done) == {"checked": 3, "valid": 1, "invalid": 1, "inconclusive": 1, "skipped": 0}
    assert [set(item) for item in done.json["credentials"]] == [CREDENTIAL] * 3
    assert [set(item["permissions"]) for item in done.json["credentials"]] == [PERMISSIONS] * 3
    shown = [(of(done, one)["verdict"], of(done, one)["reason"]) for one in (good, bad, down)]
    assert shown == [("valid", "ok"), ("invalid", "expired"), ("inconclusive", "exchange_down")]
    assert [of(done, one)["consecutive_failures"] for one in (good, bad, down)] == [0, 1, 0]
    assert of(done, good)["permissions"]["trade"] is True


async def test_without_json_it_prints_a_table(home: Home, town: Town, given: dict[str, object]) -> None:
    tenant = await town.tenant("okx", State.IP_BLOCKED)

    done = await alertd(home, given | {"COLUMNS": 200}, "sweep")

    assert done.code == 0
    assert str(tenant.id) in done.out
    assert "ip_restricted" in done.out


async def test_at_a_terminal_it_draws_a_bar_and_no_json_lines(home: Home, town: Town, given: dict[str, object]) -> None:
    await town.tenant("okx", State.IP_BLOCKED)
    ours, theirs = os.openpty()
    drawn = bytearray()
    asyncio.get_running_loop().add_reader(ours, lambda: drawn.extend(os.read(ours, 1 << 16)))
    process = await asyncio.create_subprocess_exec(
        *ALERTD,
        *("sweep", "--json"),
        env=home.environment(given | {"TERM": "xterm"}),
        cwd=home.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    out, _ = await process.communicate()
    await until(lambda: b"1/1" in drawn)
    asyncio.get_running_loop().remove_reader(ours)
    os.close(ours)
    os.close(theirs)

    assert json.loads(out)["checked"] == 1
    assert b'"event"' not in drawn


async def test_it_delivers_what_is_due_before_it_ends(home: Home, town: Town, db: Db, given: dict[str, object]) -> None:
    tenant = await town.tenant("okx", State.FROZEN)
    await town.listen(db, tenant)
    strict = given | {"CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 1}

    done = await alertd(home, strict, "sweep", "--json")

    assert done.code == 0
    assert town.told(tenant) == Counter(["credential.failed account_disabled"])


async def test_only_what_was_asked_for_is_checked(home: Home, town: Town, given: dict[str, object]) -> None:
    one, other = await town.tenant("binance"), await town.tenant("okx")

    by_tenant = await alertd(home, given, "sweep", "--json", "--tenant", str(one.id))
    by_exchange = await alertd(home, given, "sweep", "--json", "--exchange", "okx")

    assert [item["tenant_id"] for item in by_tenant.json["credentials"]] == [str(one.id)]
    assert [item["tenant_id"] for item in by_exchange.json["credentials"]] == [str(other.id)]


async def test_another_sweep_in_progress(home: Home, town: Town, db: Db, given: dict[str, object]) -> None:
    tenant = await town.tenant("binance")
    await sweep_store.begin(db, origin=Origin.API, requested_by="somebody", now=datetime.now(UTC))

    done = await alertd(home, given, "sweep", "--json")

    assert (done.code, done.out) == (1, "")
    assert "a sweep is in progress" in done.err
    assert "Traceback" not in done.err
    assert town.simulator.requests == []
    assert town.told(tenant) == Counter()


async def test_beside_a_daemon_it_shares_the_database_and_leaves_it_running(home: Home, town: Town) -> None:
    tenant = await town.tenant("bybit", State.EXPIRED)
    given = town.given | CALM
    async with running(home, given) as daemon:
        await daemon.says("Credential health check completed", error="expired")

        done = await alertd(home, given, "sweep", "--json")

        assert (done.code, of(done, tenant)["consecutive_failures"]) == (0, 2)
        assert lives(home.server_pid())
        assert await daemon.stop() == 0


async def test_without_a_daemon_it_runs_a_server_of_its_own(home: Home, town: Town) -> None:
    tenant = await town.tenant("bybit", State.EXPIRED)

    done = await alertd(home, town.given, "sweep", "--json")

    assert (done.code, of(done, tenant)["reason"]) == (0, "expired")
    assert not lives(home.server_pid())
    async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
        assert (await schema_status(db)).current
        assert (await standing(db, tenant))["consecutive_failures"] == 1


async def test_without_the_daemons_credentials_it_leaves_the_operators_to_the_daemon(
    home: Home, db: Db, given: dict[str, object]
) -> None:
    await alertd(home, given | {"ALERTD_NOTIFY__OPS__URL": "json://127.0.0.1:9/"}, "sweep")  # now they have a receiver
    now = datetime.now(UTC)
    trouble = Event(new_event_id(now), EventType.SYSTEM_ALERT, None, now, "trouble", {"message": "Look here."})
    await outbox.enqueue(db, trouble, now=now, window=None)

    done = await alertd(home, given, "sweep")

    assert done.code == 0
    assert "left to the daemon" in done.err
    assert await db.fetchval("SELECT is_active FROM tenant_webhooks WHERE webhook_url = 'ops'") is True
    assert await db.fetchrow("SELECT state, attempts FROM webhook_deliveries") == ("pending", 0)


async def test_an_empty_store(home: Home, given: dict[str, object]) -> None:
    done = await alertd(home, given, "sweep", "--json")

    assert done.code == 0
    assert done.json == {**dict.fromkeys(COUNTS, 0), "credentials": []}


async def test_no_secret_is_printed(home: Home, town: Town, given: dict[str, object]) -> None:
    tenants = [await town.tenant("okx"), await town.tenant("coinbase", State.REVOKED)]

    done = await alertd(home, given | {"ALERTD_LOGGING__LEVEL": "DEBUG"}, "sweep", "--json")

    printed = done.out + done.err
    assert done.code == 0
    assert [tenant.ref for tenant in tenants if tenant.account.key in printed] == []
    assert [tenant.ref for tenant in tenants if tenant.account.secret in printed] == []
    assert tenants[0].account.passphrase not in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_can_be_interrupted_and_blames_nobody(
    home: Home, town: Town, db: Db, given: dict[str, object], number: signal.Signals
) -> None:
    bad, slow = await town.tenant("binance", State.REVOKED), await town.tenant("kraken")
    town.simulator.exchange("kraken").delay_seconds = 1.5
    async with starting(home, given, command="sweep") as sweep:
        await until(lambda: {seen.exchange for seen in town.simulator.requests} == {"binance", "kraken"})
        sweep.process.send_signal(number)

        assert await sweep.ended() == 1

    assert [line for line in sweep.noise if "Traceback" in line] == []
    assert "stopped before it was done" in "".join(sweep.noise)
    assert [(await standing(db, one))["consecutive_failures"] for one in (bad, slow)] == [0, 0]
    assert await db.fetchval("SELECT state || ' ' || error FROM sweeps") == "failed interrupted"
    assert await db.fetchval("SELECT count(*) FROM credentials WHERE lease_id IS NOT NULL") == 0
