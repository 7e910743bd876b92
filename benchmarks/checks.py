"""What does one check of an exchange key cost? The published pattern, bare aiohttp, and ours, on one exchange.

    python benchmarks/checks.py            in about a minute
    python benchmarks/checks.py --full     sweeps of 100,000 credentials: twenty minutes
    python benchmarks/checks.py --two 60   two processes share a limit for a minute, among the rest

The exchange is simulated by a process of its own, which verifies every signature. Trust the CPU time:
it is that of the checking process alone, and does not depend on how busy the machine is, or little.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.checking import asking, sharing, stores, sweeping, vaulting
from benchmarks.checking.asking import BARE, NAIVE, NAIVE_LIGHT, OURS
from benchmarks.checking.exchange import running_exchange
from benchmarks.checking.meter import Cost
from tests.bao import dev_server

ROUNDS: Final = 5
FULL: Final = 100_000
SHARE_OF_BARE: Final = 0.6
TIMES_NAIVE: Final = 100.0
SWEEP_MS: Final = 1.0
GROWN_MB: Final = 50.0
STALL_MS: Final = 50.0
LIMIT_ERROR: Final = 0.05
FREE: Final = "sweep, secrets for free"
FILES: Final = "sweep, sealed files"
BAO: Final = "sweep, OpenBao"

Costs = dict[str, Cost]


def main() -> None:
    options = _options()
    costs = Costs()
    with running_exchange() as url:
        _head()
        for found in _all(options, url):
            for name, cost in found.items():
                _row(name, cost)
            costs |= found
    shared = _alone(sharing.measure, options.two) if options.two else None
    print()
    for text, met in _targets(costs, shared):
        print(f"{'met   ' if met else 'MISSED'}  {text}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--naive", type=int, default=6, help="checks in the published way (a third of a second each)")
    parser.add_argument("--light", type=int, default=100, help="checks in that way without market data")
    parser.add_argument("--checks", type=int, default=4000, help="checks of bare aiohttp and of ours, each round")
    parser.add_argument("--credentials", type=int, default=5000, help="credentials of a sweep")
    parser.add_argument("--vault", type=int, default=1500, help="credentials of the sweep with OpenBao")
    parser.add_argument("--two", type=float, default=10.0, metavar="SECONDS", help="0: not at all")
    parser.add_argument("--full", action="store_true", help=f"sweeps of {FULL} credentials")
    options = parser.parse_args()
    if options.full:
        options.credentials, options.vault = FULL, FULL // 10
    return options


def _all(options: argparse.Namespace, url: str) -> Iterator[Costs]:
    """Each in a process of its own, so that none inherits another's memory."""
    yield _alone(asking.measure, [NAIVE], url, count=options.naive, rounds=1, in_flight=2)
    yield _alone(asking.measure, [NAIVE_LIGHT], url, count=options.light, rounds=1, in_flight=20)
    yield _alone(asking.measure, [BARE, OURS], url, count=options.checks, rounds=ROUNDS, in_flight=50)
    yield _swept(FREE, _alone(sweeping.measure, "free", url, count=options.credentials))
    yield _swept(FILES, _alone(sweeping.measure, "file", url, count=options.credentials))
    with dev_server() as bao:
        stores.fill_vault(bao.client(), options.vault)
        yield _swept(BAO, _alone(sweeping.measure, "vault", url, count=options.vault, vault=bao.address))
        yield _alone(vaulting.measure, bao.address, min(options.vault, 1000))


def _swept(name: str, found: sweeping.Swept) -> Costs:
    return {f"{name}: discovery": found.discovery, name: found.sweep}


def _alone(work: Callable[..., Awaitable[Any]], *args: object, **options: object) -> Any:
    """Run it in a new process, and answer what it answers."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, work, args, options).result()


def _run(work: Callable[..., Any], args: tuple[object, ...], options: dict[str, object]) -> Any:
    return uvloop.run(work(*args, **options))


def _head() -> None:
    print(f"{'':37}{'count':>8}{'per CPU s':>11}{'CPU ms':>9}{'peak MB':>9}{'+ MB':>7}{'stall ms':>10}{'by clock':>10}")


def _row(name: str, cost: Cost) -> None:
    print(
        f"{name:37}{cost.count:>8,}{cost.rate:>11,.1f}{cost.cpu_ms:>9.3f}{cost.peak_mb:>9.0f}{cost.grown_mb:>7.1f}"
        f"{cost.stall_ms:>10.0f}{cost.late_ms:>10.0f}",
        flush=True,
    )


def _targets(costs: Costs, shared: sharing.Shared | None) -> Iterator[tuple[str, bool]]:
    ours = costs[OURS].rate
    share = ours / costs[BARE].rate
    yield f"exchange.ask has {share:.0%} of bare aiohttp's rate (at least {SHARE_OF_BARE:.0%})", share >= SHARE_OF_BARE
    times = ours / costs[NAIVE_LIGHT].rate
    text = f"exchange.ask is {times:.0f} times a new ccxt instance, {ours / costs[NAIVE].rate:,.0f} times with markets"
    yield f"{text} (at least {TIMES_NAIVE:.0f})", times >= TIMES_NAIVE
    each = costs[FREE].cpu_ms
    yield f"a sweep without secret reads costs {each:.2f} ms of CPU each (at most {SWEEP_MS:.0f})", each <= SWEEP_MS
    for name in (FREE, FILES, BAO):
        cost = costs[name]
        text = f"{name}: {cost.count:,} credentials grew the memory by {cost.grown_mb:.0f} MB (at most {GROWN_MB:.0f})"
        yield text, cost.grown_mb <= GROWN_MB
        stall = max(cost.stall_ms, costs[f"{name}: discovery"].stall_ms)
        yield f"{name}: the longest stall was {stall:.0f} ms (at most {STALL_MS:.0f})", stall <= STALL_MS
    if shared is not None:
        text = f"two processes are {shared.error:+.1%} off a limit of {sharing.RATE:.0f}/s (at most {LIMIT_ERROR:.0%})"
        taken = f"{' + '.join(map(str, shared.shares))} requests, at most {shared.most_in_a_second} in any second"
        yield f"{text}: {taken}", abs(shared.error) <= LIMIT_ERROR


if __name__ == "__main__":
    main()
