"""Tenants, exchanges, a secret store, a database and two daemons, and who breaks each of them."""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alertd.cipher import Cipher
from alertd.config import load
from alertd.credentials import inventory_store
from alertd.db import apply_schema, new_id, open_db
from alertd.demo.exchanges.server import open_simulator
from alertd.model import CredentialRef, CredentialType
from alertd.secretstore import open_store
from alertd.webhooks import endpoints
from tests.e2e.daemon import Home
from tests.e2e.town import EXCHANGES
from tests.faults.database import Database, open_database
from tests.faults.endpoints import Mailbox, open_mailbox
from tests.faults.exchanges import Exchanges
from tests.faults.plan import Fault, Round, Strike
from tests.faults.store import Store, opened_store
from tests.faults.strategies import Strategies, wrong_runs
from tests.faults.units import Units, keeping

KEY: Final = b"f" * 32
DAEMONS: Final = 2
PASS_HOURS: Final = 0.0015  # 5.4 s
LEASED: Final = ("credentials", "tenant_webhooks", "sweeps")
# What a daemon whose clock was ahead has put off for longer than this scene lasts.
PUT_OFF: Final = (
    ("credentials", "next_check_at"),
    ("webhook_deliveries", "next_attempt_at"),
    ("tenant_webhooks", "next_due_at"),
    ("exchange_budgets", "reserved_until"),
)

Breaker = Callable[[Strike], Awaitable[int]]


