"""What the performance routes take: an array of objects, or the same as CSV, each wrong row named by its line.

CSV becomes the JSON that it stands for and goes through the same models.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Self

from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from alertd.admin.bodies import CsvBody
from alertd.admin.flaws import MOST, invalid_body
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


@dataclass(frozen=True, slots=True)
class Wrong:
    """In the place of a row that is not well-formed: the others are looked at all the same."""

    flaws: tuple[Flaw, ...]


def _kept(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError as error:
        return Wrong(invalid_body(error).flaws)


Kept = WrapValidator(_kept)


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

    def sorted_out(self, rows: Sequence[RowWish | Wrong]) -> tuple[list[tuple[int, RowWish]], list[tuple[int, Flaw]]]:
        """Rows that are well-formed, and the flaws of the others, each with its place."""
        sound = [(index, row) for index, row in enumerate(rows) if not isinstance(row, Wrong)]
        wrong = [(index, row) for index, row in enumerate(rows) if isinstance(row, Wrong)]
        return sound, [
            (index, self.flaw(index, flaw.where.removeprefix("/"), flaw.detail))
            for index, row in wrong
            for flaw in row.flaws
        ]

    def flaw(self, index: int, field: str, detail: str) -> Flaw:
        """About a field of one row, where the sender will find it."""
        flaw = Flaw(f"/{index}/{field}" if field else f"/{index}", detail)
        return _on_its_line(flaw, self._lines) if self._lines else flaw


def in_order(flaws: Iterable[tuple[int, Flaw]]) -> list[Flaw]:
    """As the rows come, and not more than anybody reads."""
    found = [flaw for _, flaw in sorted(flaws, key=lambda placed: placed[0])]
    more = len(found) - MOST
    return [*found[:MOST], Flaw("", f"and {more} more flaws")] if more > 0 else found


_POINTER: Final = re.compile(r"/(\d+)(?:/(.+))?")


def _on_its_line(flaw: Flaw, lines: Sequence[int]) -> Flaw:
    found = _POINTER.fullmatch(flaw.where)
    if found is None or int(found[1]) >= len(lines):
        return Flaw("", flaw.detail)
    line = f"line {lines[int(found[1])]}"
    return Flaw(f"{line}, {found[2]}" if found[2] else line, flaw.detail)


Many = Field(min_length=1, max_length=MOST_ROWS)
Few = Field(min_length=1, max_length=MOST_OBJECTS)


class Returns(Rows, RootModel[Annotated[list[Annotated[ReturnWish, Kept]], Many]]):
    """Daily returns."""

    wish = ReturnWish


class Equity(Rows, RootModel[Annotated[list[Annotated[EquityWish, Kept]], Many]]):
    """Readings of whole accounts."""

    wish = EquityWish


class Flows(Rows, RootModel[Annotated[list[Annotated[FlowWish, Kept]], Many]]):
    """Deposits and withdrawals."""

    wish = FlowWish


class Windows(Rows, RootModel[Annotated[list[Annotated[WindowWish, Kept]], Many]]):
    """Walk-forward windows."""

    wish = WindowWish


class Terms(Rows, RootModel[Annotated[list[Annotated[TermsWish, Kept]], Few]]):
    """Limits, and what else is agreed."""

    wish = TermsWish


class BacktestDays(Rows, RootModel[Annotated[list[Annotated[BacktestDay, Kept]], Many]]):
    """Backtests, day by day."""

    wish = BacktestDay


class References(Rows, RootModel[Annotated[list[Annotated[ReferenceWish, Kept]], Few]]):
    """Backtests; as CSV each day is a line, and all lines of a subject are one."""

    wish = ReferenceWish
    _days: Sequence[Sequence[int]] = PrivateAttr(default=())  # of each backtest the lines, in the order of days

    @classmethod
    def from_csv(cls, text: str) -> Self:
        days = BacktestDays.from_csv(text)
        sound, flaws = days.sorted_out(days.root)
        groups: dict[object, list[int]] = {}
        for index, day in sorted(sound, key=lambda found: days.root[found[0]].day):
            groups.setdefault((day.tenant_id, day.subject), []).append(index)
        review = _group_flaws if flaws else _complete_group_flaws
        flaws += [found for group in groups.values() for found in review(days, group)]
        if flaws:
            raise Invalid(in_order(flaws))
        body = cls([_backtest([days.root[index] for index in group]) for group in groups.values()])
        body._lines = [min(days._lines[index] for index in group) for group in groups.values()]
        body._days = [[days._lines[index] for index in group] for group in groups.values()]
        return body

    def flaw(self, index: int, field: str, detail: str) -> Flaw:
        name, _, place = field.partition("/")
        if self._days and name == "returns" and place:
            return Flaw(f"line {self._days[index][int(place)]}, return", detail)
        return super().flaw(index, field, detail)


def _group_flaws(days: BacktestDays, group: Sequence[int]) -> Iterator[tuple[int, Flaw]]:
    """What lines of one backtest contradict each other in."""
    for before, index in pairwise(group):
        if days.root[before].day == days.root[index].day:
            later = max(before, index)
            yield later, days.flaw(later, "date", "occurs a second time for this subject")
    for name in OF_THE_WHOLE:
        said = {value for index in group if (value := getattr(days.root[index], name)) is not None}
        if len(said) > 1:
            yield min(group), days.flaw(min(group), name, "is not the same on all lines of this subject")


def _complete_group_flaws(days: BacktestDays, group: Sequence[int]) -> Iterator[tuple[int, Flaw]]:
    """Where no line is missing for being malformed."""
    yield from _group_flaws(days, group)
    if not 1 < len(group) <= LONGEST_BACKTEST:
        yield min(group), days.flaw(min(group), "subject", f"must have at least 2 and at most {LONGEST_BACKTEST} days")


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
