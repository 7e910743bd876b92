"""Can these rows be true? Every wrong one is named, and none is stored while one of them is wrong. Pure."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final, TypeVar

from alertd.performance.days import DAY
from alertd.performance.rows import (
    EquityRow,
    Fault,
    FlowRow,
    ReferenceRow,
    ReturnRow,
    SubjectName,
    TermsRow,
    WindowRow,
)
from alertd.performance.subject import LimitTerms, LossBasis
from alertd.performance.watched import ReturnsFrom, Watched

Row = ReturnRow | EquityRow | FlowRow | WindowRow | ReferenceRow | TermsRow
R = TypeVar("R", bound=Row)

EARLIEST: Final = date(1990, 1, 1)
AHEAD: Final = timedelta(minutes=5)  # of our clock, a sender's may be
YEAR: Final = timedelta(days=366)
MOST_RETURN: Final = 10.0
MOST_MONEY: Final = 1e15
LIKE_PERCENT: Final = 0.5  # half of all days moving by more than this: 1.2 was meant to be 1.2 %
TELLING: Final = 3  # rows that make a median
FAR: Final = 50.0  # times what is usual: a hundredfold mistake, and no bad day
LEAST_PERCENT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Known:
    """A subject as it was before these rows. `typical` is the median size of its stored daily returns."""

    watched: Watched
    typical: float | None = None
    has_equity: bool = False
    flow_ids: frozenset[object] = frozenset()


Standing = Mapping[SubjectName, Known]


def return_faults(rows: Sequence[ReturnRow], known: Standing, now: datetime) -> Iterator[Fault]:
    """Days that are over, once each, as fractions, of subjects whose returns are pushed."""
    yield from _twice(rows, lambda row: row.day, "date")
    over = _over(known, now)
    for index, row in enumerate(rows):
        watched = known[row.subject].watched
        if watched.returns_from is ReturnsFrom.EQUITY:
            yield Fault(index, "subject", "its daily returns follow from its equity; send them under another name")
        if problem := _day_problem(row.day) or _unfinished(row.day, over[row.subject], watched):
            yield Fault(index, "date", problem)
        if problem := _return_problem(row.value):
            yield Fault(index, "return", problem)
    yield from _percentages(rows, known)


def equity_faults(rows: Sequence[EquityRow], known: Standing, now: datetime) -> Iterator[Fault]:
    """Readings of the past, one for an instant, in the subject's one currency."""
    yield from _twice(rows, lambda row: row.at, "at")
    for index, row in enumerate(rows):
        if problem := _time_problem(row.at, now):
            yield Fault(index, "at", problem)
        if abs(row.equity) > MOST_MONEY:
            yield Fault(index, "equity", "is more than anybody has")
    yield from _currencies(rows, known)


def flow_faults(rows: Sequence[FlowRow], known: Standing, now: datetime) -> Iterator[Fault]:
    """Of accounts that have equity, which alone they explain."""
    yield from _twice(rows, lambda row: row.flow_id, "id")
    for index, row in enumerate(rows):
        subject = known[row.subject]
        if not subject.has_equity:
            yield Fault(index, "subject", "has no equity that a cash flow could explain; send its equity first")
        elif row.currency not in {None, subject.watched.currency}:
            yield Fault(index, "currency", _OTHER_CURRENCY.format(subject.watched.currency))
        if problem := _time_problem(row.at, now):
            yield Fault(index, "at", problem)
        if abs(row.amount) > MOST_MONEY:
            yield Fault(index, "amount", "is more than anybody has")
        if row.amount == 0 and row.flow_id not in subject.flow_ids:
            yield Fault(index, "amount", "is 0, which cancels an earlier flow, and there is none with this id")


def window_faults(rows: Sequence[WindowRow], known: Standing, now: datetime) -> Iterator[Fault]:
    """Windows that are over, with mean daily returns as fractions."""
    yield from _twice(rows, lambda row: row.first_day, "first_date")
    over = _over(known, now)
    for index, row in enumerate(rows):
        if problem := _day_problem(row.first_day):
            yield Fault(index, "first_date", problem)
        if row.last_day < row.first_day:
            yield Fault(index, "last_date", "must not be before first_date")
        elif problem := _unfinished(row.last_day, over[row.subject], known[row.subject].watched):
            yield Fault(index, "last_date", problem)
        for name, value in (("in_sample", row.in_sample), ("out_of_sample", row.out_of_sample)):
            if abs(value) > LIKE_PERCENT:
                yield Fault(index, name, "must be a mean daily return as a fraction: 0.001 is 0.1 %")


def reference_faults(rows: Sequence[ReferenceRow], known: Standing, now: datetime) -> Iterator[Fault]:
    """Either returns or a summary, of days that are over."""
    yield from _twice(rows, lambda _row: None, "subject")
    over = _over(known, now)
    for index, row in enumerate(rows):
        if (row.returns is None) == (row.summary is None):
            yield Fault(index, "returns", "needs either the daily returns or a summary of them")
        if row.last_day is not None:
            watched = known[row.subject].watched
            if problem := _day_problem(row.last_day) or _unfinished(row.last_day, over[row.subject], watched):
                yield Fault(index, "last_date", problem)
        if row.active_from is not None and (problem := _day_problem(row.active_from) or _far_off(row.active_from, now)):
            yield Fault(index, "active_from", problem)
        yield from _series_faults(index, row.returns or ())
        if row.summary is not None and row.summary.kurtosis < row.summary.skew**2 + 1:
            yield Fault(index, "summary/kurtosis", "must be at least 1 plus the square of the skew; a normal has 3")


