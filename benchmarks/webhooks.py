"""How fast are webhooks delivered, and do bad receivers delay good ones?

    python benchmarks/webhooks.py

Delivers the same message three ways with 100 in flight: as the published design does (a client for
each attempt), with bare aiohttp, and as alertd does, on an embedded PostgreSQL that waits for the
disk. Then measures the time from commit to arrival at 100 healthy endpoints, alone and beside 20
dead and 20 slow ones. The receiver has a process of its own. Takes about a minute.
"""

import gc
from collections.abc import Sequence
from statistics import median
from typing import Final

import uvloop

from benchmarks.delivering import ours, ways
from benchmarks.delivering.ours import Latency
from benchmarks.delivering.receiver import Receiver, receiving
from benchmarks.delivering.speed import Speed

IN_FLIGHT: Final = 100
SECONDS: Final = 4.0
CROWDED: Final = {"tenants": 100, "each": 60}
SPARSE: Final = {"tenants": 3000, "each": 1}
ROUNDS: Final = 3
ROUND_SECONDS: Final = 4.0
AIM: Final = 20.0
AIM_P99: Final = 1.5


async def main(receiver: Receiver) -> None:
    speeds: dict[str, Speed] = {}
    for name, opening in (
        ("published: httpx, client per attempt", ways.published),
        ("bare aiohttp", ways.bare_aiohttp),
    ):
        async with opening() as post:
            speeds[name] = await ways.measure(post, receiver.url("healthy/"), in_flight=IN_FLIGHT, seconds=SECONDS)
    async with ours.delivering(IN_FLIGHT) as core:
        gc.collect()
        gc.freeze()  # as the daemon does
        speeds["alertd, 60 messages to each of 100"] = await ours.throughput(core, receiver, **CROWDED)
        speeds["alertd, 1 message to each of 3,000"] = await ours.throughput(core, receiver, **SPARSE)
        traffic = ours.Traffic(core, receiver)
        await traffic.prepare()
        alone: list[Latency] = []
        beside: list[Latency] = []
        for _ in range(ROUNDS):
            alone.append(await traffic.run(seconds=ROUND_SECONDS, disturbed=False))
            beside.append(await traffic.run(seconds=ROUND_SECONDS, disturbed=True))
    print_speeds(speeds)
    print_latency(alone, beside)


def print_speeds(speeds: dict[str, Speed]) -> None:
    published, bare, *_ = speeds.values()
    print(
        f"{IN_FLIGHT} in flight{'':26}{'per s':>8}{'per CPU s':>11}{'of that PG':>12}{'x published':>13}{'of bare':>9}"
    )
    for name, speed in speeds.items():
        share = speed.postgres_seconds / (speed.cpu_seconds + speed.postgres_seconds)
        print(
            f"{name:39}{speed.per_second:>8,.0f}{speed.per_cpu_second:>11,.0f}{share:>12.0%}"
            f"{speed.per_second / published.per_second:>13.1f}{speed.per_second / bare.per_second:>9.2f}"
        )
    print(f"aim: {AIM:.0f} x published")


def print_latency(alone: Sequence[Latency], beside: Sequence[Latency]) -> None:
    """Of several rounds in turn, the median: another process that wakes up in one of them tells nothing."""
    print(f"\n{f'commit to arrival, median of {ROUNDS} rounds':39}{'messages':>8}{'p50 ms':>11}{'p99 ms':>12}")
    for name, rounds in (("100 healthy alone", alone), ("beside 20 dead and 20 slow", beside)):
        messages = sum(latency.messages for latency in rounds)
        p50, p99 = median(latency.p50 for latency in rounds), median(latency.p99 for latency in rounds)
        print(f"{name:39}{messages:>8,}{p50:>11.1f}{p99:>12.1f}")
    ratio = median(latency.p99 for latency in beside) / median(latency.p99 for latency in alone)
    print(f"p99 {ratio:.2f} times the undisturbed (aim: {AIM_P99})")


if __name__ == "__main__":
    with receiving() as opened:
        uvloop.run(main(opened))
