"""One account or strategy as the checks see it: everything that was selected about it, and nothing of where from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from alertd.performance.days import DayBoundary
from alertd.performance.projection import Projection
from alertd.performance.reference import Reference
from alertd.performance.returns import DailyReturn, Flow, Snapshot
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.track import Track


class LossBasis(StrEnum):
    """What a day's loss is a percentage of."""

    DAY_START = "day_start"  # equity when the day began
    INITIAL = "initial"  # the capital that the account was opened with


@dataclass(frozen=True, slots=True)
class LimitTerms:
    """How this subject's limits are written; percentages that are None are the settings'.

    A `drawdown_warning` left out while the critical one is given is at 80 % of it; so for the daily loss.
    """

    mode: DrawdownMode = DrawdownMode.TRAILING
    basis: LossBasis = LossBasis.DAY_START
    initial_capital: float | None = None
    drawdown_warning: float | None = None
    drawdown_critical: float | None = None
    daily_loss_warning: float | None = None
    daily_loss_critical: float | None = None


@dataclass(frozen=True, slots=True)
class ValidationWindow:
    """One walk-forward window that the platform ran: mean daily returns in and out of sample."""

    in_sample: float
    out_of_sample: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a check does not need may stay empty.

    `days` start when the reference became active. The daily check needs only those after its `track`, the
    weekly one the last 180, the monthly one all. Limits need every day and snapshot since the account began,
    or since they were last restarted, whatever the reference. `equity_every` None: its returns are pushed,
    and it has no snapshots. `accepted_on` is the day up to which a person accepted the drift: a replay
    without `track` needs it.
    `seed` makes simulations repeatable: derive it from the subject and the reference's version.
    """

    reference: Reference | None = None
    days: Sequence[DailyReturn] = ()
    track: Track | None = None
    accepted_on: date | None = None
    projection: Projection | None = None
    snapshots: Sequence[Snapshot] = ()
    flows: Sequence[Flow] = ()
    windows: Sequence[ValidationWindow] = ()
    boundary: DayBoundary = field(default_factory=DayBoundary)
    limits: LimitTerms = field(default_factory=LimitTerms)
    equity_every: timedelta | None = None
    seed: int = 0

    def testable_days(self, now: datetime) -> tuple[DailyReturn, ...]:
        """The days that are over and that a test may use, in their order."""
        until = self.boundary.last_complete(now)
        return tuple(sorted((d for d in self.days if d.testable and d.day <= until), key=lambda day: day.day))
