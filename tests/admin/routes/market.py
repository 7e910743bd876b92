"""An open admin port, exchanges that can be asked, and keys in a real store."""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from alertd.admin.access import Role
from alertd.credentials import sweep
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Origin, Sweep
from alertd.db import Row, new_id
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, Rights, State
from alertd.model import CredentialRef
from alertd.secretstore import parse
from tests.admin.port import KEYS, Answered, Port, open_port

EXCHANGES = ("binance", "kraken", "okx")
CREDENTIALS = "/api/v1/credentials"
HOUR = timedelta(hours=1)


@dataclass
class Market:
    """What the routes are about; `port` asks them."""

    port: Port
    sim: Simulator
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def account(self, exchange: str = "binance", state: State = State.GOOD, *, rights: Rights | None = None) -> Account:
        """Somebody's account at an exchange; nothing of it is stored."""
        return self.sim.add(exchange, next(self.numbers), state=state, rights=rights)

    async def key(
        self,
        exchange: str = "binance",
        state: State = State.GOOD,
        *,
        tenant: UUID | None = None,
        leaf: str = "trading",
        rights: Rights | None = None,
    ) -> CredentialRef:
        """A key that lies in the store and is known to the daemon."""
        ref = place(tenant or new_id(), exchange, leaf)
        account = self.account(exchange, state, rights=rights)
        fields = {"api_key": account.key, "api_secret": account.secret, "passphrase": account.passphrase}
        await self.port.daemon.secrets.write(ref, fields)
        await self.discover()
        return ref

    async def foreign_key(self, *, tenant: UUID | None = None, leaf: str = "trading") -> CredentialRef:
        """A known key of an exchange that nobody can be asked about: it costs no request."""
        ref = place(tenant or new_id(), "nowhere", leaf)
        await self.port.daemon.secrets.write(ref, {"api_key": "k", "api_secret": "s"})
        await self.discover()
        return ref

    async def discover(self) -> None:
        await self.port.daemon.sweeper.inventory.discover(self.port.clock())

    async def sweep(self, times: int = 1, scope: Scope | None = None) -> Sweep:
        """The last of so many sweeps, an hour after each other."""
        wanted = scope or Scope()
        for _ in range(times):
            self.port.clock.turn(HOUR)
            sweeper = self.port.daemon.sweeper
            sweep_id = await sweep.begin(sweeper, origin=Origin.COMMAND, requested_by="test", scope=wanted)
            done = await sweep.run(sweeper, sweep_id, wanted)
        return done

    async def tenant_key(self, tenant: UUID) -> str:
        """An API key of this tenant, who has to be known."""
        return await self.port.key(Role.TENANT, tenant_id=tenant)

    async def row(self, ref: CredentialRef) -> Row:
        row = await self.port.daemon.db.fetchrow(
            """
            SELECT *
            FROM credentials
            WHERE tenant_id = $1 AND exchange = $2 AND credential_type = $3 AND label = $4
            """,
            ref.tenant_id,
            ref.exchange,
            str(ref.credential_type),
            ref.label,
        )
        assert row is not None
        return row

    async def deeds(self, action: str) -> list[Row]:
        """What the audit log has of this kind."""
        return await self.port.daemon.db.fetch("SELECT * FROM audit_log WHERE action = $1 ORDER BY id", action)

    async def ask(self, method: str, path: str, **options: object) -> Answered:
        return await self.port.ask(method, path, **options)


def place(tenant: UUID, exchange: str, leaf: str) -> CredentialRef:
    found = parse(f"{tenant}/exchanges/{exchange}/{leaf}")
    assert isinstance(found, CredentialRef)
    return found


def at(ref: CredentialRef, *, below: str = "") -> str:
    """The address of one key."""
    return f"{CREDENTIALS}/{ref.tenant_id}/{ref.exchange}/{ref.leaf}{below}"


@asynccontextmanager
async def open_market(
    dsn: str, folder: Path, now: datetime, *, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Market]:
    async with open_simulator() as sim:
        detours: dict[str, str] = {}
        for exchange in EXCHANGES:
            prefix = f"ALERTD_EXCHANGES__{exchange.upper()}"
            detours |= {f"{prefix}__CONNECT_TO": sim.url, f"{prefix}__REQUESTS_PER_SECOND": "100000"}
        given = {**KEYS, **detours, "CREDENTIAL_HEALTH_CHECK_RETRIES": "1", **(environ or {})}
        async with open_port(dsn, folder, now, environ=given) as port:
            yield Market(port, sim)
