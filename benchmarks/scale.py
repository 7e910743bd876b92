"""Does what the daemon asks of its database all day stay fast as the platform grows?

    python benchmarks/scale.py            up to 1,000,000 keys and 10,000,000 checks: four minutes, 8 GB
    python benchmarks/scale.py --quick    up to 100,000 keys: half a minute

Each question is the product's own function, asked of a server of our own; the time is the best of several, as
the machine may be busy.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alertd.db import Db
from benchmarks.evaluating.running import database
from benchmarks.report import Aim, conclude, flat
from benchmarks.scaling.asking import COUNTS, QUESTIONS, Ask
from benchmarks.scaling.filling import Size, fill

NOW: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SMALL: Final = Size(1_000, 10_000, 1_000)
MIDDLE: Final = Size(100_000, 1_000_000, 100_000)
LARGE: Final = Size(1_000_000, 10_000_000, 1_000_000)
ROUNDS: Final = 7
FLAT: Final = 3.0  # times the small platform's, and
QUICK_MS: Final = 20.0  # or below this, which nobody notices
COUNT_MS: Final = 1000.0

Times = Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    sizes = [SMALL, MIDDLE] if parser.parse_args().quick else [SMALL, MIDDLE, LARGE]
    measured = [uvloop.run(_measured(size)) for size in sizes]
    print(f"\n{'ms':40}" + "".join(f"{f'{size.keys:,} keys':>18}" for size in sizes))
    for name in (*QUESTIONS, *COUNTS):
        print(f"{name:40}" + "".join(f"{times[name]:18.2f}" for times in measured))
    conclude("scale", aims=list(_aims(sizes, measured)), figures=_figures(sizes, measured))


async def _measured(size: Size) -> Times:
    async with database() as db:
        began = time.perf_counter()
        await fill(db, size, NOW)
        stored = await db.fetchval("SELECT pg_database_size(current_database())")
        seconds = time.perf_counter() - began
        print(f"{size.keys:,} keys, {size.checks:,} checks: {stored / 2**30:.1f} GiB, filled in {seconds:.0f} s")
        return {name: await _best_ms(db, ask) for name, ask in (QUESTIONS | COUNTS).items()}  # type: ignore[operator]


async def _best_ms(db: Db, ask: Ask) -> float:
    await ask(db, NOW)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await ask(db, NOW)
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


def _aims(sizes: Sequence[Size], measured: Sequence[Times]) -> Iterator[Aim]:
    small, large = measured[0], measured[-1]
    grown = {name: large[name] for name in QUESTIONS if large[name] > max(QUICK_MS, FLAT * small[name])}
    keys = f"{sizes[-1].keys:,} keys"
    yield Aim(
        f"with {keys} no question takes over {FLAT:g} times as long, or {QUICK_MS:g} ms: {grown or 'none'}", not grown
    )
    slowest = max(COUNTS, key=lambda name: large[name])
    text = f"with {keys} the slowest count ({slowest}) takes {large[slowest]:.0f} ms (at most {COUNT_MS:,.0f})"
    yield Aim(text, large[slowest] <= COUNT_MS)


def _figures(sizes: Sequence[Size], measured: Sequence[Times]) -> dict[str, float]:
    columns = {f"keys_{size.keys}_ms": times for size, times in zip(sizes, measured, strict=True)}
    return flat({name: {key: times[name] for key, times in columns.items()} for name in (*QUESTIONS, *COUNTS)})


if __name__ == "__main__":
    main()
