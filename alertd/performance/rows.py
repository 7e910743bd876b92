"""What a platform sends about its subjects, row by row, once each row by itself is well-formed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from alertd.errors import Refused
from alertd.performance.stats.expectation import Trials
from alertd.performance.stats.moments import Moments
from alertd.performance.subject import LimitTerms
from alertd.performance.watched import Kind


class SubjectName(NamedTuple):
    """By which rows name their subject."""

    tenant_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """What a day earned, as a fraction."""

    subject: SubjectName
    day: date
    value: float


@dataclass(frozen=True, slots=True)
class EquityRow:
    """The whole account at an instant."""

    subject: SubjectName
    at: datetime
    equity: float
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """Money in (positive) or out; an amount of 0 cancels the flow of this id."""

    subject: SubjectName
    at: datetime
    amount: float
    flow_id: str
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One walk-forward window: mean daily returns in sample, and out of sample from `first_day` to `last_day`."""

    subject: SubjectName
    first_day: date
    last_day: date
    in_sample: float
    out_of_sample: float


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A backtest: its daily returns, as fractions in the order of days, or `summary`, the moments of their logs.

    Without `active_from` it holds from the day after `last_day` on, or from today.
    """

    subject: SubjectName
    returns: tuple[float, ...] | None = None
    summary: Moments | None = None
    trials: Trials | None = None
    last_day: date | None = None
    active_from: date | None = None


@dataclass(frozen=True, slots=True)
class TermsRow:
    """What was agreed about a subject. Limits replace the earlier ones; of the rest, None leaves as it is."""

    subject: SubjectName
    limits: LimitTerms = field(default_factory=LimitTerms)
    kind: Kind | None = None
    timezone: str | None = None
    cutoff: time | None = None
    equity_every: timedelta | None = None
    counts_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, by its place among the rows; `field` may lead further in: `returns/17`."""

    index: int
    field: str
    detail: str


class BadRows(Refused):
    """Rows that contradict themselves, each other, or what is known; none of them was stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{len(self.faults)} rows are wrong; nothing was stored.")
