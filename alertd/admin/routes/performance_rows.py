"""What the performance routes take: an array of objects, or the same as CSV, each wrong row named by its line.

CSV becomes the JSON that it stands for and goes through the same models.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Self

from pydantic import ConfigDict, Field, PrivateAttr, RootModel, ValidationError

from alertd.admin.bodies import CsvBody
from alertd.admin.flaws import invalid_body
from alertd.admin.problems import Flaw, Invalid
from alertd.admin.routes.performance_csv import read_table
from alertd.admin.routes.performance_wishes import (
    LONGEST_BACKTEST,
    BacktestDay,
    EquityWish,
    FlowWish,
    ReferenceWish,
    ReturnWish,
    RowWish,
    TermsWish,
    WindowWish,
)

MOST_ROWS: Final = 10_000
MOST_OBJECTS: Final = 100  # of what is simulated before it is answered
OF_THE_WHOLE: Final = ("trials", "trials_sharpe_variance", "active_from")  # in the CSV of a backtest


class Rows(CsvBody):
    """An array of rows; of CSV it remembers the lines."""

    model_config = ConfigDict(extra=None)
    wish: ClassVar[type[RowWish]]
    _lines: Sequence[int] = PrivateAttr(default=())

    @classmethod
    def from_csv(cls, text: str) -> Self:
        table = read_table(text, schema=cls.wish.model_json_schema())
        try:
            body = cls.model_validate_json(json.dumps(table.rows))
        except ValidationError as error:
            raise Invalid([_on_its_line(flaw, table.lines) for flaw in invalid_body(error).flaws]) from None
        body._lines = table.lines
        return body

    def flaw(self, index: int, field: str, detail: str) -> Flaw:
        """About a field of one row, where the sender will find it."""
        flaw = Flaw(f"/{index}/{field}", detail)
        return _on_its_line(flaw, self._lines) if self._lines else flaw


_POINTER: Final = re.compile(r"/(\d+)(?:/(.+))?")


def _on_its_line(flaw: Flaw, lines: Sequence[int]) -> Flaw:
    found = _POINTER.fullmatch(flaw.where)
    if found is None or int(found[1]) >= len(lines):
        return Flaw("", flaw.detail)
    line = f"line {lines[int(found[1])]}"
    return Flaw(f"{line}, {found[2]}" if found[2] else line, flaw.detail)


Many = Field(min_length=1, max_length=MOST_ROWS)
Few = Field(min_length=1, max_length=MOST_OBJECTS)


class Returns(Rows, RootModel[Annotated[list[ReturnWish], Many]]):
    """Daily returns."""

    wish = ReturnWish


class Equity(Rows, RootModel[Annotated[list[EquityWish], Many]]):
    """Readings of whole accounts."""

    wish = EquityWish


class Flows(Rows, RootModel[Annotated[list[FlowWish], Many]]):
    """Deposits and withdrawals."""

    wish = FlowWish


class Windows(Rows, RootModel[Annotated[list[WindowWish], Many]]):
    """Walk-forward windows."""

    wish = WindowWish


class Terms(Rows, RootModel[Annotated[list[TermsWish], Few]]):
    """Limits, and what else is agreed."""

    wish = TermsWish


class BacktestDays(Rows, RootModel[Annotated[list[BacktestDay], Many]]):
    """Backtests, day by day."""

    wish = BacktestDay


class References(Rows, RootModel[Annotated[list[ReferenceWish], Few]]):
    """Backtests; as CSV each day is a line, and all lines of a subject are one."""

    wish = ReferenceWish
    _days: Sequence[Sequence[int]] = PrivateAttr(default=())  # of each backtest the lines, in the order of days

    @classmethod
    def from_csv(cls, text: str) -> Self:
        days = BacktestDays.from_csv(text)
        groups: dict[object, list[int]] = {}
        for index, day in sorted(enumerate(days.root), key=lambda found: found[1].day):
            groups.setdefault((day.tenant_id, day.subject), []).append(index)
        flaws = [flaw for group in groups.values() for flaw in _group_flaws(days, group)]
        if flaws:
            raise Invalid(flaws)
        body = cls([_backtest([days.root[index] for index in group]) for group in groups.values()])
        body._lines = [min(days._lines[index] for index in group) for group in groups.values()]
        body._days = [[days._lines[index] for index in group] for group in groups.values()]
        return body

    def flaw(self, index: int, field: str, detail: str) -> Flaw:
        name, _, place = field.partition("/")
        if self._days and name == "returns" and place:
            return Flaw(f"line {self._days[index][int(place)]}, return", detail)
        return super().flaw(index, field, detail)


def _group_flaws(days: BacktestDays, group: Sequence[int]) -> Iterator[Flaw]:
    """What lines of one backtest contradict each other in."""
    for before, index in pairwise(group):
        if days.root[before].day == days.root[index].day:
            yield days.flaw(max(before, index), "date", "occurs a second time for this subject")
    for name in OF_THE_WHOLE:
        said = {value for index in group if (value := getattr(days.root[index], name)) is not None}
        if len(said) > 1:
            yield days.flaw(min(group), name, "is not the same on all lines of this subject")
    if not 1 < len(group) <= LONGEST_BACKTEST:
        yield days.flaw(min(group), "subject", f"must have at least 2 and at most {LONGEST_BACKTEST} days")


def _backtest(days: Sequence[BacktestDay]) -> ReferenceWish:
    """Of one subject, in the order of days."""
    whole = {
        name: next((value for day in days if (value := getattr(day, name)) is not None), None) for name in OF_THE_WHOLE
    }
    return ReferenceWish(
        tenant_id=days[0].tenant_id,
        subject=days[0].subject,
        returns=[day.value for day in days],
        last_date=days[-1].day,
        **whole,
    )