@dataclass
class Scene:
    """`felt` is how often each fault was felt by whom it was meant for: a fault that nobody feels proves nothing."""

    exchanges: Exchanges
    mailbox: Mailbox
    store: Store
    database: Database
    units: Units
    strategies: Strategies
    felt: Counter[Fault] = field(default_factory=Counter)

    @property
    def breakers(self) -> Mapping[Fault, Breaker]:
        """Who brings each fault about. Each returns when it is over, and answers how often it was felt."""
        return {
            Fault.KILL_DAEMON: self.units.kill,
            Fault.FREEZE_DAEMON: self.units.freeze,
            Fault.SET_CLOCK: self.units.set_clock,
            Fault.BAD_NAMES: self.units.lead_astray,
            Fault.KILL_DATABASE: self.database.kill,
            Fault.DROP_CONNECTIONS: self.database.drop_connections,
            Fault.FILL_DISK: self.database.fill_disk,
            Fault.SEAL_STORE: self.store.seal,
            Fault.KILL_STORE: self.store.kill,
            Fault.END_LOGINS: self.store.end_logins,
            Fault.FORBID: self.store.forbid,
            Fault.OUTAGE: self.exchanges.go_out,
            Fault.SLOW_EXCHANGE: self.exchanges.be_slow,
            Fault.LYING_EXCHANGE: self.exchanges.lie,
            Fault.BAD_ENDPOINTS: self.mailbox.misbehave,
            Fault.LYING_ENDPOINTS: self.mailbox.misbehave,
        }

    @property
    def not_done(self) -> dict[Fault, str]:
        return {} if self.database.disk.small else {Fault.FILL_DISK: "NOT DONE: only root can mount a small disk"}

    async def strike(self, strike: Strike) -> None:
        """Returns when the fault is over."""
        self.felt[strike.fault] += await self.breakers[strike.fault](strike)

    @property
    def given(self) -> dict[str, object]:
        """Seconds instead of hours; two bad answers are enough, and nobody is reminded."""
        exchanges: dict[str, object] = {}
        for name in EXCHANGES:
            prefix = f"ALERTD_EXCHANGES__{name.upper()}"
            exchanges |= {f"{prefix}__CONNECT_TO": self.exchanges.simulator.url}
            exchanges |= {f"{prefix}__REQUESTS_PER_SECOND": 10_000}
        return {
            **exchanges,
            **self.store.given,
            "ALERTD_SECRETS__ENCRYPTION_KEY": b64encode(KEY).decode(),
            "ALERTD_DATABASE__DSN": self.database.dsn,
            "ALERTD_CONFIG": self.strategies.settings,
            "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": PASS_HOURS,
            "CREDENTIAL_HEALTH_CHECK_RETRIES": 1,
            "CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS": 0,
            "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 2,
            "ALERTD_CREDENTIALS__TIMEOUT_SECONDS": 2,
            "ALERTD_CREDENTIALS__DISCOVERY_MINUTES": 0.2,
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
        """Open the accounts, share their keys out, and give each tenant an endpoint, every second one by a name."""
        self.strategies.tenants = ids = [new_id() for _ in range(tenants)]
        cipher = Cipher([KEY])
        accounts = [self.exchanges.open_account(number) for number in range(keys)]
        refs = [
            CredentialRef(ids[number % tenants], each.exchange, CredentialType.TRADING, f"k{number}")
            for number, each in enumerate(accounts)
        ]
        by_root = {"VAULT_ADDR": self.store.bao.address, "VAULT_TOKEN": self.store.bao.root_token}
        async with open_store(load(environ=home.environment(by_root)), cipher) as store:
            fields = [{"api_key": a.key, "api_secret": a.secret, "passphrase": a.passphrase} for a in accounts]
            await asyncio.gather(*(store.write(ref, each) for ref, each in zip(refs, fields, strict=True)))
        async with open_db(self.database.dsn, pool_size=1) as db:
            await apply_schema(db)
            await self.strategies.settle(db)
            now = datetime.now(UTC)
            for number, tenant_id in enumerate(ids):
                path, host = f"/{tenant_id}", "127.0.0.1" if number % 2 else "receiver.example"
                async with db.transaction() as tx:
                    await inventory_store.add_tenant(tx, tenant_id, "", now)
                    draft = endpoints.Draft(tenant_id, f"http://{host}:{self.mailbox.port}{path}")
                    self.mailbox.secrets[path] = (await endpoints.add(tx, draft, cipher=cipher, now=now)).secret

    async def prepare(self, each: Round) -> None:
        """Strategies begin and recover; nobody looks at them yet."""
        async with self.database.undisturbed() as db, db.transaction() as tx:
            await self.strategies.begin(tx, each.begins)
            await self.strategies.mend(tx, each.mends)

    def move_checks(self) -> None:
        """The scheduled checks are due now."""
        self.strategies.move()
        self.units.read_settings()

    async def wrong_runs(self) -> list[str]:
        async with self.database.undisturbed() as db:
            return await wrong_runs(db, self.strategies.slots)

    async def leases_run_out(self, *, of: Sequence[str] = LEASED) -> None:
        """As if their holders had died some time ago, which some of them did."""
        await self.database.do(f"UPDATE {table} SET lease_until = lease_until - interval '1 hour'" for table in of)

    async def minutes_pass(self) -> None:
        """What else a few minutes would do: exchanges' pauses end, and what a clock ahead has put off is due."""
        self.units.forget_pauses()
        await self.leases_run_out(of=(*LEASED, "occurrences"))
        await self.database.do(["UPDATE exchange_budgets SET backed_off_until = NULL, backed_off_reason = NULL"])
        await self.database.do(
            f"UPDATE {table} SET {column} = now() WHERE {column} > now() + interval '30 s'" for table, column in PUT_OFF
        )
        self.exchanges.forget_nonces()
        self.units.read_settings()


@asynccontextmanager
async def open_scene(folder: Path, *, tenants: int, keys: int) -> AsyncIterator[Scene]:
    """`folder` must be one that the database's account can get through. Daemons run, and are up."""
    async with AsyncExitStack() as stack:
        exchanges = Exchanges(await stack.enter_async_context(open_simulator()))
        mailbox = await stack.enter_async_context(open_mailbox())
        units = Units()
        store = stack.enter_context(opened_store(units))
        database = await stack.enter_async_context(open_database(folder))
        scene = Scene(exchanges, mailbox, store, database, units, Strategies(folder / "alertd.toml"))
        await scene.settle(_home(folder, "settling"), tenants=tenants, keys=keys)
        homes = [_home(folder, f"daemon-{number}") for number in range(DAEMONS)]
        units.all = [await stack.enter_async_context(keeping(home, scene.given)) for home in homes]
        stack.callback(units.stop)
        yield scene


def _home(folder: Path, name: str) -> Home:
    home = folder / name
    home.mkdir()
    return Home(home)
