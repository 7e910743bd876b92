"""Markdown tables, and such of figures that are named by row and column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is the second half of a figure's name; `form` a format specification."""

    heading: str
    key: str
    form: str


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """So many columns of words stand to the left, the others are numbers."""
    lines = [head, ["---"] * words + ["---:"] * (len(head) - words), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def grid(figures: Mapping[str, float], first: str, columns: Sequence[Column], *, rows: tuple[str, ...] = ("",)) -> str:
    """Whatever has the first column, in the order in which it was measured; `rows` is what their names begin with."""
    ending = f".{columns[0].key}"
    names = [key.removesuffix(ending) for key in figures if key.startswith(rows) and key.endswith(ending)]
    lines = ([name, *(_cell(figures, name, column) for column in columns)] for name in names)
    return table([first, *(column.heading for column in columns)], lines)


def _cell(figures: Mapping[str, float], row: str, column: Column) -> str:
    figure = figures.get(f"{row}.{column.key}")
    return "" if figure is None else format(figure, column.form)
