"""A PostgreSQL of the scene's own, and how it is broken."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from alertd.db import Db, open_db
from alertd.errors import Transient
from alertd.postgres.account import server_account
from alertd.postgres.binaries import find_binaries
from alertd.postgres.data import create_data
from alertd.postgres.server import Cluster, running_server
from tests.faults.disk import Disk, opened_disk
from tests.faults.lasting import lasting
from tests.faults.plan import Full, Strike

CRASH: Final = ((signal.SIGQUIT, 10.0),)  # writes nothing down: the next start recovers from the log
SEGMENTS: Final = 20  # more than max_wal_size keeps
OTHERS: Final = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@dataclass
class Database:
    """It runs, or somebody who holds `_turn` is about to start it again. What breaks it says how many felt it."""

    cluster: Cluster
    disk: Disk
    _process: subprocess.Popen[bytes] | None = None
    _server: AsyncExitStack = field(default_factory=AsyncExitStack)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def dsn(self) -> str:
        return self.cluster.dsn

    async def start(self) -> None:
        running = running_server(self.cluster, stopping=CRASH)
        self._process = await self._server.enter_async_context(running)

    async def crash(self) -> None:
        await self._server.aclose()

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[Db]:
        """Nobody breaks it meanwhile."""
        async with self._turn, open_db(self.dsn, pool_size=1) as db:
            yield db

    async def do(self, statements: Iterable[str]) -> None:
        """One after the other; one that meets the daemons in a deadlock is said again."""
        async with self.undisturbed() as db:
            for each in statements:
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception_type(Transient), stop=stop_after_attempt(9)
                ):
                    with attempt:
                        await db.execute(each)

    async def kill(self, strike: Strike) -> int:
        """When somebody is connected, which daemons that are only starting are not."""
        async with self._turn:
            async with open_db(self.dsn, pool_size=1) as db:
                while not (felt := int(await db.fetchval(f"SELECT count(*) {OTHERS}"))):
                    await asyncio.sleep(0.05)
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

    async def fill_disk(self, strike: Strike) -> int:
        if not self.disk.small:
            return 0
        async with self._turn:
            self.disk.fill()
            if Full(strike.way) is Full.LOG:
                await self._end_log()
            felt = await lasting(strike.seconds, self._no_room)
            self.disk.empty()
            await self._again()
        return felt

    async def _end_log(self) -> None:
        """Segments that are kept for later are used up, and the next word needs a new one."""
        with suppress(Transient):
            async with open_db(self.dsn, pool_size=1) as db:
                for _ in range(SEGMENTS):
                    await db.execute("SELECT pg_logical_emit_message(false, 'full', ''), pg_switch_wal()")

    def _no_room(self) -> int:
        return self.cluster.log.read_bytes().count(b"No space left on device")

    async def _again(self) -> None:
        """A server that is dead is started; one that recovers by itself is waited for."""
        while not await self._answers():
            if self._process is not None and self._process.poll() is not None:
                await self.crash()
                await self.start()
            await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        with suppress(Transient):
            async with open_db(self.dsn, pool_size=1) as db:
                return await db.fetchval("SELECT true") is True
        return False


@asynccontextmanager
async def open_database(folder: Path) -> AsyncIterator[Database]:
    """`folder` must be one that the server's account can get through."""
    with opened_disk(folder / "disk") as disk:
        data = disk.folder / "db"
        cluster = Cluster(
            data=data,
            sockets=data,
            binaries=find_binaries(),
            log=folder / "db.log",
            account=server_account(data),
            settings={"max_wal_size": "128MB"},
        )
        await create_data(cluster, options=["--no-sync"])
        database = Database(cluster, disk)
        await database.start()
        try:
            yield database
        finally:
            await database.crash()
