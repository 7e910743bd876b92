"""What a rule made of many strategies: false alarms of the healthy ones, delays of the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.detecting.ours import Levels
from benchmarks.detecting.population import CHANGE, Floats

WARNING: Final = 1
CRITICAL: Final = 2
NEVER: Final = 10_000


def loudest(levels: Iterable[Levels]) -> Levels:
    return np.maximum.reduce(list(levels))


@dataclass(frozen=True, slots=True)
class Healthy:
    """Shares of healthy strategies that had an alarm within so many days, and mean days in alarm a year."""

    critical_30: float
    critical_90: float
    critical_365: float
    critical_days: float
    warning_365: float
    alert_days: float


def healthy(levels: Levels) -> Healthy:
    return Healthy(
        critical_30=_ever(levels >= CRITICAL, 30),
        critical_90=_ever(levels >= CRITICAL, 90),
        critical_365=_ever(levels >= CRITICAL, 365),
        critical_days=float((levels >= CRITICAL).sum(axis=1).mean()),
        warning_365=_ever(levels >= WARNING, 365),
        alert_days=float((levels >= WARNING).sum(axis=1).mean()),
    )


def _ever(alarms: NDArray[np.bool_], days: int) -> float:
    return float(alarms[:, :days].any(axis=1).mean())


@dataclass(frozen=True, slots=True)
class Delays:
    """Days from the change to the first alarm, sorted, of the strategies that were not in alarm on the day before."""

    days: NDArray[np.int64]
    already: float

    def within(self, days: int) -> float:
        return float((self.days <= days).mean())

    def until(self, share: float) -> int | None:
        """When this share had an alarm; None if it never came to that."""
        if not len(self.days):
            return None
        found = int(np.quantile(self.days, share, method="higher"))
        return None if found >= NEVER else found


def delays(levels: Levels, level: int) -> Delays:
    alarms = levels >= level
    free = ~alarms[:, CHANGE - 1]
    after = alarms[free][:, CHANGE:]
    first = np.where(after.any(axis=1), after.argmax(axis=1) + 1, NEVER)
    return Delays(np.sort(first), float(1 - free.mean()))


def tuned(values: Floats, share: float) -> float:
    """The threshold that this share of healthy strategies are ever below: hindsight that nobody has."""
    lowest = np.nanmin(values, axis=1)
    return float(np.quantile(lowest, share))
