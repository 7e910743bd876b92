"""Exchanges, tenants and their receivers in the test's own process; alertd is in another one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from alertd.cipher import Cipher
from alertd.credentials import inventory_store
from alertd.db import Db, Row, new_id
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, Rights, State
from alertd.demo.receiver import Received, Receiver, listening
from alertd.model import CredentialRef, CredentialType
from alertd.secretstore import SecretStore
from alertd.webhooks import endpoints
from tests.e2e.waiting import PATIENCE_SECONDS

EXCHANGES = ("binance", "bybit", "coinbase", "kraken", "okx")


@dataclass(frozen=True)
class Tenant:
    """A tenant with one key."""

    ref: CredentialRef
    account: Account

    @property
    def id(self) -> UUID:
        return self.ref.tenant_id


@dataclass
class Town:
    """What tenants store goes into `store`; what they are told is kept in `heard`."""

    simulator: Simulator
    store: SecretStore
    cipher: Cipher
    receiver_port: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    heard: list[Received] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def given(self) -> dict[str, object]:
        """The settings of an alertd that watches over this town, in seconds instead of hours."""
        exchanges: dict[str, object] = {}
        for name in EXCHANGES:
            prefix = f"ALERTD_EXCHANGES__{name.upper()}"
            exchanges |= {f"{prefix}__CONNECT_TO": self.simulator.url, f"{prefix}__REQUESTS_PER_SECOND": 1000}
        return exchanges | {
            "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": 0.0002,
            "CREDENTIAL_HEALTH_CHECK_RETRIES": 1,
            "CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS": 0,
            "ALERTD_CREDENTIALS__DISCOVERY_MINUTES": 0.005,
            "ALERTD_CREDENTIALS__TIMEOUT_SECONDS": 2,
            "WEBHOOK_RETRY_BACKOFF_BASE": 0.1,
            "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
            "ALERTD_WEBHOOKS__PORTS": "[]",
            "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
        }

    async def tenant(
        self,
        exchange: str,
        state: State = State.GOOD,
        *,
        rights: Rights | None = None,
        half_empty: bool = False,
    ) -> Tenant:
        """Somebody new, with an account at the exchange and its key in the store."""
        account = self.simulator.add(exchange, next(self._numbers), state=state, rights=rights)
        ref = CredentialRef(new_id(), exchange, CredentialType.TRADING)
        secret = "" if half_empty else account.secret
        await self.store.write(ref, {"api_key": account.key, "api_secret": secret, "passphrase": account.passphrase})
        return Tenant(ref, account)

    async def listen(self, db: Db, *tenants: Tenant) -> None:
        """Give these tenants an endpoint each; the receiver answers 401 to what is not authentic."""
        now = datetime.now(UTC)
        for tenant in tenants:
            path = f"/{tenant.id}"
            async with db.transaction() as tx:
                await inventory_store.add_tenant(tx, tenant.id, "", now)
                draft = endpoints.Draft(tenant.id, f"http://127.0.0.1:{self.receiver_port}{path}")
                self.secrets[path] = (await endpoints.add(tx, draft, cipher=self.cipher, now=now)).secret

    def told(self, tenant: Tenant) -> Counter[str]:
        """What this tenant was told, each distinct message (by its `webhook-id`) once."""
        distinct = {one.event_id: one for one in self.heard if one.path == f"/{tenant.id}" and one.verified}
        return Counter(f"{one.body['event']} {one.body.get('reason')}" for one in distinct.values())

    async def until(self, question: Callable[[], object]) -> None:
        """Asks again each time somebody hears something."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not question():
                self._news.clear()
                await self._news.wait()

    def hear(self, received: Received) -> None:
        self.heard.append(received)
        self._news.set()


@asynccontextmanager
async def open_town(store: SecretStore, cipher: Cipher) -> AsyncIterator[Town]:
    async with open_simulator() as simulator:
        town = Town(simulator, store, cipher)
        receiver = Receiver(lambda path: town.secrets.get(path, ""), town.hear)
        async with listening(receiver) as town.receiver_port:
            yield town


async def standing(db: Db, tenant: Tenant) -> Row:
    """How this tenant's key stands."""
    row = await db.fetchrow(
        """
        SELECT verdict, reason, consecutive_failures, first_failure_at, alerting, last_checked_at, retired_at
        FROM credentials
        WHERE tenant_id = $1
        """,
        tenant.id,
    )
    assert row is not None
    return row


async def verdicts(db: Db) -> Mapping[UUID, tuple[str, str]]:
    """Verdict and reason of every tenant's key."""
    rows = await db.fetch("SELECT tenant_id, verdict, reason FROM credentials WHERE retired_at IS NULL")
    return {row["tenant_id"]: (row["verdict"], row["reason"]) for row in rows}
