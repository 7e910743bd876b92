"""What must hold, measured: the promise that the documentation makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf

from benchmarks.detecting.outcome import Delays
from benchmarks.detecting.population import CRASH, EDGE_GONE, HALF, INVERTED, QUARTER, WHOLE, WILD
from benchmarks.detecting.trial import ALL, DAILY, Trial
from benchmarks.report import Aim

WARNED = ((QUARTER, 60), (HALF, 28), (WHOLE, 15), (WILD, 25), (INVERTED, 70), (EDGE_GONE, 150))
CRITICAL = ((HALF, 45), (WHOLE, 23))
FAMILY_CEILING = 0.13


@dataclass(frozen=True, slots=True)
class Target:
    what: str
    measured: float
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    @property
    def aim(self) -> Aim:
        found = "never" if isinf(self.measured) else f"{self.measured:.4g}"
        text = f"{self.what}: {found} ({'at least' if self.at_least else 'at most'} {self.bound:g})"
        return Aim(text, self.holds)


def targets(trial: Trial) -> Iterator[Target]:
    daily = trial.healthy[DAILY]
    yield Target("healthy: critical within 365 days, daily check", daily.critical_365, 0.11)
    yield Target("healthy: critical within 365 days, all checks", trial.healthy[ALL].critical_365, 0.15)
    yield Target("healthy: critical within 30 days, daily check", daily.critical_30, 0.01)
    yield Target("healthy: critical days a year, daily check", daily.critical_days, 2.0)
    yield Target("healthy: warning within 365 days, daily check", daily.warning_365, 0.52)
    for name, family in trial.families.items():
        yield Target(f"healthy family alone, critical within 365 days: {name}", family.critical_365, FAMILY_CEILING)
    for name, bound in WARNED:
        yield Target(f"median days to a warning: {name}", _median(trial.bent[name].warning), bound)
    for name, bound in CRITICAL:
        yield Target(f"median days to critical: {name}", _median(trial.bent[name].critical), bound)
    yield Target(f"warned by the next check: {CRASH}", trial.bent[CRASH].warning.within(1), 0.95, at_least=True)


def _median(delays: Delays) -> float:
    found = delays.until(0.5)
    return float("inf") if found is None else found
