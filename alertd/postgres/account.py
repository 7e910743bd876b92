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
SHELL: Final = "/bin/sh"


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

    An existing folder keeps its owner, so that `sudo alertd sweep` does not lock out its user.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _entry_of(owner, data)
    for name in CANDIDATES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise ConfigError(
        [f"database.dsn: no account {' or '.join(CANDIDATES)} here to run the embedded PostgreSQL; set a DSN"]
    )


def identity(account: Account | None) -> Identity:
    return Identity() if account is None else Identity(user=account.uid, group=account.gid, extra_groups=[])


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder of ours to the account."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether the account can go through this folder; asked as that account: ACLs and mounts count too."""
    answer = subprocess.run(  # noqa: S603 - fixed command, the path is an argument
        [SHELL, "-c", 'cd "$0"', folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        check=False,
        **identity(account),
    )
    return answer.returncode == 0


def _entry_of(uid: int, data: Path) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        message = f"state_dir: {data} belongs to uid {uid}, which has no account; give it to one (chown -R)"
        raise ConfigError([message]) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
