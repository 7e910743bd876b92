"""Sweeps by request: started, watched, cancelled, and cut off when the daemon stops."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import SweepState
from alertd.db import Db, new_id
from alertd.demo.exchanges.shape import Outage, State
from tests import factories
from tests.admin.port import OPERATOR
from tests.admin.routes.market import HOUR, Market, open_market

SWEEPS = "/api/v1/sweeps"
PATIENCE_SECONDS = 20


async def until(market: Market, sweep_id: str, right: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """The sweep as it is shown, once it is right."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not right(sweep := (await market.ask("GET", f"{SWEEPS}/{sweep_id}")).json):
            await asyncio.sleep(0.02)
    return sweep


def over(sweep: Mapping[str, Any]) -> bool:
    return sweep["state"] != "running"


@pytest.fixture
async def endless(market: Market) -> str:
    """A sweep under way that one key holds up for ever, and that has seen another one fail."""
    await market.key("binance")
    await market.key("kraken", State.REVOKED)
    market.sim.exchange("binance").outage = Outage.TIMEOUT
    started = await market.ask("POST", SWEEPS)
    await until(market, started.json["id"], lambda sweep: sweep["checked"] == 1)
    return str(started.json["id"])


async def test_sweep_is_accepted_and_then_carried_out(market: Market) -> None:
    await market.key("binance")
    await market.key("kraken", State.REVOKED)
    await market.foreign_key()

    started = await market.ask("POST", SWEEPS, key=OPERATOR)
    done = await until(market, started.json["id"], over)

    assert (started.status, started.headers["Location"]) == (202, f"{SWEEPS}/{started.json['id']}")
    assert started.json == {
        "id": started.json["id"],
        "origin": "api",
        "requested_by": "operator",
        "tenant_id": None,
        "exchange": None,
        "state": "running",
        "started_at": "2026-01-05T12:00:00Z",
        "finished_at": None,
        **dict.fromkeys(("total", "checked", "valid", "invalid", "inconclusive", "skipped"), 0),
        "error": None,
    }
    assert (done["state"], done["finished_at"], done["error"]) == ("completed", "2026-01-05T12:00:00Z", None)
    assert (done["total"], done["checked"], done["skipped"]) == (3, 3, 0)
    assert (done["valid"], done["invalid"], done["inconclusive"]) == (1, 1, 1)


@pytest.mark.parametrize("wanted", ["tenant_id", "exchange"])
async def test_sweep_is_narrowed_down(market: Market, wanted: str) -> None:
    ref = await market.key("okx")
    other = await market.key("kraken")
    body = {"tenant_id": {"tenant_id": str(ref.tenant_id)}, "exchange": {"exchange": "okx"}}[wanted]

    started = await market.ask("POST", SWEEPS, json=body)
    done = await until(market, started.json["id"], over)

    assert (done["total"], done["checked"], done[wanted]) == (1, 1, body[wanted])
    assert (await market.row(other))["verdict"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tenant_id": str(UUID(int=7))}, 404),
        ({"tenant_id": "7"}, 422),
        ({"exchange": "a b"}, 422),
        ({"tenant": str(UUID(int=7))}, 422),
    ],
    ids=str,
)
async def test_sweep_of_nothing_is_not_started(market: Market, body: Mapping[str, str], status: int) -> None:
    answer = await market.ask("POST", SWEEPS, json=body)

    assert answer.status == status
    assert (await market.ask("GET", SWEEPS)).json["items"] == []


async def test_progress_is_shown(market: Market, endless: str) -> None:
    sweep = (await market.ask("GET", f"{SWEEPS}/{endless}")).json

    assert (sweep["state"], sweep["total"], sweep["checked"], sweep["invalid"]) == ("running", 2, 1, 1)


async def test_two_sweeps_never_overlap(market: Market, endless: str) -> None:
    second = await market.ask("POST", SWEEPS)

    assert (second.status, "in progress" in second.json["detail"]) == (409, True)
    assert [item["id"] for item in (await market.ask("GET", SWEEPS)).json["items"]] == [endless]
    assert len(await market.deeds("sweep.start")) == 1


async def test_repeated_request_starts_one_sweep(market: Market) -> None:
    first = await market.ask("POST", SWEEPS, headers={"Idempotency-Key": "mine"})
    await until(market, first.json["id"], over)
    second = await market.ask("POST", SWEEPS, headers={"Idempotency-Key": "mine"})

    assert (second.status, second.json["id"], second.headers["Idempotency-Replayed"]) == (202, first.json["id"], "true")
    assert len((await market.ask("GET", SWEEPS)).json["items"]) == 1


async def test_cancelled_sweep_stops_and_accuses_nobody(market: Market, endless: str) -> None:
    cancelled = await market.ask("POST", f"{SWEEPS}/{endless}/cancel")

    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    await until_released(market.port.daemon.db)
    assert await market.port.daemon.db.fetchval("SELECT count(*) FROM credential_health_checks") == 0
    assert (await market.ask("GET", f"{SWEEPS}/{endless}")).json["error"] is None


async def test_after_a_cancelled_sweep_comes_another(market: Market, endless: str) -> None:
    await market.ask("POST", f"{SWEEPS}/{endless}/cancel")
    await until_released(market.port.daemon.db)
    market.sim.exchange("binance").outage = Outage.NONE

    started = await market.ask("POST", SWEEPS)
    done = await until(market, started.json["id"], over)

    assert (done["state"], done["checked"]) == ("completed", 2)


