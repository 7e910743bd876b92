"""What does one check of an exchange key cost? The published pattern, bare aiohttp, and ours, on one exchange.

    python benchmarks/checks.py            in about a minute
    python benchmarks/checks.py --full     sweeps of 100,000 credentials: five minutes
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
from benchmarks.checking.aims import BAO, FILES, FREE, aims, aims_of_sharing
from benchmarks.checking.asking import BARE, NAIVE, NAIVE_LIGHT, OURS
from benchmarks.checking.exchange import running_exchange
from benchmarks.checking.meter import Cost
from benchmarks.report import conclude, flat
from tests.bao import dev_server

ROUNDS: Final = 5
FULL: Final = 100_000


def main() -> None:
    options = _options()
    costs: dict[str, Cost] = {}
    with running_exchange() as url:
        _head()
        for found in _all(options, url):
            for name, cost in found.items():
                _row(name, cost)
            costs |= found
    shared = _alone(sharing.measure, options.two)
    conclude(
        "checks --full" if options.full else "checks",
        aims=[*aims(costs), *aims_of_sharing(shared)],
        figures=flat({name: cost.figures for name, cost in costs.items()}),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--naive", type=int, default=6, help="checks in the published way (a third of a second each)")
    parser.add_argument("--light", type=int, default=100, help="checks in that way without market data")
    parser.add_argument("--checks", type=int, default=4000, help="checks of bare aiohttp and of ours, each round")
    parser.add_argument("--credentials", type=int, default=5000, help="credentials of a sweep")
    parser.add_argument("--vault", type=int, default=1500, help="credentials of the sweep with OpenBao")
    parser.add_argument("--two", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--full", action="store_true", help=f"sweeps of {FULL} credentials")
    options = parser.parse_args()
    if options.full:
        options.credentials, options.vault = FULL, FULL // 10
    return options


def _all(options: argparse.Namespace, url: str) -> Iterator[dict[str, Cost]]:
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


def _swept(name: str, found: sweeping.Swept) -> dict[str, Cost]:
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


if __name__ == "__main__":
    main()
