"""The README's table: what alertd costs, and beside it what else was measured in the same run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.collecting.results import Results
from benchmarks.figures.tables import table

HEAD: Final = ("", "alertd", "beside it, in the same run", "times as good")


@dataclass(frozen=True, slots=True)
class Figure:
    """`form` has `{}` with a format specification for it."""

    script: str
    key: str
    form: str

    def value(self, results: Results) -> float | None:
        return results[self.script].figures.get(self.key) if self.script in results else None

    def text(self, results: Results) -> str:
        value = self.value(results)
        return "" if value is None else self.form.format(value)


@dataclass(frozen=True, slots=True)
class Row:
    """`beside` is compared, `more` being better or less; what stands `apart` is something else, and is not."""

    what: str
    ours: Figure
    beside: tuple[Figure, ...] = ()
    apart: tuple[Figure, ...] = ()
    more: bool = False

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (self.ours, *self.beside, *self.apart)

    def lines(self, results: Results) -> Iterator[tuple[str, ...]]:
        """Nothing where it was never measured."""
        ours = self.ours.value(results)
        if ours is None:
            return
        compared = [(figure.text(results), self._times(ours, figure.value(results))) for figure in self.beside]
        others = [*compared, *((figure.text(results), "") for figure in self.apart)]
        yield (self.what, self.ours.text(results), *(others[0] if others else ("", "")))
        yield from (("", "", *other) for other in others[1:])

    def _times(self, ours: float, beside: float | None) -> str:
        if not ours or not beside:
            return ""
        times = ours / beside if self.more else beside / ours
        return f"{times:,.0f}" if times >= 10 else f"{times:.2g}"


ROWS: Final = (
    Row(
        "CPU to ask an exchange about a key",
        Figure("checks", "exchange.ask.cpu_ms", "{:.2f} ms"),
        beside=(
            Figure(
                "checks", "new ccxt instance, markets loaded.cpu_ms", "{:,.0f} ms: a new ccxt instance, as published"
            ),
            Figure("checks", "new ccxt instance, markets={}.cpu_ms", "{:.1f} ms: the same without market data"),
            Figure("checks", "bare aiohttp.cpu_ms", "{:.2f} ms: bare aiohttp, the same signed request"),
        ),
    ),
    Row(
        "CPU of a whole sweep, each key",
        Figure("checks", "sweep, secrets for free.cpu_ms", "{:.2f} ms"),
        apart=(
            Figure("checks", "sweep, sealed files.cpu_ms", "{:.2f} ms with sealed files"),
            Figure("checks", "sweep, OpenBao.cpu_ms", "{:.2f} ms with OpenBao"),
        ),
    ),
    Row(
        "webhooks delivered in a second, 100 in flight",
        Figure("webhooks", "alertd, 60 messages to each of 100 endpoints.per_second", "{:,.0f}"),
        beside=(
            Figure(
                "webhooks", "published: httpx, a client for each attempt.per_second", "{:,.0f}: a new client for each"
            ),
            Figure(
                "webhooks", "bare aiohttp, nothing else.per_second", "{:,.0f}: bare aiohttp, which remembers nothing"
            ),
        ),
        more=True,
    ),
    Row(
        "commit to arrival beside dead and slow endpoints, p99",
        Figure("webhooks", "beside 20 dead and 20 slow ones.p99_ms", "{:.1f} ms"),
        beside=(Figure("webhooks", "100 healthy endpoints alone.p99_ms", "{:.1f} ms: healthy endpoints alone"),),
    ),
    Row(
        "healthy strategies accused (critical) within a year",
        Figure("detection", "ours, daily check.critical_365", "{:.1%}"),
        beside=(
            Figure("detection", "published thresholds.critical_365", "{:.1%}: the published thresholds"),
            Figure(
                "detection",
                "published: interval, Sharpe ratio and drawdown alone.critical_365",
                "{:.1%}: interval, Sharpe ratio and drawdown of them alone",
            ),
        ),
    ),
    Row(
        "a loss of half a standard deviation a day is found within (median)",
        Figure("detection", "0.5 sd a day lost.warning_days", "{:.0f} days"),
        apart=(
            Figure(
                "detection",
                "published thresholds.already",
                "{:.0%} were accused before it began, by the published thresholds",
            ),
        ),
    ),
    Row(
        "the admin port during a sweep, p99",
        Figure("api", "all.sweeping_p99_ms", "{:.1f} ms"),
        beside=(Figure("api", "all.rest_p99_ms", "{:.1f} ms at rest"),),
    ),
    Row(
        "CPU of a day of performance checks, 1,000 subjects",
        Figure("performance", "a day of it all.cpu_seconds", "{:.1f} s"),
    ),
    Row(
        "claiming what is due, of a million keys",
        Figure("scale", "claim: what is due at one exchange.keys_1000000_ms", "{:.2f} ms"),
        beside=(Figure("scale", "claim: what is due at one exchange.keys_1000_ms", "{:.2f} ms: of a thousand"),),
    ),
    Row(
        "keys checked in a second by two daemons",
        Figure("daemons", "checks by 2.per_second", "{:,.0f}"),
        beside=(Figure("daemons", "checks by 1.per_second", "{:,.0f}: one daemon"),),
        apart=(Figure("daemons", "checks by 4.per_second", "{:,.0f}: four daemons"),),
        more=True,
    ),
    Row(
        "a killed daemon's work is done by another within",
        Figure("daemons", "killed.longest_s", "{:.0f} s"),
        apart=(Figure("daemons", "stopped.longest_s", "{:.0f} s: that of a stopped one"),),
    ),
    Row("start to ready, the database exists", Figure("startup", "start.seconds", "{:.1f} s")),
    Row("memory at rest, all exchanges loaded", Figure("startup", "rest.memory_mb", "{:.0f} MB")),
)


def cost(results: Results) -> str:
    return table(HEAD, (line for row in ROWS for line in row.lines(results)), words=3)
