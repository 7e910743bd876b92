"""What a subject is held against: a backtest, its summary, or its own first weeks. Measured once, then immutable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from alertd.performance.returns import DailyReturn
from alertd.performance.stats.expectation import Baseline, measure
from alertd.performance.stats.numbers import Floats

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


def own_reference(days: Sequence[DailyReturn]) -> Baseline | None:
    """The baseline of a subject that came without a backtest: its first 60 testable days; None before it has them."""
    own = sorted((day for day in days if day.testable), key=lambda day: day.day)[:LEAST_DAYS]
    return measure(log_returns(own)) if len(own) == LEAST_DAYS else None
