"""The account the embedded server runs as: PostgreSQL refuses to run as root, so root lends it another."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from alertd.errors import ConfigError

# An account without a passwd entry is of no use: initdb looks its own name up.
CANDIDATES: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A passwd entry that root hands the server to."""

    name: str
    uid: int
    gid: int


class Identity(TypedDict, total=False):
    """The `subprocess` arguments that make a child run as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def server_account(data: Path) -> Account | None:
    """Who the server of this data folder runs as; None: as we ourselves do.

    The owner of the folder, or of the one it will be made in, goes before our candidates: `sudo alertd sweep`
    must not lock out the user whose daemon lives there.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _of_uid(owner, data)
    parent_owner = data.parent.stat().st_uid if data.parent.exists() else 0
    return _of_uid(parent_owner, data.parent) if parent_owner != 0 else _candidate()


def identity(account: Account | None) -> Identity:
    return Identity() if account is None else Identity(user=account.uid, group=account.gid, extra_groups=[])


def name_of(account: Account | None) -> str:
    """For messages and records; a uid where we ourselves have no name."""
    if account is not None:
        return account.name
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder of ours to the account."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether the account can go through this folder; asked as that account: ACLs and mounts count too."""
    if account is None:
        return True
    answer = subprocess.run(  # noqa: S603 - fixed command, the path is an argument
        ["/bin/sh", "-c", 'cd "$0"', folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        check=False,
        **identity(account),
    )
    return answer.returncode == 0


def _of_uid(uid: int, folder: Path) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        message = f"state_dir: {folder} belongs to uid {uid}, which has no account here; give it to one (chown -R)"
        raise ConfigError([message]) from None


def _candidate() -> Account:
    for name in CANDIDATES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    names = " or ".join(CANDIDATES)
    raise ConfigError([f"database.dsn: no account {names} here to run the embedded PostgreSQL; set a DSN"])


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
