"""What a subject is held against: a backtest, its summary, or its own first weeks. Measured once, then immutable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import dropwhile, islice
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from alertd.performance.days import DAY
from alertd.performance.returns import DailyReturn
from alertd.performance.stats.expectation import Baseline, measure
from alertd.performance.stats.numbers import Floats

FIRST_VERSION: Final = 1
LEAST_DAYS: Final = 60  # below it a reference supports limits only
# To and from JSON: `dump_python(baseline, mode="json")` and `validate_python(stored)`.
BASELINES: Final = TypeAdapter(Baseline)


class ReferenceKind(StrEnum):
    """Where a reference comes from."""

    BACKTEST = "backtest"
    SUMMARY = "summary"  # only its moments are known
    SELF = "self"  # the subject's own first days: detects change, not failure against a backtest


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of it; `returns` are daily log returns, None of a summary. Live days start on `active_from`."""

    version: int
    kind: ReferenceKind
    active_from: date
    baseline: Baseline
    returns: Floats | None = None

    @property
    def days(self) -> int:
        return self.baseline.moments.n

    @property
    def is_enough(self) -> bool:
        return self.days >= LEAST_DAYS and self.baseline.moments.sd > 0


def log_returns(days: Sequence[DailyReturn]) -> Floats:
    """Of days that a test may use."""
    return np.log1p(np.array([day.value for day in days], dtype=np.float64))


def own_reference(days: Sequence[DailyReturn]) -> Reference | None:
    """What is made of a subject that came without one: its first 60 testable days from the first on which it moved.

    None before it has them. An account that waits for its first trade shows nothing of how it trades.
    """
    ordered = sorted((day for day in days if day.testable), key=lambda day: day.day)
    own = list(islice(dropwhile(lambda day: day.value == 0, ordered), LEAST_DAYS))
    if len(own) < LEAST_DAYS:
        return None
    returns = log_returns(own)
    return Reference(FIRST_VERSION, ReferenceKind.SELF, own[-1].day + DAY, measure(returns), returns)
