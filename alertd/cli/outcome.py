"""What commands print and how they end."""

import json
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

DONE: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2
BAD_CONFIG: Final = 78

LONGEST_WORD: Final = 44  # an id has 36 characters; with what it is the id of, some more
PIPE_WIDTH: Final = 10_000  # whoever reads a table from a pipe wants whole cells


def complain(*lines: str) -> None:
    """Say what is wrong on standard error; the first line is the headline."""
    for number, line in enumerate(lines):
        say(line if number == 0 else f"  - {line}")


def say(text: str) -> None:
    """One line for people on standard error, so that standard output stays a script's."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(_plain(text)))


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, allow_nan=False, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; text of others is never read as markup. Columns without any title have no head.

    An id is never folded: where the terminal is too narrow for that, lines are longer than it is.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for at, column in enumerate(columns):
        table.add_column(column, overflow="fold", min_width=_widest_word([column, *(row[at] for row in rows)]))
    for row in rows:
        table.add_row(*(Text(_plain(cell)) for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table, crop=False)
        return
    drawn = StringIO()
    Console(file=drawn, highlight=False, width=PIPE_WIDTH).print(table, crop=False)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines())


def _widest_word(cells: Sequence[str]) -> int:
    return min(LONGEST_WORD, max(len(word) for cell in cells for word in ("", *cell.split())))


def _plain(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def confirm(question: str, *, yes: bool) -> None:
    """Ends the command where a person says no. Raises BadParameter where there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask at; say --yes")
    typer.confirm(question, abort=True, err=True)


def hand_over(secret: str, announcement: str) -> None:
    """Show what is shown once, alone on standard output: a script can take it."""
    say(announcement)
    sys.stdout.write(secret + "\n")
