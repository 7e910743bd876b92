"""What a check may cost, and what was found."""

from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.checking.asking import BARE, NAIVE, NAIVE_LIGHT, OURS
from benchmarks.checking.meter import Cost
from benchmarks.checking.sharing import RATE, Shared
from benchmarks.checking.vaulting import AIOHTTP, STORE
from benchmarks.report import Aim

SHARE_OF_BARE: Final = 0.6
TIMES_NAIVE: Final = 100.0
SWEEP_MS: Final = 1.0
GROWN_MB: Final = 50.0
STALL_MS: Final = 50.0
LIMIT_ERROR: Final = 0.05
SAVED_SHARE: Final = 0.01
KEYS: Final = 100_000
INTERVAL_SECONDS: Final = 6 * 3600
FREE: Final = "sweep, secrets for free"
FILES: Final = "sweep, sealed files"
BAO: Final = "sweep, OpenBao"

Costs = Mapping[str, Cost]


def aims(costs: Costs) -> Iterator[Aim]:
    ours = costs[OURS].rate
    share = ours / costs[BARE].rate
    yield Aim(f"{OURS} has {share:.0%} of bare aiohttp's rate (at least {SHARE_OF_BARE:.0%})", share >= SHARE_OF_BARE)
    times = ours / costs[NAIVE_LIGHT].rate
    text = f"{OURS} is {times:.0f} times a new ccxt instance, {ours / costs[NAIVE].rate:,.0f} times with markets"
    yield Aim(f"{text} (at least {TIMES_NAIVE:.0f})", times >= TIMES_NAIVE)
    each = costs[FREE].cpu_ms
    yield Aim(f"{FREE}: {each:.2f} ms of CPU for each key (at most {SWEEP_MS:.0f})", each <= SWEEP_MS)
    for name in (FREE, FILES, BAO):
        yield from _of_sweep(name, costs)
    saved = (costs[STORE].cpu_ms - costs[AIOHTTP].cpu_ms) / 1000 * KEYS / INTERVAL_SECONDS
    text = f"reading OpenBao by aiohttp would save {saved:.2%} of a core with {KEYS:,} keys every six hours"
    yield Aim(f"{text} (hvac stays below {SAVED_SHARE:.0%})", saved < SAVED_SHARE)


def _of_sweep(name: str, costs: Costs) -> Iterator[Aim]:
    cost = costs[name]
    text = f"{name}: {cost.count:,} keys grew the memory by {cost.grown_mb:.0f} MB (at most {GROWN_MB:.0f})"
    yield Aim(text, cost.grown_mb <= GROWN_MB)
    stall = max(cost.stall_ms, costs[f"{name}: discovery"].stall_ms)
    yield Aim(f"{name}: the longest stall was {stall:.0f} ms (at most {STALL_MS:.0f})", stall <= STALL_MS)


def aims_of_sharing(shared: Shared) -> Iterator[Aim]:
    text = f"two processes are {shared.error:+.1%} off a limit of {RATE:.0f} a second (at most {LIMIT_ERROR:.0%})"
    taken = f"{' + '.join(map(str, shared.shares))} requests, at most {shared.most_in_a_second} in any second"
    yield Aim(f"{text}: {taken}", abs(shared.error) <= LIMIT_ERROR)
