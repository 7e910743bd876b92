"""`results.json`: what each script found when it last ran, and the only source of the documentation's figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from benchmarks.collecting.machine import Machine
from benchmarks.report import Aim

FILE: Final = Path(__file__).resolve().parents[1] / "results.json"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a script leaves at its end."""

    aims: Sequence[Aim]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """The same with where it was found: by which version of alertd, on what, and in how many seconds.

    None: it was found before that was written down.
    """

    alertd: str
    machine: Machine | None
    seconds: float | None
    aims: Sequence[Aim]
    figures: Mapping[str, float]


Results = Mapping[str, Found]

_CONCLUSION: Final = TypeAdapter(Conclusion)
_RESULTS: Final = TypeAdapter(dict[str, Found])


def conclusion(file: Path) -> Conclusion:
    """With four digits of each figure: no machine tells more, and the rest would change in every run."""
    found = _CONCLUSION.validate_json(file.read_bytes())
    return Conclusion(found.aims, {key: float(f"{figure:.4g}") for key, figure in found.figures.items()})


def load(file: Path = FILE) -> Results:
    """Nothing where nothing was ever measured."""
    return _RESULTS.validate_json(file.read_bytes()) if file.exists() else {}


def save(results: Results, file: Path = FILE) -> None:
    text = json.dumps({name: asdict(results[name]) for name in sorted(results)}, indent=2)
    file.write_text(f"{text}\n", encoding="utf-8")
