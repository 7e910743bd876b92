"""How every benchmark ends: its aims, met or missed, for whoever reads, and its figures for whoever collects."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = "BENCH_RESULTS"  # the environment variable that names where the figures go; unset, they go nowhere


@dataclass(frozen=True, slots=True)
class Aim:
    """`text` says what was found, and in brackets what was hoped for."""

    text: str
    met: bool

    def __str__(self) -> str:
        return f"{'met   ' if self.met else 'MISSED'}  {self.text}"


def flat(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The figures of a table, each named by its row and its column."""
    return {f"{row}.{column}": figure for row, columns in rows.items() for column, figure in columns.items()}


def conclude(name: str, *, aims: Sequence[Aim], figures: Mapping[str, float]) -> None:
    """`name` is the script's, with the options that make its figures others: `scale`, `scale --full`.

    A figure is named `row.column_unit`, as `flat` does. One that does not exist is left out: NaN and infinity
    raise ValueError.
    """
    print(*("", *aims), sep="\n", flush=True)
    folder = os.environ.get(FOLDER)
    if folder:
        found = {"aims": [asdict(aim) for aim in aims], "figures": dict(figures)}
        (Path(folder) / f"{name}.json").write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
