"""What daemons need to work on: a PostgreSQL that waits for the disk, sealed keys, and tenants with endpoints."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from alertd.cipher import Cipher, load_or_create_key
from alertd.config import Settings
from alertd.credentials.inventory import Inventory
from alertd.db import Db, apply_schema, new_id, open_db
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, dsn_of, running_server
from alertd.secretstore import open_store
from alertd.webhooks import endpoints, outbox
from alertd.webhooks.endpoints import Draft
from benchmarks.checking.stores import fill_files
from benchmarks.crowd.outside import Outside
from benchmarks.delivering.ways import event
from tests.e2e.daemon import Home

UNLIMITED: Final = 1e6
LATER: Final = timedelta(hours=6)
SOON: Final = timedelta(seconds=2)  # time to tidy up, so that no daemon is slowed down by how the work was given out


@dataclass(frozen=True, slots=True)
class Ground:
    """One database and one folder of keys that any number of daemons share."""

    home: Home
    dsn: str
    db: Db
    cipher: Cipher
    outside: Outside

    def given(self, *, rate: float = UNLIMITED) -> Mapping[str, object]:
        """The settings of each daemon; what is not said here is as by default."""
        return {
            "ALERTD_DATABASE__DSN": self.dsn,
            "ALERTD_SECRETS__BACKEND": "file",
            "ALERTD_CREDENTIALS__SPREAD": "false",  # or a key may be due again a moment after it was checked
            "ALERTD_EXCHANGES__BINANCE__CONNECT_TO": self.outside.exchange,
            "ALERTD_EXCHANGES__BINANCE__REQUESTS_PER_SECOND": rate,
            "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
            "ALERTD_WEBHOOKS__PORTS": "[]",
            "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
        }

    async def all_later(self) -> None:
        """No key is due for hours."""
        await self.db.execute("UPDATE credentials SET next_check_at = $1", datetime.now(UTC) + LATER)

    async def due(self, keys: int) -> datetime:
        """Make so many keys due, soon and all at once; answers when."""
        soon = datetime.now(UTC) + SOON
        await self.db.execute("UPDATE credentials SET next_check_at = $1 WHERE label::integer < $2", soon, keys)
        await self.db.execute("VACUUM ANALYZE credentials")
        return soon

    async def tenants(self, count: int) -> list[UUID]:
        """New ones, with an endpoint each."""
        now, ids = datetime.now(UTC), [new_id() for _ in range(count)]
        async with self.db.transaction() as tx:
            for tenant_id in ids:
                await tx.execute("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", tenant_id, now)
                draft = Draft(tenant_id, f"{self.outside.receiver}/healthy/{tenant_id}")
                await endpoints.add(tx, draft, cipher=self.cipher, now=now)
        return ids

    async def queue(self, tenants: Sequence[UUID], *, each: int) -> datetime:
        """So many messages to each, due soon and all at once; answers when."""
        for _ in range(each):
            for tenant_id in tenants:
                await self._announce(tenant_id, datetime.now(UTC) + LATER)
        soon = datetime.now(UTC) + SOON
        async with self.db.transaction() as tx:
            await tx.execute("UPDATE webhook_deliveries SET next_attempt_at = $1 WHERE state = 'pending'", soon)
            await tx.execute("UPDATE tenant_webhooks SET next_due_at = $1 WHERE next_due_at IS NOT NULL", soon)
        await self.db.execute("VACUUM ANALYZE tenant_webhooks, webhook_deliveries, events")
        return soon

    async def _announce(self, tenant_id: UUID, at: datetime) -> None:
        async with self.db.transaction() as tx:
            await tx.execute("SET LOCAL synchronous_commit = off")
            await outbox.enqueue(tx, event(tenant_id, str(new_id())), now=at, window=None)


@asynccontextmanager
async def open_server() -> AsyncIterator[Cluster]:
    """A PostgreSQL as alertd's own, with settings as by default."""
    with _folder() as folder:
        data = folder / "db"
        cluster = Cluster(
            data=data, sockets=data, binaries=find_binaries(), log=folder / "db.log", account=server_account(data)
        )
        await create_data(cluster)
        async with running_server(cluster):
            yield cluster


@asynccontextmanager
async def open_ground(cluster: Cluster, outside: Outside, name: str, *, keys: int) -> AsyncIterator[Ground]:
    """A new database of this name that knows so many keys, none of them due."""
    with _folder() as folder:
        home = Home(folder)
        home.state.mkdir(mode=0o711)
        fill_files(home.state, keys)
        cipher = load_or_create_key(None, home.state, ciphertext_exists=True)
        async with open_db(cluster.dsn, pool_size=1) as server:
            await server.execute(f"CREATE DATABASE {name}")
        dsn = dsn_of(cluster.sockets, database=name)
        async with (
            open_db(dsn, pool_size=4) as db,
            open_store(Settings(state_dir=home.state), cipher) as store,
        ):
            await apply_schema(db)
            await Inventory(db, store).discover(datetime.now(UTC))
            ground = Ground(home, dsn, db, cipher, outside)
            await ground.all_later()
            await db.execute("VACUUM ANALYZE")
            yield ground


@contextmanager
def _folder() -> Iterator[Path]:
    """One that the database's account can get through."""
    folder = Path(tempfile.mkdtemp(prefix="alertd-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
