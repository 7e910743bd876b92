"""Everything decided before a server starts: folders, account, programs, socket; and the data made if missing."""

import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from alertd.errors import ConfigError
from alertd.postgres.account import Account, give, name_of, reaches, server_account
from alertd.postgres.binaries import runnable_binaries
from alertd.postgres.data import choose_data, create_data, end_former_server, inside, outside, require_major
from alertd.postgres.record import Record, adopt, read_record
from alertd.postgres.server import PORT, Cluster

LOG_BYTES: Final = 10_000_000
# The kernel's limit is 107 (Linux) or 103; a comma would make two addresses of one in a DSN.
SOCKET_BYTES: Final = 100
PLAIN_PATH: Final = re.compile(r"[\w/.+@-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A state folder and the names in it."""

    state_dir: Path
    binaries: Path
    public_dir: Path
    patience: timedelta

    @classmethod
    def at(cls, state_dir: Path, *, binaries: Path, public_dir: Path, patience: timedelta) -> Self:
        """Makes the folder. Root makes it passable, because the server's account must get to its data."""
        state_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        return cls(state_dir.resolve(), binaries, public_dir, patience)

    @property
    def daemon_lock(self) -> Path:
        return self.state_dir / "alertd.lock"

    @property
    def server_lock(self) -> Path:
        return self.state_dir / "postgres.lock"

    @property
    def users_lock(self) -> Path:
        return self.state_dir / "postgres.users"

    @property
    def log(self) -> Path:
        return self.state_dir / "postgres.log"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cluster that is ready to start."""

    cluster: Cluster
    user: str
    version: str

    def tidy(self) -> None:
        """Remove a socket folder that was made for this run."""
        if self.cluster.sockets != self.cluster.data:
            with suppress(OSError):
                self.cluster.sockets.rmdir()


async def prepare(place: Place) -> Prepared:
    """The caller holds the server lock. Raises ConfigError for what only the operator can mend."""
    record = read_record(place.state_dir)
    data = _existing_data(place, record)
    account = server_account(data or inside(place.state_dir))
    binaries = runnable_binaries(place.binaries, account, public_dir=place.public_dir)
    if data is None:
        data = choose_data(place.state_dir, account, public_dir=place.public_dir)
    elif not reaches(account, data.parent):
        message = f"state_dir: {name_of(account)}, who owns {data}, cannot get there; chmod o+x the folders above"
        raise ConfigError([message])
    _open_log(place)
    sockets = _socket_dir(data, record, account)
    cluster = Cluster(data=data, sockets=sockets, binaries=binaries.folder, log=place.log, account=account)
    await end_former_server(data, sockets, patience=place.patience)
    if not _is_filled(data):
        await create_data(cluster)
    require_major(data, binaries)
    return Prepared(cluster, name_of(account), binaries.version)


def is_private(folder: Path, *, uid: int) -> bool:
    """Whether this is a real folder of that user which nobody else can use."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and found.st_mode & 0o077 == 0


def _existing_data(place: Place, record: Record | None) -> Path | None:
    """Where the data is; None where none was ever made. Never an empty start in place of lost data."""
    if _is_filled(here := inside(place.state_dir)):
        return here
    if record is None:
        elsewhere = outside(place.state_dir, public_dir=place.public_dir)
        return elsewhere if _is_filled(elsewhere) else None
    if _is_filled(recorded := Path(record.data_dir)):
        return recorded
    message = (
        f"state_dir: the database of {place.state_dir} was in {recorded}, which is gone;"
        " restore it, or remove postgres.json to start with an empty one"
    )
    raise ConfigError([message])


def _is_filled(folder: Path) -> bool:
    """An empty one may be a mount point; of a new volume, or of one that is missing today."""
    return folder.exists() and any(folder.iterdir())


def _socket_dir(data: Path, record: Record | None, account: Account | None) -> Path:
    """The data folder; a private short one where that path does not do as an address."""
    if len(os.fsencode(data)) <= SOCKET_BYTES - len(f"/.s.PGSQL.{PORT}") and PLAIN_PATH.fullmatch(str(data)):
        return data
    uid = os.geteuid() if account is None else account.uid
    if record is not None and is_private(Path(record.socket_dir), uid=uid):
        return Path(record.socket_dir)
    short = Path(tempfile.mkdtemp(prefix="alertd-", dir="/tmp"))
    give(short, account)
    return short


def _open_log(place: Place) -> None:
    """Make the log, and put one that has grown aside; ours, not the account's: the server only appends."""
    log = place.log
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        adopt(descriptor, place.state_dir)
    finally:
        os.close(descriptor)
