"""What commands print and how they end."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

DONE: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2
BAD_CONFIG: Final = 78


def complain(*lines: str) -> None:
    """Say what is wrong on standard error; the first line is the headline."""
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    for number, line in enumerate(lines):
        console.print(line if number == 0 else f"  - {line}")


def say(text: str) -> None:
    """One line for people on standard error, so that standard output stays a script's."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(text)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, allow_nan=False, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; text of others is never read as markup."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    Console(highlight=False).print(table)
