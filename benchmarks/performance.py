"""What do the performance checks of a day cost, and does the daemon notice anything else meanwhile?

    python benchmarks/performance.py                    1,000 subjects: two minutes
    python benchmarks/performance.py --subjects 200     a first impression

A third of the subjects are accounts with four equity readings a day, the others strategies whose returns
are pushed; all have a year of reference and a year of live days. The database is a server of its own,
whose time is not counted. Trust the CPU time, and the lag: it is what our own work held the event loop
for, and does not depend on how busy the machine is, or little.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.evaluating.population import populate
from benchmarks.evaluating.running import Cost, database, run
from benchmarks.report import Aim, conclude, flat

SEED: Final = 20260105
TODAY: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAY_SECONDS: Final = 20.0
LAG_MS: Final = 20.0
SHARE: Final = 0.99
DAY: Final = "a day of it all"
FIRST: Final = "daily_pnl_check, the whole year"

# The check, its time of the day, and how often it runs a day.
RUNS: Final = (
    (FIRST, TODAY - timedelta(hours=7), 0.0),
    ("performance_threshold_check", TODAY + timedelta(hours=12), 1.0),
    ("daily_pnl_check", TODAY + timedelta(hours=17), 1.0),
    ("evening_performance_check", TODAY + timedelta(hours=22), 1.0),
    ("weekly_stability_check", TODAY + timedelta(hours=8), 1 / 7),
    ("monthly_forward_test_update", TODAY + timedelta(hours=9), 1 / 30),
)

Costs = Mapping[str, Cost]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=1000)
    options = parser.parse_args()
    costs = uvloop.run(_measured(options.subjects))
    conclude("performance", aims=list(_aims(costs, options.subjects)), figures=_figures(costs, options.subjects))


async def _measured(subjects: int) -> Costs:
    costs: dict[str, Cost] = {}
    async with database() as db:
        await populate(db, subjects, TODAY, seed=SEED)
        print(
            f"{subjects:<6,}{'subjects':27}{'CPU s':>8}{'CPU ms each':>13}{'lag p99 ms':>12}{'most':>8}{'by clock':>10}"
        )
        for name, at, _ in RUNS:
            cost = costs[name] = await run(db, name.partition(",")[0], at)
            print(
                f"{name:33}{cost.cpu_seconds:>8.1f}{1000 * cost.cpu_seconds / subjects:>13.2f}"
                f"{cost.lag_ms(SHARE):>12.1f}{cost.lag_ms(1):>8.1f}{cost.wall_seconds:>10.1f}",
                flush=True,
            )
    return costs


def _day_seconds(costs: Costs) -> float:
    return sum(costs[name].cpu_seconds * times for name, _, times in RUNS)


def _aims(costs: Costs, subjects: int) -> Iterator[Aim]:
    day = _day_seconds(costs)
    text = f"a day of {subjects:,} subjects costs {day:.1f} s of one core (under {DAY_SECONDS:.0f} for 1,000)"
    yield Aim(text, day * 1000 / subjects < DAY_SECONDS)
    for name, cost in costs.items():
        lag = cost.lag_ms(SHARE)
        text = f"{name}: the loop is late by {lag:.1f} ms at most in 99 of 100 ticks (under {LAG_MS:.0f})"
        yield Aim(text, lag < LAG_MS)


def _figures(costs: Costs, subjects: int) -> dict[str, float]:
    runs = {
        name: {"cpu_seconds": cost.cpu_seconds, "lag_p99_ms": cost.lag_ms(SHARE), "lag_most_ms": cost.lag_ms(1)}
        for name, cost in costs.items()
    }
    return flat(runs | {DAY: {"cpu_seconds": _day_seconds(costs), "subjects": subjects}})


if __name__ == "__main__":
    main()
