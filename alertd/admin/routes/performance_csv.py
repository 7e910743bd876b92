"""Reads a CSV table into the JSON that it stands for, and knows the line of each row."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alertd.admin.problems import Flaw, Invalid

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST: Final = 40  # digits of a number
_MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as objects; `lines` are their numbers in the text, the heading being the first."""

    rows: Sequence[Mapping[str, object]]
    lines: Sequence[int]


def read_table(text: str, *, schema: Mapping[str, Any]) -> Table:
    """By the JSON schema of a row: its properties are the columns. Raises Invalid.

    A cell that is empty is one that is not there.
    """
    columns: Mapping[str, Any] = schema["properties"]
    numbers = {name for name, described in columns.items() if _is_number(described)}
    lines = list(_lines(text))
    if not lines:
        raise Invalid([Flaw("line 1", f"must be the heading: {', '.join(columns)}")])
    (_, heading), *rest = lines
    flaws = list(_heading_flaws(heading, columns, schema.get("required", ())))
    flaws += [Flaw(f"line {line}", f"must have {len(heading)} cells") for line, row in rest if len(row) != len(heading)]
    if flaws:
        raise Invalid(flaws)
    rows = [
        {name: _number(cell) if name in numbers else cell for name, cell in zip(heading, row, strict=True) if cell}
        for _, row in rest
    ]
    return Table(rows, [line for line, _ in rest])


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty; spaces around a cell do not count."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error:
        raise Invalid(
            [Flaw(f"line {reader.line_num}", "is not CSV: a quote or a line break is out of place")]
        ) from None


def _heading_flaws(heading: Sequence[str], columns: Collection[str], required: Collection[str]) -> Iterator[Flaw]:
    unknown = [place for place, name in enumerate(heading, start=1) if name not in columns]
    for place in unknown[:_MOST_NAMED]:
        yield Flaw(f"line 1, column {place}", f"is not known here; columns are {', '.join(columns)}")
    for name in sorted(set(required) - set(heading)):
        yield Flaw("line 1", f"has no column {name}")
    if len(set(heading)) < len(heading):
        yield Flaw("line 1", "names a column twice")


def _is_number(described: Mapping[str, Any]) -> bool:
    kinds = {part.get("type") for part in (described, *described.get("anyOf", ()))}
    return bool(kinds & {"number", "integer"})


def _number(cell: str) -> object:
    """As JSON has it; what is no number stays text, and is then refused as such."""
    if len(cell) > _LONGEST or not _NUMBER.fullmatch(cell):
        return cell
    number = float(cell)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
