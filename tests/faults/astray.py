"""`alertd` with a wall clock and name servers that go by what a file says; all else is as it is.

python -m tests.faults.astray run, with $FAULTS_WORLD naming the file.
"""

import ipaddress
import json
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alertd import app
from alertd.cli import main
from alertd.webhooks.addresses import Address
from alertd.webhooks.dns import Names
from tests.faults.plan import Lookup
from tests.faults.worlds import FORBIDDEN, World, read_world

FILE: Final = Path(os.environ["FAULTS_WORLD"])
LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")
HANGS_SECONDS: Final = 3.0  # longer than a delivery may take
REAL_TIME: Final = time.time
REAL_TIME_NS: Final = time.time_ns


class Worlds:
    """The file as it is now; read again only when it was written anew."""

    def __init__(self) -> None:
        self._written = -1
        self._world = World()

    def __call__(self) -> World:
        written = FILE.stat().st_mtime_ns
        if written != self._written:
            self._world, self._written = read_world(FILE), written
        return self._world


def astray() -> None:
    world = Worlds()

    def look_up(host: str) -> tuple[Address, ...]:
        way = world().lookup
        if way is not None:
            print(json.dumps({"event": "Name server went astray", "way": way}), file=sys.stderr, flush=True)
        if way is Lookup.HANGS:
            time.sleep(HANGS_SECONDS)
        if way in (Lookup.HANGS, Lookup.FAILS):
            raise OSError("no name server answers")
        return (ipaddress.ip_address(FORBIDDEN),) if way is Lookup.LIES else (LOOPBACK,)

    time.time = lambda: REAL_TIME() + world().ahead
    time.time_ns = lambda: REAL_TIME_NS() + int(world().ahead * 1e9)
    now = lambda: datetime.fromtimestamp(time.time(), UTC)  # noqa: E731
    app.run.__kwdefaults__["world"] = replace(app.REAL_WORLD, now=now)
    Names.__init__.__defaults__ = (look_up,)


if __name__ == "__main__":
    astray()
    main()
