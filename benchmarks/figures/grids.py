"""The tables of docs/benchmarks.md: which figures of which script, under which headings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.figures.tables import Column, grid


@dataclass(frozen=True, slots=True)
class Grid:
    """`rows`: only those whose names begin so."""

    script: str
    first: str
    columns: tuple[Column, ...]
    rows: tuple[str, ...] = ("",)

    def of(self, figures: Mapping[str, float]) -> str:
        return grid(figures, self.first, self.columns, rows=self.rows)


CPU: Final = (Column("per CPU second", "per_cpu_second", ",.1f"), Column("CPU ms each", "cpu_ms", ".3f"))
GROWTH: Final = Column("growth, MB", "grown_mb", ".1f")
STALL: Final = Column("longest stall, ms", "stall_ms", ".0f")
CHECKS: Final = (
    Column("checks", "checks", ",.0f"),
    *CPU,
    Column("memory peak, MB", "peak_mb", ".0f"),
    GROWTH,
    STALL,
)
SIZES: Final = (
    Column("1,000 keys, ms", "keys_1000_ms", ".2f"),
    Column("100,000", "keys_100000_ms", ".2f"),
    Column("1,000,000, with 10,000,000 checks", "keys_1000000_ms", ".2f"),
)

GRIDS: Final[Mapping[str, Grid]] = {
    "checks": Grid("checks", "way", CHECKS, rows=("new ccxt", "bare aiohttp", "exchange.ask", "sweep")),
    "checks --full": Grid(
        "checks --full", "way", (Column("keys", "checks", ",.0f"), CPU[1], GROWTH, STALL), ("sweep",)
    ),
    "vault": Grid("checks", "way", (*CPU, STALL), rows=("OpenBao",)),
    "webhooks": Grid(
        "webhooks",
        "100 in flight",
        (
            Column("per second", "per_second", ",.0f"),
            Column("per CPU second", "per_cpu_second", ",.0f"),
            Column("of that PostgreSQL", "postgres_share", ".0%"),
            Column("times the published", "times_published", ".1f"),
            Column("of bare aiohttp", "of_bare", ".2f"),
        ),
    ),
    "latency": Grid(
        "webhooks",
        "commit to arrival, median of 3 rounds",
        (
            Column("messages", "messages", ",.0f"),
            Column("p50, ms", "p50_ms", ".1f"),
            Column("p99, ms", "p99_ms", ".1f"),
        ),
    ),
    "http_clients": Grid(
        "http_clients",
        "client",
        (Column("POSTs a second", "per_second", ",.0f"), Column("CPU ms each", "cpu_ms", ".2f")),
    ),
    "dashboard": Grid(
        "dashboard", "page", (Column("usual, ms", "usual_ms", ".0f"), Column("at worst, ms", "worst_ms", ".0f"))
    ),
    "api": Grid(
        "api",
        "address",
        (
            Column("at rest: p50, ms", "rest_p50_ms", ".1f"),
            Column("p99, ms", "rest_p99_ms", ".1f"),
            Column("while sweeping: p50, ms", "sweeping_p50_ms", ".1f"),
            Column("p99, ms", "sweeping_p99_ms", ".1f"),
        ),
    ),
    "scale": Grid("scale", "question", SIZES),
    "daemons": Grid(
        "daemons",
        "work, and how many daemons do it",
        (
            Column("a second", "per_second", ",.0f"),
            Column("times one daemon", "times", ".2f"),
            Column("CPU ms each", "cpu_ms", ".2f"),
            Column("PostgreSQL's, ms", "postgres_cpu_ms", ".2f"),
            Column("unfairness", "unfairness", ".2f"),
        ),
    ),
    "takeover": Grid(
        "daemons",
        "a daemon that is",
        (
            Column("checks, s", "checks_s", ".1f"),
            Column("deliveries, s", "deliveries_s", ".1f"),
            Column("occurrences, s", "occurrences_s", ".1f"),
            Column("done too often", "twice", ".0f"),
        ),
    ),
    "performance": Grid(
        "performance",
        "run",
        (
            Column("CPU seconds", "cpu_seconds", ".1f"),
            Column("the loop was late, ms: 99 of 100 times at most", "lag_p99_ms", ".1f"),
            Column("at worst", "lag_most_ms", ".1f"),
        ),
    ),
}
