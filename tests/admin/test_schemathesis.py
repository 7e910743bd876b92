"""Requests made up from the document, for each kind of key: the answers keep to it, whatever was asked.

The long form, with more requests and without a fixed seed, is `make fuzz`.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

import pytest

from alertd.admin.access import Identity, Role
from alertd.admin.routes import TABLE
from tests import factories
from tests.admin.access_table import ROWS
from tests.admin.port import ADMIN, VIEWER, Port

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
PATIENCE = 3600 if EXAMPLES else 100
EXTENT = (
    ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "3", "--seed", "1", "--generation-deterministic"]
)
SETTINGS = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")

ENDLESS = {route.name for route in TABLE if route.endless}

pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.fixture
async def tenant(port: Port) -> UUID:
    """A tenant who has one of everything."""
    tenant = await factories.tenant(port.daemon.db)
    for row in ROWS:
        if row.prepare is not None:
            await row.prepare(port, tenant)
    return tenant


def open_to(role: Role) -> list[str]:
    """Routes that this role may use and that end; what else it is told is for test_access.py."""
    who = Identity("somebody", "somebody", role, None)
    names = [route.name for route in TABLE if who.may(route.permission, tenant_scoped=route.tenant_scoped)]
    return [f"--include-operation-id={name}" for name in names if name not in ENDLESS]


async def attacked(port: Port, folder: Path, role: Role, key: str) -> tuple[int | None, str]:
    """How it ended, and what it says; 0: nothing was found."""
    command = ["-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run", f"{port.address.url}/openapi.json"]
    options = [*EXTENT, *open_to(role), "--header", f"X-Alert-API-Key: {key}"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ |= {"SCHEMATHESIS_HOOKS": str(HOOKS)}
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


async def test_answers_to_a_viewer_keep_to_the_document(port: Port, tenant: UUID, tmp_path: Path) -> None:
    ended, said = await attacked(port, tmp_path, Role.VIEWER, VIEWER)

    assert ended == 0, said


async def test_answers_to_an_admin_keep_to_the_document(port: Port, tenant: UUID, tmp_path: Path) -> None:
    ended, said = await attacked(port, tmp_path, Role.ADMIN, ADMIN)

    assert ended == 0, said


async def test_answers_to_a_tenant_keep_to_the_document(port: Port, tenant: UUID, tmp_path: Path) -> None:
    ended, said = await attacked(port, tmp_path, Role.TENANT, await port.key(Role.TENANT, tenant_id=tenant))

    assert ended == 0, said
