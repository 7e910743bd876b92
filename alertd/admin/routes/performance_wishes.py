"""What one row of each kind may say to the performance routes, and the value that it becomes."""

import re
from datetime import date, time, timedelta
from functools import cache
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, Strict
from pydantic_core import PydanticCustomError

from alertd.admin.shapes import Body, Name, When, Word
from alertd.performance.rows import (
    EquityRow,
    FlowRow,
    ReferenceRow,
    ReturnRow,
    SubjectName,
    TermsRow,
    WindowRow,
)
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.stats.expectation import Trials
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import daily_sharpe
from alertd.performance.subject import LimitTerms, LossBasis
from alertd.performance.watched import Kind

LONGEST_BACKTEST: Final = 10_000
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@cache
def _zones() -> frozenset[str]:
    """Those that mean the same on every machine."""
    return frozenset(available_timezones() - {"localtime"})


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be a time zone such as Europe/Prague or UTC")
    return name


def _written_out(value: object) -> object:
    """A number is no date (days, or seconds?), nor is a time."""
    if isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise PydanticCustomError("date_parsing", "must be a date")


Day = Annotated[date, Strict(strict=False), BeforeValidator(_written_out)]
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,12}$", examples=["USDT"])]
Zone = Annotated[str, Field(max_length=64, examples=["Europe/Prague"]), AfterValidator(_known_zone)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["00:30"])]
Percent = Annotated[float, Field(gt=0, le=100)]
Money = Annotated[float, Field(gt=0, le=1e15)]
Tried = Annotated[int | None, Field(ge=1, le=1_000_000_000)]
Variance = Annotated[
    float | None, Field(gt=0, le=1000, description="Of the daily Sharpe ratios of all that was tried.")
]
Hours = Annotated[float, Field(gt=0, le=168)]


class RowWish(Body):
    """One row. `tenant_id` and `subject` may stand in the address instead; a tenant's own key needs no `tenant_id`."""

    tenant_id: UUID | None = None
    subject: Name | None = None


class ReturnWish(RowWish):
    """What a day earned, as a fraction (0.012 is 1.2 %), net of fees, deposits and withdrawals taken out."""

    day: Annotated[Day, Field(alias="date")]
    value: Annotated[float, Field(alias="return")]

    def row(self, subject: SubjectName) -> ReturnRow:
        return ReturnRow(subject, self.day, self.value)


class BacktestDay(ReturnWish):
    """One day of a backtest; what is said of the whole may stand on any of its lines."""

    trials: Tried = None
    trials_sharpe_variance: Variance = None
    active_from: Day | None = None


class EquityWish(RowWish):
    """The whole account at an instant, open positions included. The first one of a subject names its currency."""

    at: When
    equity: float
    currency: Currency | None = None

    def row(self, subject: SubjectName) -> EquityRow:
        return EquityRow(subject, self.at, self.equity, self.currency)


class FlowWish(RowWish):
    """A deposit (positive) or withdrawal (negative). `id` tells it from others; without one its time does.

    An amount of 0 cancels the one that was sent before.
    """

    at: When
    amount: float
    currency: Currency | None = None
    id: Word | None = None

    def row(self, subject: SubjectName) -> FlowRow:
        return FlowRow(subject, self.at, self.amount, self.id or self.at.isoformat(), self.currency)


class WindowWish(RowWish):
    """One walk-forward window: mean daily returns, as fractions, in and out of sample; the dates are of the latter."""

    first_date: Day
    last_date: Day
    in_sample: float
    out_of_sample: float

    def row(self, subject: SubjectName) -> WindowRow:
        return WindowRow(subject, self.first_date, self.last_date, self.in_sample, self.out_of_sample)


class SummaryWish(Body):
    """A backtest of which only this is known: days, annual Sharpe ratio, and the sd of daily log returns."""

    days: Annotated[int, Field(ge=2, le=100_000)]
    sharpe: Annotated[float, Field(ge=-50, le=50)]
    daily_sd: Annotated[float, Field(gt=0, le=1)]
    skew: Annotated[float, Field(ge=-100, le=100)] = 0.0
    kurtosis: Annotated[float, Field(ge=1, le=10_000)] = 3.0

    @property
    def moments(self) -> Moments:
        mean = daily_sharpe(self.sharpe) * self.daily_sd
        return Moments(self.days, mean, self.daily_sd, self.skew, self.kurtosis)


class ReferenceWish(RowWish):
    """What a subject is held against: `returns`, daily and as fractions, or a `summary` of them.

    `trials` is how many configurations were tried before this one was chosen. It holds from `active_from` on, else
    from the day after `last_date`, else from today.
    """

    returns: Annotated[list[float] | None, Field(min_length=2, max_length=LONGEST_BACKTEST)] = None
    summary: SummaryWish | None = None
    trials: Tried = None
    trials_sharpe_variance: Variance = None
    last_date: Day | None = None
    active_from: Day | None = None

    def row(self, subject: SubjectName) -> ReferenceRow:
        return ReferenceRow(
            subject,
            returns=None if self.returns is None else tuple(self.returns),
            summary=None if self.summary is None else self.summary.moments,
            trials=None if self.trials is None else Trials(self.trials, self.trials_sharpe_variance),
            last_day=self.last_date,
            active_from=self.active_from,
        )


class TermsWish(RowWish):
    """A subject's limits, which replace the earlier ones, and what else is agreed, of which null leaves as it is.

    Percent; without them the settings' hold. `mode`: below the start, the highest reading, or the highest close.
    `basis`: a day's loss is of the equity when it began, or of `initial_capital`. Readings before `counts_from` do
    not count for limits. A day begins at `day_cutoff` of the clock in `timezone`.
    """

    kind: Kind | None = None
    timezone: Zone | None = None
    day_cutoff: Clock | None = None
    equity_every_hours: Hours | None = None
    counts_from: When | None = None
    mode: DrawdownMode = DrawdownMode.TRAILING
    basis: LossBasis = LossBasis.DAY_START
    initial_capital: Money | None = None
    drawdown_warning_percent: Percent | None = None
    drawdown_critical_percent: Percent | None = None
    daily_loss_warning_percent: Percent | None = None
    daily_loss_critical_percent: Percent | None = None

    def row(self, subject: SubjectName) -> TermsRow:
        return TermsRow(
            subject,
            LimitTerms(
                self.mode,
                self.basis,
                self.initial_capital,
                self.drawdown_warning_percent,
                self.drawdown_critical_percent,
                self.daily_loss_warning_percent,
                self.daily_loss_critical_percent,
            ),
            kind=self.kind,
            timezone=self.timezone,
            cutoff=None if self.day_cutoff is None else time.fromisoformat(self.day_cutoff),
            equity_every=None if self.equity_every_hours is None else timedelta(hours=self.equity_every_hours),
            counts_from=self.counts_from,
        )
