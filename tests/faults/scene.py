"""Tenants, exchanges, a secret store, a database and two daemons, and how each of them is broken."""

import asyncio
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alertd.cipher import Cipher
from alertd.config import load
from alertd.credentials import inventory_store
from alertd.db import Db, apply_schema, new_id, open_db
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, Outage
from alertd.model import CredentialRef, CredentialType
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, running_server
from alertd.secretstore import open_store
from alertd.webhooks import endpoints
from tests.bao import Bao, raft_server
from tests.e2e.daemon import Home
from tests.e2e.town import EXCHANGES
from tests.faults.plan import Change, Fault, Mood, Strike, exchange_of
from tests.faults.receiver import Mailbox, open_mailbox
from tests.faults.units import Unit, keeping

KEY: Final = b"f" * 32
DAEMONS: Final = 2
ENDPOINTS_AT_ONCE: Final = 15
CRASH: Final = ((signal.SIGQUIT, 10.0),)  # writes nothing down: the next start recovers from the log
PASS_HOURS: Final = 0.0015  # 5.4 s


@dataclass
class Scene:
    """`refs` and `accounts` are the keys by number; `tenants` share them out evenly."""

    simulator: Simulator
    mailbox: Mailbox
    bao: Bao
    cluster: Cluster
    refs: list[CredentialRef] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    _server: AsyncExitStack = field(default_factory=AsyncExitStack)
    _store: asyncio.Lock = field(default_factory=asyncio.Lock)
    _database: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def given(self) -> dict[str, object]:
        """Seconds instead of hours; two bad answers are enough, and nobody is reminded."""
        exchanges: dict[str, object] = {}
        for name in EXCHANGES:
            prefix = f"ALERTD_EXCHANGES__{name.upper()}"
            exchanges |= {f"{prefix}__CONNECT_TO": self.simulator.url, f"{prefix}__REQUESTS_PER_SECOND": 10_000}
        return exchanges | {
            "VAULT_ADDR": self.bao.address,
            "VAULT_TOKEN": self.bao.root_token,
            "ALERTD_SECRETS__ENCRYPTION_KEY": b64encode(KEY).decode(),
            "ALERTD_DATABASE__DSN": self.cluster.dsn,
            "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": PASS_HOURS,
            "CREDENTIAL_HEALTH_CHECK_RETRIES": 1,
            "CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS": 0,
            "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 2,
            "ALERTD_CREDENTIALS__TIMEOUT_SECONDS": 2,
            "WEBHOOK_TIMEOUT_SECONDS": 1,
            "WEBHOOK_RETRY_ATTEMPTS": 9,
            "WEBHOOK_RETRY_BACKOFF_BASE": 0.05,
            "ALERTD_WEBHOOKS__BREAKER_FAILURES": 100_000,
            "ALERTD_WEBHOOKS__PER_CREDENTIAL_MINUTES": 0,
            "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
            "ALERTD_WEBHOOKS__PORTS": "[]",
            "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
        }

    async def settle(self, home: Home, *, tenants: int, keys: int) -> None:
        """Open the accounts, store the keys, and give each tenant an endpoint."""
        ids = [new_id() for _ in range(tenants)]
        cipher = Cipher([KEY])
        async with open_store(load(environ=home.environment(self.given)), cipher) as store:
            for number in range(keys):
                exchange = exchange_of(number)
                account = self.simulator.add(exchange, number)
                ref = CredentialRef(ids[number % tenants], exchange, CredentialType.TRADING, f"k{number}")
                self.accounts.append(account)
                self.refs.append(ref)
            fields = [{"api_key": a.key, "api_secret": a.secret, "passphrase": a.passphrase} for a in self.accounts]
            await asyncio.gather(*(store.write(ref, each) for ref, each in zip(self.refs, fields, strict=True)))
        async with open_db(self.cluster.dsn, pool_size=1) as db:
            await apply_schema(db)
            now = datetime.now(UTC)
            for tenant_id in ids:
                path = f"/{tenant_id}"
                async with db.transaction() as tx:
                    await inventory_store.add_tenant(tx, tenant_id, "", now)
                    draft = endpoints.Draft(tenant_id, f"http://127.0.0.1:{self.mailbox.port}{path}")
                    self.mailbox.secrets[path] = (await endpoints.add(tx, draft, cipher=cipher, now=now)).secret

    def change(self, change: Change) -> None:
        self.accounts[change.key].state = change.state

    async def strike(self, strike: Strike) -> None:
        """Returns when the fault is over."""
        faults: Mapping[Fault, Callable[[Strike], Awaitable[None]]] = {
            Fault.KILL_DAEMON: self._kill_daemon,
            Fault.FREEZE_DAEMON: self._freeze_daemon,
            Fault.KILL_DATABASE: self._kill_database,
            Fault.DROP_CONNECTIONS: self._drop_connections,
            Fault.SEAL_STORE: self._seal_store,
            Fault.KILL_STORE: self._kill_store,
            Fault.OUTAGE: self._outage,
            Fault.BAD_ENDPOINTS: self._bad_endpoints,
        }
        await faults[strike.fault](strike)

    def _unit(self, strike: Strike) -> Unit:
        return self.units[strike.which % len(self.units)]

    async def _kill_daemon(self, strike: Strike) -> None:
        self._unit(strike).send(signal.SIGKILL)

    async def _freeze_daemon(self, strike: Strike) -> None:
        await self._unit(strike).freeze(strike.seconds)

    async def start_database(self) -> None:
        await self._server.enter_async_context(running_server(self.cluster, stopping=CRASH))

    async def crash_database(self) -> None:
        await self._server.aclose()

    async def _kill_database(self, strike: Strike) -> None:
        async with self._database:
            await self.crash_database()
            await asyncio.sleep(strike.seconds)
            await self.start_database()

    async def _drop_connections(self, _strike: Strike) -> None:
        async with self._database, open_db(self.cluster.dsn, pool_size=1) as db:
            await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    async def _seal_store(self, strike: Strike) -> None:
        async with self._store:
            await asyncio.to_thread(self.bao.seal)
            await asyncio.sleep(strike.seconds)
            await asyncio.to_thread(self.bao.unseal)

    async def _kill_store(self, strike: Strike) -> None:
        async with self._store:
            await asyncio.to_thread(self.bao.kill)
            await asyncio.sleep(strike.seconds)
            await asyncio.to_thread(self.bao.restart)
            await asyncio.to_thread(self.bao.unseal)

    async def _outage(self, strike: Strike) -> None:
        script = self.simulator.exchange(EXCHANGES[strike.which % len(EXCHANGES)])
        script.outage = strike.outage
        await asyncio.sleep(strike.seconds)
        script.outage = Outage.NONE

    async def _bad_endpoints(self, strike: Strike) -> None:
        paths = sorted(self.mailbox.secrets)
        chosen = [paths[(strike.which + 7 * n) % len(paths)] for n in range(ENDPOINTS_AT_ONCE)]
        self.mailbox.moods |= dict.fromkeys(chosen, strike.mood)
        await asyncio.sleep(strike.seconds)
        self.mailbox.moods |= dict.fromkeys(chosen, Mood.GOOD)

    async def minutes_pass(self) -> None:
        """What a few minutes would do: a killed process's leases and an exchange's pauses run out."""
        async with open_db(self.cluster.dsn, pool_size=1) as db:
            for table in ("credentials", "tenant_webhooks", "sweeps", "occurrences"):
                await db.execute(f"UPDATE {table} SET lease_until = lease_until - interval '1 hour'")
            await self._forgive(db)

    async def _forgive(self, db: Db) -> None:
        await db.execute("UPDATE exchange_budgets SET backed_off_until = NULL, backed_off_reason = NULL")


@asynccontextmanager
async def open_scene(folder: Path, *, tenants: int, keys: int) -> AsyncIterator[Scene]:
    """`folder` must be one that the database's account can get through. Daemons run, and are up."""
    cluster = await _cluster(folder)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(open_simulator())
        mailbox = await stack.enter_async_context(open_mailbox())
        scene = Scene(simulator, mailbox, stack.enter_context(raft_server()), cluster)
        await scene.start_database()
        stack.push_async_callback(scene.crash_database)
        await scene.settle(_home(folder, "settling"), tenants=tenants, keys=keys)
        for number in range(DAEMONS):
            unit = keeping(_home(folder, f"daemon-{number}"), scene.given)
            scene.units.append(await stack.enter_async_context(unit))
        yield scene


def _home(folder: Path, name: str) -> Home:
    home = folder / name
    home.mkdir()
    return Home(home)


async def _cluster(folder: Path) -> Cluster:
    data = folder / "db"
    cluster = Cluster(
        data=data, sockets=data, binaries=find_binaries(), log=folder / "db.log", account=server_account(data)
    )
    await create_data(cluster, options=["--no-sync"])
    return cluster
