"""Connections: short statements through `Db`, several as one through `Db.transaction()`."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, Protocol

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from alertd.db.faults import our_errors, place_of
from alertd.errors import AlertdError, ConfigError, Transient

log = structlog.get_logger(__name__)

Row = asyncpg.Record

CONNECT_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 30.0
SCRIPT_SECONDS: Final = 3600.0
CLOSE_SECONDS: Final = 10.0
SETTINGS: Final = {
    "application_name": "alertd",
    "timezone": "UTC",
    "search_path": "public",
    # A process that is stopped within a transaction must not keep its locks from the others.
    "idle_in_transaction_session_timeout": "60s",
}
NOT_A_DSN: Final = "database.dsn: not a postgresql:// address; special characters in its password are written %XX"
# Waiting does not mend these.
WRONG_DSN: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


class Sql(Protocol):
    """What a statement needs: `Db` (each statement its own transaction) or `Tx`."""

    async def execute(self, sql: str, *args: object) -> int:
        """Answers the number of rows affected."""
        ...

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """All rows or none."""
        ...

    async def fetch(self, sql: str, *args: object) -> list[Row]: ...

    async def fetchrow(self, sql: str, *args: object) -> Row | None: ...

    async def fetchval(self, sql: str, *args: object) -> Any:
        """The first column of the first row; None without a row."""
        ...


class Tx:
    """One open transaction."""

    def __init__(self, connection: "PoolConnectionProxy[Row]", place: str) -> None:
        self._connection = connection
        self._place = place

    async def execute(self, sql: str, *args: object) -> int:
        with our_errors(sql, self._place):
            return _rows_affected(await self._connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with our_errors(sql, self._place):
            await self._connection.executemany(sql, rows)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        with our_errors(sql, self._place):
            return await self._connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        with our_errors(sql, self._place):
            return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        with our_errors(sql, self._place):
            return await self._connection.fetchval(sql, *args)

    async def script(self, sql: str) -> None:
        """Several statements without arguments, under a limit that suits a migration."""
        with our_errors(sql, self._place):
            await self._connection.execute(sql, timeout=SCRIPT_SECONDS)


class Db:
    """The pool. Raises Transient when the server cannot be asked, Conflict for what is already there."""

    def __init__(self, pool: "asyncpg.Pool[Row]", place: str) -> None:
        self._pool = pool
        self.place = place

    async def execute(self, sql: str, *args: object) -> int:
        async with self._connection() as connection:
            return await connection.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        async with self._connection() as connection:
            await connection.executemany(sql, rows)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        async with self._connection() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        async with self._connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        async with self._connection() as connection:
            return await connection.fetchval(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Commits at the end of the block; an exception in it rolls back and passes through."""
        with our_errors("connect", self.place):
            connection = await self._pool.acquire(timeout=CONNECT_SECONDS)
        try:
            transaction = connection.transaction()
            with our_errors("BEGIN", self.place):
                await transaction.start()
            try:
                yield Tx(connection, self.place)
            except BaseException:
                # Where the rollback cannot be said, the lost connection says it.
                with suppress(AlertdError), our_errors("ROLLBACK", self.place):
                    await transaction.rollback()
                raise
            with our_errors("COMMIT", self.place):
                await transaction.commit()
        finally:
            with our_errors("disconnect", self.place):
                await self._pool.release(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Tx]:
        with our_errors("connect", self.place):
            connection = await self._pool.acquire(timeout=CONNECT_SECONDS)
        try:
            yield Tx(connection, self.place)
        finally:
            with our_errors("disconnect", self.place):
                await self._pool.release(connection)


@asynccontextmanager
async def open_db(dsn: str, *, pool_size: int = 10, patience: timedelta = timedelta(seconds=30)) -> AsyncIterator[Db]:
    """Connect, trying for `patience` while the server does not answer, and close at the end.

    Raises Transient when that was in vain, ConfigError for a DSN that cannot be right.
    """
    if (place := place_of(dsn)) is None:
        raise ConfigError([NOT_A_DSN])
    pool = await _connected_pool(dsn, place=place, pool_size=pool_size, patience=patience)
    try:
        yield Db(pool, place)
    finally:
        await _close(pool)


async def _connected_pool(dsn: str, *, place: str, pool_size: int, patience: timedelta) -> "asyncpg.Pool[Row]":
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Transient),
        stop=stop_after_delay(patience),
        wait=wait_exponential(multiplier=0.1, max=2),
        reraise=True,
    ):
        with attempt:
            return await _pool(dsn, place=place, pool_size=pool_size)
    raise AssertionError("unreachable: the last attempt returns or raises")


async def _pool(dsn: str, *, place: str, pool_size: int) -> "asyncpg.Pool[Row]":
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # a traceback a second while the database is away
    try:
        with our_errors("connect", place):
            return await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=pool_size,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                server_settings=SETTINGS,
                init=_prepare,
                reset=_keep,
            )
    except Transient as exc:
        if isinstance(exc.__cause__, WRONG_DSN):
            raise ConfigError([f"database.dsn: {exc}"]) from None
        raise
    except (ValueError, asyncpg.ClientConfigurationError):
        # The driver's text may quote the DSN.
        raise ConfigError([NOT_A_DSN]) from None


async def _prepare(connection: "asyncpg.Connection[Row]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _keep(_connection: object) -> None:
    """What a connection needs between two uses: nothing, the driver has rolled back what was open.

    The driver's own reset would double the time of a short statement. So settings are SET LOCAL, and locks
    are those of a transaction.
    """


async def _close(pool: "asyncpg.Pool[Row]") -> None:
    """Wait for connections that are still lent, but not for ever: a hanging server must not keep us."""
    try:
        await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        log.warning("Database connections did not close in time")
        pool.terminate()


def _rows_affected(status: str) -> int:
    """From the command tag: `UPDATE 3`, `INSERT 0 1`; a tag without a number means none."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0
