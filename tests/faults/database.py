"""A PostgreSQL of the scene's own, and how it is broken."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alertd.db import Db, open_db
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, running_server
from tests.faults.plan import Strike

CRASH: Final = ((signal.SIGQUIT, 10.0),)  # writes nothing down: the next start recovers from the log
OTHERS: Final = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@dataclass
class Database:
    """It runs, or somebody who holds `_turn` is about to start it again. What breaks it says how many felt it."""

    cluster: Cluster
    _server: AsyncExitStack = field(default_factory=AsyncExitStack)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def dsn(self) -> str:
        return self.cluster.dsn

    async def start(self) -> None:
        await self._server.enter_async_context(running_server(self.cluster, stopping=CRASH))

    async def crash(self) -> None:
        await self._server.aclose()

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[Db]:
        """Nobody breaks it meanwhile."""
        async with self._turn, open_db(self.dsn, pool_size=1) as db:
            yield db

    async def kill(self, strike: Strike) -> int:
        async with self._turn:
            async with open_db(self.dsn, pool_size=1) as db:
                felt = int(await db.fetchval(f"SELECT count(*) {OTHERS}"))
            await self.crash()
            await asyncio.sleep(strike.seconds)
            await self.start()
        return felt

    async def drop_connections(self, strike: Strike) -> int:
        """Again and again, so that those who come back are met as well."""
        felt, end = 0, time.monotonic() + strike.seconds
        async with self.undisturbed() as db:
            while time.monotonic() < end or not felt:
                felt += len(await db.fetch(f"SELECT pg_terminate_backend(pid) {OTHERS}"))
                await asyncio.sleep(0.05)
        return felt


@asynccontextmanager
async def open_database(folder: Path) -> AsyncIterator[Database]:
    """`folder` must be one that the server's account can get through."""
    data = folder / "db"
    cluster = Cluster(
        data=data, sockets=data, binaries=find_binaries(), log=folder / "db.log", account=server_account(data)
    )
    await create_data(cluster, options=["--no-sync"])
    database = Database(cluster)
    await database.start()
    try:
        yield database
    finally:
        await database.crash()
