"""Are two and four daemons on one database faster than one, fair, within the limits, and soon there for each other?

    python benchmarks/daemons.py            in about three minutes
    python benchmarks/daemons.py --full     five times as much of everything

Every daemon is `alertd run`, a process of its own, on one PostgreSQL that waits for the disk, with keys in sealed
files and settings as by default but for the exchange's limit. Exchange and receiver answer as late as real ones do.
What bounds deliveries is then the time that a daemon waits for answers, until the cores are busy; what bounds checks
of one exchange is that its budget is handed out in turns, and how many keys one daemon asks about at a time.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alertd.alerts.occurrence_store import LEASE as OCCURRENCE_LEASE
from alertd.config import Settings
from alertd.credentials.leases import LEASE as CHECK_LEASE
from alertd.postgres.server import Cluster
from alertd.webhooks.sender import MARGIN
from benchmarks.crowd.failover import KEYS, Takeover, takeover
from benchmarks.crowd.ground import Ground, open_ground, open_server
from benchmarks.crowd.outside import Outside, open_outside
from benchmarks.crowd.together import CROWDS, LIMIT, Limited, Size, Worked, limit, throughput
from benchmarks.report import Aim, conclude

SIZE: Final = Size(checks=2_500, deliveries=1_500)
LIMIT_SECONDS: Final = 10.0
FULL: Final = 5
# Daemons take turns at one exchange, a fifth of a second each, whatever its limit: more of them must not be slower. The
# cores are shared with the database and the receiver, so four daemons cannot deliver four times as fast.
TIMES_AIM: Final = {"checks": {2: 1.0, 4: 1.0}, "deliveries": {2: 1.6, 4: 2.0}}
UNFAIR_AIM: Final = 1.5
LIMIT_ERROR: Final = 0.05
LEASES: Final = {
    "checks": CHECK_LEASE.total_seconds(),
    "deliveries": Settings(state_dir=Path()).webhooks.timeout_seconds + MARGIN.total_seconds(),
    "occurrences": OCCURRENCE_LEASE.total_seconds(),
}
SLACK_SECONDS: Final = 3.0  # until the other one looks, and for the work itself

Speeds = Mapping[tuple[str, int], Worked]


async def main(*, full: bool) -> None:
    times = FULL if full else 1
    size = Size(SIZE.checks * times, SIZE.deliveries * times)
    with ExitStack() as stack:
        outsides = [stack.enter_context(open_outside()) for _ in range(3)]
        async with open_server() as cluster:
            async with open_ground(cluster, outsides[0], "crowd", keys=size.checks * max(CROWDS)) as ground:
                speeds = await _speeds(ground, size)
                limited = await limit(ground, seconds=LIMIT_SECONDS * times)
            killed, stopped = await asyncio.gather(
                _taken_over(cluster, outsides[1], "killed", signal.SIGKILL),
                _taken_over(cluster, outsides[2], "stopped", signal.SIGSTOP),
            )
    conclude(
        "daemons --full" if full else "daemons",
        aims=[*_speed_aims(speeds), _limit_aim(limited), *_takeover_aims(killed, stopped)],
        figures=_figures(speeds, limited, {"killed": killed, "stopped": stopped}),
    )


async def _speeds(ground: Ground, size: Size) -> Speeds:
    print(f"{'':14}{'a second':>10}{'CPU ms each':>14}{'of PostgreSQL':>15}   of it each daemon", flush=True)
    speeds = {}
    async for count, work, worked in throughput(ground, size):
        speeds[work, count] = worked
        each = ", ".join(f"{part / sum(worked.parts):.0%}" for part in worked.parts)
        costs = f"{worked.cpu_ms:>14.2f}{worked.postgres_ms:>15.2f}"
        print(f"{count} x {work:10}{worked.per_second:>10,.0f}{costs}   {each}", flush=True)
    return speeds


async def _taken_over(cluster: Cluster, outside: Outside, name: str, by: signal.Signals) -> Takeover:
    """On a database of its own, as both are measured at the same time."""
    async with open_ground(cluster, outside, name, keys=KEYS) as ground:
        return await takeover(ground, by)


def _speed_aims(speeds: Speeds) -> Iterator[Aim]:
    for work, hoped in TIMES_AIM.items():
        for count, aim in hoped.items():
            times = speeds[work, count].per_second / speeds[work, 1].per_second
            yield Aim(f"{work}: {count} daemons are {times:.2f} times as fast as one (at least {aim:g})", times >= aim)
    for work in TIMES_AIM:
        unfair = speeds[work, max(CROWDS)].unfairness
        text = f"{work}: of {max(CROWDS)} daemons the busiest did {unfair:.2f} times as much as the idlest"
        yield Aim(f"{text} (at most {UNFAIR_AIM:g})", unfair <= UNFAIR_AIM)


def _limit_aim(limited: Limited) -> Aim:
    text = f"{max(CROWDS)} daemons are {limited.error:+.1%} off a limit of {LIMIT:.0f}/s, {limited.busiest:+.1%} in the"
    met = abs(limited.error) <= LIMIT_ERROR and limited.busiest <= LIMIT_ERROR
    return Aim(f"{text} busiest second (at most {LIMIT_ERROR:.0%})", met)


def _takeover_aims(killed: Takeover, stopped: Takeover) -> Iterator[Aim]:
    for name, found in (("killed", killed), ("stopped", stopped)):
        for work, seconds in found.seconds.items():
            most = LEASES[work] + SLACK_SECONDS
            text = f"{work} of a {name} daemon are done by another one after {seconds:.1f} s"
            yield Aim(f"{text} (at most {most:.0f}: the lease, and {SLACK_SECONDS:.0f})", seconds <= most)
        yield Aim(f"what a {name} daemon had begun was done {found.twice} times too often (0)", found.twice == 0)


def _figures(speeds: Speeds, limited: Limited, takeovers: Mapping[str, Takeover]) -> dict[str, float]:
    figures = {"limit.error": limited.error, "limit.busiest_error": limited.busiest}
    for (work, count), worked in speeds.items():
        figures[f"{work} by {count}.per_second"] = worked.per_second
        figures[f"{work} by {count}.times"] = worked.per_second / speeds[work, 1].per_second
        figures[f"{work} by {count}.unfairness"] = worked.unfairness
        figures[f"{work} by {count}.cpu_ms"] = worked.cpu_ms
        figures[f"{work} by {count}.postgres_cpu_ms"] = worked.postgres_ms
    for name, found in takeovers.items():
        figures |= {f"{name}.{work}_s": seconds for work, seconds in found.seconds.items()}
        figures |= {f"{name}.longest_s": found.longest, f"{name}.twice": found.twice}
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"{FULL} times the work")
    uvloop.run(main(full=parser.parse_args().full))