@pytest.mark.parametrize("again", [SweepState.COMPLETED, SweepState.CANCELLED])
async def test_sweep_that_is_over_cannot_be_cancelled(market: Market, again: SweepState) -> None:
    done = await market.sweep()
    await market.port.daemon.db.execute("UPDATE sweeps SET state = $1", str(again))

    answer = await market.ask("POST", f"{SWEEPS}/{done.id}/cancel")

    assert (answer.status, answer.json["detail"]) == (409, "This sweep is over.")


async def test_scheduled_pass_is_shown_and_not_cancelled(market: Market) -> None:
    pass_id = await sweep_store.turn_pass(market.port.daemon.db, market.port.clock(), market.port.clock())

    answer = await market.ask("POST", f"{SWEEPS}/{pass_id}/cancel")
    [item] = (await market.ask("GET", SWEEPS)).json["items"]

    assert (answer.status, "spread over its interval" in answer.json["detail"]) == (409, True)
    assert (item["id"], item["origin"], item["state"]) == (str(pass_id), "schedule", "running")


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("POST", "/cancel")])
async def test_unknown_sweep_is_404(market: Market, method: str, below: str) -> None:
    answer = await market.ask(method, f"{SWEEPS}/{new_id()}{below}")

    assert (answer.status, answer.json["detail"]) == (404, "There is no sweep with this id.")


async def test_pages_of_sweeps_are_newest_first(market: Market) -> None:
    ids = [str((await market.sweep()).id) for _ in range(3)]
    await market.port.daemon.db.execute("UPDATE sweeps SET started_at = $1", market.port.clock())

    first = await market.ask("GET", f"{SWEEPS}?limit=2")
    second = await market.ask("GET", f"{SWEEPS}?limit=2&cursor={first.json['next_cursor']}")

    assert [item["id"] for page in (first, second) for item in page.json["items"]] == ids[::-1]
    assert second.json["next_cursor"] is None


@pytest.mark.parametrize(("state", "count"), [("completed", 1), ("failed", 0), ("running", 1)])
async def test_sweeps_are_narrowed_down_by_state(market: Market, state: str, count: int) -> None:
    await market.sweep()
    await sweep_store.turn_pass(market.port.daemon.db, market.port.clock(), market.port.clock())

    assert len((await market.ask("GET", f"{SWEEPS}?state={state}")).json["items"]) == count


async def test_tenant_is_shown_no_sweep(market: Market) -> None:
    tenant = await factories.tenant(market.port.daemon.db)

    assert (await market.ask("GET", SWEEPS, key=await market.tenant_key(tenant))).status == 403


async def test_starting_and_cancelling_are_written_down(market: Market, endless: str) -> None:
    await market.ask("POST", f"{SWEEPS}/{endless}/cancel", key=OPERATOR)

    [start], [cancel] = await market.deeds("sweep.start"), await market.deeds("sweep.cancel")
    assert (start["actor"], start["object"], cancel["actor"], cancel["object"]) == (
        "admin",
        f"sweep:{endless}",
        "operator",
        f"sweep:{endless}",
    )


async def test_store_that_is_down_fails_the_sweep(dsn: str, tmp_path: Path, now: datetime) -> None:
    environ = {"ALERTD_SECRETS__BACKEND": "vault", "VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "t"}
    async with open_market(dsn, tmp_path, now, environ=environ) as market:
        started = await market.ask("POST", SWEEPS)
        done = await until(market, started.json["id"], over)

    assert (done["state"], done["checked"], bool(done["error"])) == ("failed", 0, True)


async def test_stopping_cuts_a_sweep_off(dsn: str, db: Db, tmp_path: Path, now: datetime) -> None:
    async with open_market(dsn, tmp_path, now) as market:
        ref = await market.key("binance")
        market.sim.exchange("binance").outage = Outage.TIMEOUT
        started = await market.ask("POST", SWEEPS)
        await until(market, started.json["id"], lambda sweep: sweep["total"] == 1)

    row = await db.fetchrow("SELECT state, error, finished_at FROM sweeps")
    key = await db.fetchrow("SELECT lease_id, lease_until FROM credentials WHERE tenant_id = $1", ref.tenant_id)
    assert row is not None
    assert (row["state"], row["error"], row["finished_at"]) == ("failed", "interrupted", now)
    assert key is not None
    assert dict(key) == {"lease_id": None, "lease_until": None}


async def test_database_that_goes_away_leaves_a_sweep_to_its_lease(market: Market, endless: str) -> None:
    db = market.port.daemon.db
    await db.execute("ALTER TABLE sweeps RENAME TO sweeps_elsewhere")
    await db.execute(
        "CREATE VIEW sweeps AS SELECT * FROM sweeps_elsewhere WHERE pg_terminate_backend(pg_backend_pid())"
    )
    await market.port.daemon.sweeps.close()
    await db.execute("DROP VIEW sweeps")
    await db.execute("ALTER TABLE sweeps_elsewhere RENAME TO sweeps")

    market.port.clock.turn(HOUR)
    started = await market.ask("POST", SWEEPS)

    assert started.status == 202
    assert (await market.ask("GET", f"{SWEEPS}/{endless}")).json["error"] == "interrupted: its process ended"


async def until_released(db: Db) -> None:
    """Nobody holds a key any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await db.fetchval("SELECT EXISTS (SELECT FROM credentials WHERE lease_id IS NOT NULL)"):
            await asyncio.sleep(0.02)
