"""What a daemon's wall clock and name servers say, and the file by which it is told."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.faults.plan import Lookup

FORBIDDEN: Final = "10.0.0.5"  # an address of somebody's own network


@dataclass(frozen=True, slots=True)
class World:
    """`ahead` is how many seconds the clock is wrong, `lookup` what is wrong with names, if anything is."""

    ahead: float = 0.0
    lookup: Lookup | None = None


def write_world(file: Path, world: World) -> None:
    """In one step: whoever reads it sees the old one or the new one."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(world)))
    draft.replace(file)


def read_world(file: Path) -> World:
    given = json.loads(file.read_text())
    return World(given["ahead"], given["lookup"] and Lookup(given["lookup"]))
