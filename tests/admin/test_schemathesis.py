"""Requests made up from the document, for each kind of key: the answers keep to it, whatever was asked.

The long form, with more requests and without a fixed seed, is `make fuzz`.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from alertd.admin.access import Identity, Role
from alertd.admin.routes import TABLE
from alertd.admin.routing import Route
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import open_simulator
from tests import factories
from tests.admin.access_table import ROWS, a_finished_delivery
from tests.admin.port import ADMIN, KEYS, VIEWER, Port, open_port

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
PATIENCE = 3600 if EXAMPLES else 100
EXTENT = (
    ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "3", "--seed", "1", "--generation-deterministic"]
)
SETTINGS = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")

MANY = 12 if not EXAMPLES else 100  # things of a kind, as some requests use theirs up

pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.fixture
async def port(dsn: str, tmp_path: Path) -> AsyncIterator[Port]:
    """Keys that somebody makes up are asked about at simulated exchanges, which refuse them; nobody goes outside."""
    async with open_simulator() as simulator:
        detours = {f"ALERTD_EXCHANGES__{name.upper()}__CONNECT_TO": simulator.url for name in SIMULATED}
        async with open_port(dsn, tmp_path, datetime.now(UTC), environ=KEYS | detours) as opened:
            yield opened


@pytest.fixture
async def tenant(port: Port) -> UUID:
    return await factories.tenant(port.daemon.db)


def open_to(role: Role) -> list[Route]:
    """Routes that this role may use and that end; what else it is told is for test_access.py."""
    who = Identity("somebody", "somebody", role, None)
    mine = (route for route in TABLE if who.may(route.permission, tenant_scoped=route.tenant_scoped))
    return [route for route in mine if not route.endless]


async def seeds(port: Port, tenant: UUID) -> dict[str, list[dict[str, object]]]:
    """For each operation some requests that can be carried out, about things of this tenant."""
    rows = {(row.method, row.path): row.prepare for row in ROWS if row.prepare is not None}
    found: dict[str, list[dict[str, object]]] = {
        "log_in": [{"path": {}, "body": {"api_key": ADMIN}}],
        "replay_deliveries": [await a_replay(port, tenant) for _ in range(MANY)],
    }
    for route in TABLE:
        prepare = rows.get((route.method, route.path))
        if prepare is not None and route.name not in found:
            cases = [await prepare(port, tenant) for _ in range(MANY if route.method != "GET" else 1)]
            found[route.name] = [{"path": _as_text(case.path), "body": case.body} for case in cases]
    return found


async def a_replay(port: Port, tenant: UUID) -> dict[str, object]:
    """Of one endpoint's messages, so that something is left for others to replay."""
    delivery = (await a_finished_delivery(port, tenant)).path["id"]
    webhook = await port.daemon.db.fetchval("SELECT webhook_id FROM webhook_deliveries WHERE id = $1", delivery)
    since = port.clock().isoformat()
    body = {"since": since, "webhook_id": str(webhook), "tenant_id": str(tenant), "state": "failed"}
    return {"path": {}, "body": {**body, "event": None, "until": None}}


def _as_text(path: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in path.items()}


async def attacked(port: Port, folder: Path, role: Role, key: str, tenant: UUID) -> tuple[int | None, str]:
    """How it ended, and what it says; 0: nothing was found."""
    (folder / "seeds.json").write_text(json.dumps(await seeds(port, tenant)))
    command = ["-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run", f"{port.address.url}/openapi.json"]
    names = [f"--include-operation-id={route.name}" for route in open_to(role)]
    options = [*EXTENT, *names, "--header", f"X-Alert-API-Key: {key}"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ |= {"SCHEMATHESIS_HOOKS": str(HOOKS)}
    environ |= {"SEEDS": str(folder / "seeds.json"), "ANSWERS": str(folder / "answers")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *options,
        cwd=folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def never_carried_out(folder: Path, role: Role) -> set[str]:
    """Operations of this role of which no request was answered with a success."""
    answers = [line.split() for line in (folder / "answers").read_text().splitlines()]
    done = {name for name, status in answers if status.startswith("2")}
    return {route.name for route in open_to(role)} - done


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN, Role.TENANT])
async def test_answers_keep_to_the_document(port: Port, tenant: UUID, tmp_path: Path, role: Role) -> None:
    keys = {Role.VIEWER: VIEWER, Role.ADMIN: ADMIN, Role.TENANT: await port.key(Role.TENANT, tenant_id=tenant)}

    ended, said = await attacked(port, tmp_path, role, keys[role], tenant)

    assert ended == 0, said
    assert never_carried_out(tmp_path, role) == set()
