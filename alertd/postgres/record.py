"""What the state folder remembers of its server, for the next start and for commands beside a daemon."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "postgres.json"


@dataclass(frozen=True, slots=True)
class Record:
    """The server as it was last started; `data_dir` holds for ever, the rest while it runs."""

    data_dir: str
    socket_dir: str
    user: str
    version: str
    pid: int


def read_record(state_dir: Path) -> Record | None:
    """None before the first start, or when the file is damaged: all of it can be found out again."""
    try:
        fields = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
        return Record(**fields)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_record(state_dir: Path, record: Record) -> None:
    """At once or not at all; belongs to whom the state folder belongs to."""
    making = state_dir / f"{FILE}.new"
    making.unlink(missing_ok=True)
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        adopt(descriptor, state_dir)
        json.dump(asdict(record), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(descriptor)
    making.rename(state_dir / FILE)


def adopt(descriptor: int, state_dir: Path) -> None:
    """Give a new file to the owner of the state folder: what root leaves behind must not lock its user out."""
    if os.geteuid() == 0:
        owner = state_dir.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
