"""Where it is measured: what says how far to trust the figures, and nothing of whose machine it is."""

import os
import platform
from dataclasses import dataclass
from typing import Final

QUIET_LOAD: Final = 0.25  # of each core


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is how many processes had or wanted a core in the minute before the first script."""

    cores: int
    python: str
    load: float

    @property
    def quiet(self) -> bool:
        return self.load <= QUIET_LOAD * self.cores


def this() -> Machine:
    return Machine(os.cpu_count() or 1, platform.python_version(), round(os.getloadavg()[0], 2))
