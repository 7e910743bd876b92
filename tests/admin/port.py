"""The admin port as the daemon opens it: real database, real server, and a clock that tests turn."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import ClientSession

from alertd import app
from alertd.admin import store
from alertd.admin.access import Role
from alertd.admin.api import open_api
from alertd.admin.daemon import Daemon
from alertd.admin.keys import digest, new_key
from alertd.admin.routes import TABLE
from alertd.admin.routing import Route
from alertd.admin.server import Address
from alertd.admin.store import StoredKey
from alertd.admin.streams import EVENTS
from alertd.config import load
from alertd.core import World, open_core
from alertd.db import new_id
from alertd.jobs import executions_of

ADMIN = "admin-key-of-the-tests"
OPERATOR = "operator-key-of-the-tests"
VIEWER = "viewer-key-of-the-tests"
MASTER = "master-key-of-the-tests"
KEYS = {
    "ALERT_ADMIN_API_KEY": ADMIN,
    "ALERT_OPERATOR_API_KEY": OPERATOR,
    "ALERT_VIEWER_API_KEY": VIEWER,
    "ALERT_MASTER_API_KEY": MASTER,
}


@dataclass
class Clock:
    """The daemon's time; `turn` moves it."""

    time: datetime

    def __call__(self) -> datetime:
        return self.time

    def turn(self, by: timedelta) -> None:
        self.time += by


@dataclass(frozen=True)
class Answered:
    """What came back; `json` None: the body was no JSON."""

    status: int
    json: Any
    text: str
    headers: Mapping[str, str]


@dataclass
class Port:
    """An open admin port, and what is behind it. A reload reads `environ` again."""

    daemon: Daemon
    address: Address
    client: ClientSession
    clock: Clock
    environ: dict[str, str]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = ADMIN,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answered:
        """With the admin key, unless another key, a token, or `key=None` is given. Options are aiohttp's.

        An answer without an end is not read.
        """
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        elif key is not None:
            given["X-Alert-API-Key"] = key
        async with self.client.request(method, path, headers=given, **options) as answer:
            text = "" if answer.content_type == EVENTS else await answer.text()
            parsed = json.loads(text) if "json" in answer.content_type and text else None
            return Answered(answer.status, parsed, text, answer.headers)

    async def key(
        self,
        role: Role = Role.ADMIN,
        *,
        tenant_id: UUID | None = None,
        name: str = "somebody",
        expires_in: timedelta | None = None,
        revoked: bool = False,
    ) -> str:
        """The text of a new stored key."""
        made, now = new_key(), self.clock()
        row = StoredKey(
            id=new_id(),
            lookup=made.lookup,
            digest=digest(made.text, self.daemon.secret.pepper),
            role=role,
            name=name,
            tenant_id=tenant_id,
            created_by="test",
            created_at=now,
            expires_at=None if expires_in is None else now + expires_in,
            last_used_at=None,
            revoked_at=None,
        )
        await store.add_key(self.daemon.db, row)
        if revoked:
            await store.revoke_key(self.daemon.db, row.id, by="test", now=now)
        return made.text

    async def token(self, key: str = ADMIN) -> str:
        answer = await self.ask("POST", "/api/performance-alerts/auth/login", key=None, json={"api_key": key})
        assert answer.status == 200, answer.text
        token: str = answer.json["access_token"]
        return token

    async def say(self, *pieces: bytes) -> bytes:
        """What the server answers to these bytes before it hangs up."""
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def open_port(
    dsn: str,
    folder: Path,
    now: datetime,
    *,
    environ: Mapping[str, str] = KEYS,
    table: tuple[Route, ...] = TABLE,
    waiting_for: tuple[str, ...] = (),
) -> AsyncIterator[Port]:
    """The port of a daemon with these variables; no loop runs."""
    given = {"STATE_DIRECTORY": str(folder), "ALERTD_DATABASE__DSN": dsn, "PORT": "0", **environ}
    settings, clock = load(environ=given), Clock(now)
    opening = open_core(
        settings,
        attach=False,
        stalled_since=lambda _: False,
        world=World(now=clock),
        read=lambda: load(environ=given),
    )
    async with opening as core:
        executions = executions_of(settings, db=core.db, sweeper=core.sweeper, now=clock)
        daemon = await app.admin_side(core, executions, waiting_for=lambda: waiting_for)
        async with open_api(daemon, table=table) as address, ClientSession(address.url) as client:
            yield Port(daemon, address, client, clock, given)
