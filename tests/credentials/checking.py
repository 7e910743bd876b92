"""A checker on a real database and a real file store, whose exchange says what the test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from alertd.alerts.lifecycle import Policy
from alertd.cipher import Cipher
from alertd.credentials.inventory import Inventory
from alertd.credentials.look import Patience
from alertd.credentials.mass import MassWatch
from alertd.credentials.recorder import Recorder, Rules
from alertd.credentials.sweeper import Outside, Pace, Sweeper
from alertd.credentials.watch import StoreWatch
from alertd.db import Db, Row, new_id
from alertd.errors import StoreDown, StoreFault
from alertd.model import CheckResult, CredentialRef, CredentialType, Reason, Secret
from alertd.secretstore.file import FileStore

KEY = b"k" * 32
SIX_HOURS = timedelta(hours=6)


class Sealable(FileStore):
    """A file store that can be lost as a whole, as Vault is when it is sealed."""

    lost: StoreDown | None = None
    reads_until_lost = -1  # counts down; below zero it never happens by itself

    async def read(self, ref: CredentialRef) -> Secret:
        self.reads_until_lost -= 1
        if self.reads_until_lost == 0:
            self.lost = StoreDown(StoreFault.SEALED, "the secret store is sealed")
        self._maybe_lost()
        return await super().read(ref)

    async def version(self, ref: CredentialRef) -> str:
        self._maybe_lost()
        return await super().version(ref)

    async def health(self) -> None:
        self._maybe_lost()

    def _maybe_lost(self) -> None:
        if self.lost is not None:
            raise self.lost


@dataclass
class Scene:
    """The parts of one test: say what an exchange answers, store keys, move the time, look at rows."""

    db: Db
    store: Sealable
    sweeper: Sweeper
    time: datetime
    says: dict[CredentialRef, list[Reason]] = field(default_factory=dict)
    good: dict[CredentialRef, CheckResult] = field(default_factory=dict)  # what a good answer says of rights
    asked: list[CredentialRef] = field(default_factory=list)
    on_ask: Callable[[CredentialRef], None] = lambda _ref: None

    async def ask(self, ref: CredentialRef, _secret: Secret) -> CheckResult:
        """The next scripted answer of this key; the last one repeats, and silence is a good key."""
        self.asked.append(ref)
        self.on_ask(ref)
        script = self.says.get(ref, [Reason.OK])
        reason = script.pop(0) if len(script) > 1 else script[0]
        return self.good.get(ref, CheckResult(reason)) if reason is Reason.OK else CheckResult(reason)

    def now(self) -> datetime:
        return self.time

    async def key(
        self, *says: Reason, exchange: str = "kraken", tenant: UUID | None = None, leaf: str = ""
    ) -> CredentialRef:
        """Store a key whose exchange will say this."""
        ref = CredentialRef(tenant or new_id(), exchange, CredentialType.TRADING, leaf)
        await self.store.write(ref, {"api_key": "k", "api_secret": "s"})
        self.says[ref] = list(says) or [Reason.OK]
        return ref

    async def row(self, ref: CredentialRef) -> Row:
        row = await self.db.fetchrow(
            "SELECT * FROM credentials WHERE tenant_id = $1 AND exchange = $2 AND label = $3",
            ref.tenant_id,
            ref.exchange,
            ref.label,
        )
        assert row is not None
        return row

    async def events(self, ref: CredentialRef | None = None) -> list[str]:
        rows = await self.db.fetch(
            "SELECT type FROM events WHERE tenant_id IS NOT DISTINCT FROM $1 ORDER BY created_at, id",
            ref.tenant_id if ref else None,
        )
        return [row["type"] for row in rows]


@asynccontextmanager
async def scene(
    db: Db,
    folder: Path,
    now: datetime,
    *,
    strikes: int = 3,
    tries: int = 1,
    confirm: tuple[timedelta, ...] = (),
    aloud: bool = True,
    interval: timedelta = SIX_HOURS,
    mass: float = 0.0,
) -> AsyncIterator[Scene]:
    store = Sealable(folder / "secrets", Cipher([KEY]))
    rules = Rules(
        Policy(strikes, timedelta(hours=24)),
        timedelta(hours=1),
        aloud=aloud,
        max_tenants=10,
        expiry_warning_days=(14, 7, 1),
    )
    pace = Pace(
        interval,
        spread=True,
        confirm_delays=confirm,
        patience=Patience(tries, timedelta(0)),
    )
    recorder = Recorder(db, rules, MassWatch(db, fraction=mass, interval=interval))
    made: Scene

    async def ask(ref: CredentialRef, secret: Secret) -> CheckResult:
        return await made.ask(ref, secret)

    sweeper = Sweeper(
        Outside(db=db, secrets=store, ask=ask, now=lambda: made.now()),
        pace=pace,
        recorder=recorder,
        inventory=Inventory(db, store),
        watch=StoreWatch(db, store, lambda: made.now()),
    )
    made = Scene(db, store, sweeper, now)
    writing = asyncio.create_task(recorder.run())
    try:
        yield made
    finally:
        writing.cancel()
