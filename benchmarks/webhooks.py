"""How fast are webhooks delivered, and do bad receivers delay good ones?

    python benchmarks/webhooks.py

Delivers the same message three ways with 100 in flight: as the published design does (a client for
each attempt), with bare aiohttp, and as alertd does, on an embedded PostgreSQL that waits for the
disk. Then measures the time from commit to arrival at 100 healthy endpoints, alone and beside 20
dead and 20 slow ones. The receiver has a process of its own. Takes about a minute.
"""

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.delivering import ours, ways
from benchmarks.delivering.ours import Latency
from benchmarks.delivering.receiver import Receiver, receiving
from benchmarks.delivering.speed import Speed
from benchmarks.report import Aim, conclude, flat

IN_FLIGHT: Final = 100
SECONDS: Final = 4.0
CROWDED: Final = {"tenants": 100, "each": 60}
SPARSE: Final = {"tenants": 3000, "each": 1}
ROUNDS: Final = 3
ROUND_SECONDS: Final = 4.0
AIM: Final = 20.0
AIM_P99: Final = 1.5
PUBLISHED: Final = "published: httpx, a client for each attempt"
BARE: Final = "bare aiohttp, nothing else"
CROWD: Final = "alertd, 60 messages to each of 100 endpoints"
SPREAD: Final = "alertd, 1 message to each of 3,000 endpoints"
ALONE: Final = "100 healthy endpoints alone"
BESIDE: Final = "beside 20 dead and 20 slow ones"

Rows = Mapping[str, Mapping[str, float]]


async def main(receiver: Receiver) -> None:
    speeds: dict[str, Speed] = {}
    for name, opening in ((PUBLISHED, ways.published), (BARE, ways.bare_aiohttp)):
        async with opening() as post:
            speeds[name] = await ways.measure(post, receiver.url("healthy/"), in_flight=IN_FLIGHT, seconds=SECONDS)
    async with ours.delivering(IN_FLIGHT) as core:
        gc.collect()
        gc.freeze()  # as the daemon does
        speeds[CROWD] = await ours.throughput(core, receiver, **CROWDED)
        speeds[SPREAD] = await ours.throughput(core, receiver, **SPARSE)
        traffic = ours.Traffic(core, receiver)
        await traffic.prepare()
        alone: list[Latency] = []
        beside: list[Latency] = []
        for _ in range(ROUNDS):
            alone.append(await traffic.run(seconds=ROUND_SECONDS, disturbed=False))
            beside.append(await traffic.run(seconds=ROUND_SECONDS, disturbed=True))
    fast, soon = rows_of(speeds), rows_between({ALONE: alone, BESIDE: beside})
    show(fast, soon)
    conclude("webhooks", aims=list(aims(fast, soon)), figures=flat({**fast, **soon}))


def rows_of(speeds: Mapping[str, Speed]) -> Rows:
    return {
        name: {
            "per_second": speed.per_second,
            "per_cpu_second": speed.per_cpu_second,
            "postgres_share": speed.postgres_seconds / (speed.cpu_seconds + speed.postgres_seconds),
            "times_published": speed.per_second / speeds[PUBLISHED].per_second,
            "of_bare": speed.per_second / speeds[BARE].per_second,
        }
        for name, speed in speeds.items()
    }


def rows_between(latencies: Mapping[str, Sequence[Latency]]) -> Rows:
    """Of several rounds in turn, the median: another process that wakes up in one of them tells nothing."""
    return {
        name: {
            "messages": sum(latency.messages for latency in rounds),
            "p50_ms": median(latency.p50 for latency in rounds),
            "p99_ms": median(latency.p99 for latency in rounds),
        }
        for name, rounds in latencies.items()
    }


def show(speeds: Rows, latencies: Rows) -> None:
    head = f"{f'{IN_FLIGHT} in flight':47}{'per s':>8}{'per CPU s':>11}{'of that PG':>12}{'x published':>13}"
    print(f"{head}{'of bare':>9}")
    for name, row in speeds.items():
        print(
            f"{name:47}{row['per_second']:>8,.0f}{row['per_cpu_second']:>11,.0f}{row['postgres_share']:>12.0%}"
            f"{row['times_published']:>13.1f}{row['of_bare']:>9.2f}"
        )
    print(f"\n{f'commit to arrival, median of {ROUNDS} rounds':47}{'messages':>8}{'p50 ms':>11}{'p99 ms':>12}")
    for name, row in latencies.items():
        print(f"{name:47}{row['messages']:>8,}{row['p50_ms']:>11.1f}{row['p99_ms']:>12.1f}")


def aims(speeds: Rows, latencies: Rows) -> Iterator[Aim]:
    slowest = min(speeds[name]["times_published"] for name in (CROWD, SPREAD))
    yield Aim(f"alertd delivers {slowest:.1f} times as fast as the published way (at least {AIM:.0f})", slowest >= AIM)
    ratio = latencies[BESIDE]["p99_ms"] / latencies[ALONE]["p99_ms"]
    text = f"p99 from commit to arrival beside dead and slow endpoints is {ratio:.2f} times the undisturbed"
    yield Aim(f"{text} (at most {AIM_P99})", ratio <= AIM_P99)


if __name__ == "__main__":
    with receiving() as opened:
        uvloop.run(main(opened))