def _series_faults(index: int, returns: Sequence[float]) -> Iterator[Fault]:
    for place, value in enumerate(returns):
        if problem := _return_problem(value):
            yield Fault(index, f"returns/{place}", problem)
    moved = [abs(value) for value in returns if value]
    if len(moved) >= TELLING and median(moved) > LIKE_PERCENT:
        yield Fault(index, "returns", _PERCENT)


def terms_faults(rows: Sequence[TermsRow], now: datetime) -> Iterator[Fault]:
    """Limits in percent, a warning not beyond its critical limit."""
    yield from _twice(rows, lambda _row: None, "subject")
    for index, row in enumerate(rows):
        yield from _limit_faults(index, row.limits)
        if row.counts_from is not None and (problem := _time_problem(row.counts_from, now)):
            yield Fault(index, "counts_from", problem)


def _limit_faults(index: int, limits: LimitTerms) -> Iterator[Fault]:
    pairs = (
        ("drawdown", limits.drawdown_warning, limits.drawdown_critical),
        ("daily_loss", limits.daily_loss_warning, limits.daily_loss_critical),
    )
    for name, warning, critical in pairs:
        for which, percent in (("warning", warning), ("critical", critical)):
            if percent is not None and percent < LEAST_PERCENT:
                yield Fault(index, f"{name}_{which}_percent", "must be in percent: 8 is 8 %")
        if warning is not None and critical is not None and warning > critical:
            yield Fault(index, f"{name}_warning_percent", f"must not be more than {name}_critical_percent")
    if limits.basis is LossBasis.INITIAL and limits.initial_capital is None:
        yield Fault(index, "initial_capital", "is required with this basis")


_OTHER_CURRENCY: Final = "must be {}, as in this subject's other rows"
_PERCENT: Final = "look like percent: they must be fractions, 0.012 for 1.2 %"


def _twice(rows: Sequence[R], key: Callable[[R], Hashable], field: str) -> Iterator[Fault]:
    seen: dict[Hashable, int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault((row.subject, key(row)), index)
        if first != index:
            yield Fault(index, field, "occurs a second time for this subject")


def _day_problem(day: date) -> str | None:
    return f"must not be before {EARLIEST}" if day < EARLIEST else None


def _far_off(day: date, now: datetime) -> str | None:
    return "is more than a year ahead" if day > (now + YEAR).date() else None


def _over(known: Standing, now: datetime) -> Mapping[SubjectName, date]:
    """Each subject's latest day that is over."""
    return {name: subject.watched.boundary.last_complete(now + AHEAD) for name, subject in known.items()}


def _unfinished(day: date, over: date, watched: Watched) -> str | None:
    boundary = watched.boundary
    if day <= over:
        return None
    return f"is not over: this subject's days end at {boundary.cutoff:%H:%M} {boundary.timezone}"


def _time_problem(at: datetime, now: datetime) -> str | None:
    if at > now + AHEAD:
        return "is in the future"
    return _day_problem(at.date())


def _return_problem(value: float) -> str | None:
    if value <= -1:
        return "must be above -1: nobody loses more than everything, and after that there is no next day"
    return f"must be below {MOST_RETURN:g}, as a fraction: 0.012 is 1.2 %" if value > MOST_RETURN else None


def _percentages(rows: Sequence[ReturnRow], known: Standing) -> Iterator[Fault]:
    """One fault for each subject whose returns are fractions of a hundred times too much."""
    sizes: dict[SubjectName, list[float]] = {}
    first: dict[SubjectName, int] = {}
    for index, row in enumerate(rows):
        first.setdefault(row.subject, index)
        if row.value and _return_problem(row.value) is None:
            sizes.setdefault(row.subject, []).append(abs(row.value))
    for subject, moved in sizes.items():
        if _looks_like_percent(moved, known[subject].typical):
            yield Fault(first[subject], "return", f"{_PERCENT} (all of this subject)")


def _looks_like_percent(moved: Sequence[float], typical: float | None) -> bool:
    """One wild day among many is one; a lone row is held against the days before it."""
    middle = median(moved)
    if middle <= LIKE_PERCENT:
        return False
    return typical is None or middle > FAR * typical if len(moved) < TELLING else True


def _currencies(rows: Sequence[EquityRow], known: Standing) -> Iterator[Fault]:
    said = {name: subject.watched.currency for name, subject in known.items()}
    for index, row in enumerate(rows):
        currency = said[row.subject]
        if currency is None and row.currency is None:
            yield Fault(index, "currency", "is required until the subject has one")
        elif currency is None:
            said[row.subject] = row.currency
        elif row.currency not in {None, currency}:
            yield Fault(index, "currency", _OTHER_CURRENCY.format(currency))


def first_live_day(row: ReferenceRow, watched: Watched, now: datetime) -> date:
    """When a reference becomes active."""
    if row.active_from is not None:
        return row.active_from
    return watched.boundary.day_of(now) if row.last_day is None else row.last_day + DAY
