"""Who starts, shares and stops the server of a state folder: a daemon, commands beside it, commands alone.

Whoever holds `postgres.lock` runs the server as its child and stops it. Others hold `postgres.users`
together while they are connected. A command that started the server waits for them before it stops it; a
daemon does not wait: its stopping is the end for all.
"""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from alertd.errors import Busy, ConfigError, Transient
from alertd.postgres.binaries import find_binaries
from alertd.postgres.kept import kept_server
from alertd.postgres.locks import POLL_SECONDS, exclusive, holder, try_exclusive, try_shared
from alertd.postgres.place import Place, Prepared, is_private, prepare
from alertd.postgres.record import Record, read_record, write_record
from alertd.postgres.server import PORT, dsn_of, says_ready

log = structlog.get_logger(__name__)

# For what root runs as another account but keeps in a private folder: programs and data.
PUBLIC_DIR: Final = Path("/var/lib/alertd-postgres")
PATIENCE: Final = timedelta(seconds=30)
OPERATORS_TASK: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)


@asynccontextmanager
async def open_embedded(
    state_dir: Path,
    *,
    attach: bool,
    binaries: Path | None = None,
    public_dir: Path = PUBLIC_DIR,
    patience: timedelta = PATIENCE,
) -> AsyncIterator[str]:
    """A DSN of the PostgreSQL that lives in `state_dir`, made at first use.

    The daemon (`attach=False`) has the folder to itself: a second one gets Busy at once. A command
    (`attach=True`) uses the server that runs, or runs it for the duration. `patience` is how long to wait for
    somebody else's start or stop. `binaries` is a `bin` folder to use instead of the wheel's. Run it in the
    main thread: the server dies with the thread that started it.
    """
    async with AsyncExitStack() as stack:
        with _our_errors(state_dir):
            place = Place.at(state_dir, binaries=binaries or find_binaries(), public_dir=public_dir, patience=patience)
            dsn = await (_attach(place, stack) if attach else _occupy(place, stack))
        yield dsn


async def _occupy(place: Place, stack: AsyncExitStack) -> str:
    folder = place.state_dir
    if (alone := try_exclusive(place.daemon_lock)) is None:
        raise Busy(
            f"another alertd (pid {holder(place.daemon_lock)}) uses {folder};"
            " stop it, or give this one its own state_dir"
        )
    stack.enter_context(alone)
    if (ours := await exclusive(place.server_lock, patience=place.patience)) is None:
        raise Busy(
            f"an alertd command (pid {holder(place.server_lock)}) still runs the database in {folder};"
            " wait for it, or stop it"
        )
    stack.enter_context(ours)
    return await stack.enter_async_context(_server(place))


async def _attach(place: Place, stack: AsyncExitStack) -> str:
    give_up = time.monotonic() + place.patience.total_seconds()
    while True:
        if (ours := try_exclusive(place.server_lock)) is not None:
            stack.enter_context(ours)
            return await stack.enter_async_context(_lent_server(place))
        if (guest := try_shared(place.users_lock)) is not None:
            if (dsn := _answering(place)) is not None:
                stack.enter_context(guest)
                return dsn
            guest.release()
        if time.monotonic() > give_up:
            raise Transient(
                f"alertd (pid {holder(place.server_lock)}) runs the database in {place.state_dir},"
                " but it does not accept connections yet; try again"
            )
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _server(place: Place) -> AsyncIterator[str]:
    prepared = await prepare(place)

    def started(pid: int) -> None:
        write_record(place.state_dir, _record(prepared, pid))

    try:
        async with kept_server(prepared.cluster, started=started):
            yield prepared.cluster.dsn
    finally:
        prepared.tidy()


@asynccontextmanager
async def _lent_server(place: Place) -> AsyncIterator[str]:
    """The server of a command: others may come in, and the last one out closes the door.

    The door (the users' lock) stays closed until the server has stopped, so that nobody enters a house that
    is being torn down.
    """

    async def wait_for_guests(
        kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            return
        if (door := try_exclusive(place.users_lock)) is None:
            log.info("Waiting for the other commands that use this database")
            door = await exclusive(place.users_lock, patience=None)
        if door is not None:
            closed.enter_context(door)

    async with AsyncExitStack() as stack:
        closed = stack.enter_context(ExitStack())
        dsn = await stack.enter_async_context(_server(place))
        stack.push_async_exit(wait_for_guests)
        yield dsn


def _answering(place: Place) -> str | None:
    """The DSN of the server that somebody else runs here, once it accepts connections."""
    record = read_record(place.state_dir)
    if record is None or not says_ready(Path(record.data_dir)):
        return None
    sockets = Path(record.socket_dir)
    # A folder below /tmp could have been replaced by somebody else's.
    if not is_private(sockets, uid=Path(record.data_dir).stat().st_uid):
        return None
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(sockets / f".s.PGSQL.{PORT}"))
        except OSError:
            return None
    return dsn_of(sockets)


def _record(prepared: Prepared, pid: int) -> Record:
    cluster = prepared.cluster
    return Record(
        data_dir=str(cluster.data),
        socket_dir=str(cluster.sockets),
        user=prepared.user,
        version=prepared.version,
        pid=pid,
    )


@contextmanager
def _our_errors(state_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        message = f"state_dir: cannot run the embedded database in {state_dir}: {exc}"
        if exc.errno in OPERATORS_TASK:
            raise ConfigError([message]) from exc
        raise Transient(message) from exc
