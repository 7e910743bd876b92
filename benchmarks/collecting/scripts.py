"""What `make bench` runs, in this order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1]
BESIDE: Final = frozenset({"__init__", "__main__", "report"})  # files in that folder that measure nothing


@dataclass(frozen=True, slots=True)
class Script:
    """`full`: it knows `--full`, which takes long."""

    name: str
    options: tuple[str, ...] = ()
    full: bool = False


SCRIPTS: Final = (
    Script("startup"),
    Script("checks", full=True),
    Script("webhooks"),
    Script("http_clients"),
    Script("api", full=True),
    Script("dashboard"),
    Script("performance"),
    Script("daemons", full=True),
    Script("scale"),
    Script("detection", ("--write",)),
)
