"""The pages that hold figures, and what stands in each block of them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.collecting.results import Found, Results
from benchmarks.figures.blocks import filled
from benchmarks.figures.cost import cost
from benchmarks.figures.grids import GRIDS
from benchmarks.figures.tables import table

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("README.md", "docs/benchmarks.md", "docs/performance.md")
AIMS: Final = " aims"  # `checks aims` are those of the script `checks`
PERCENT: Final = re.compile(r"(?<=\d)%")  # set as in the text around it
NOTHING: Final = "*Not measured yet.*"


def block(name: str, results: Results) -> str:
    """KeyError for a name that no page should have."""
    return PERCENT.sub(" %", _block(name, results))


def _block(name: str, results: Results) -> str:
    if name == "cost":
        return cost(results)
    if name == "machine":
        return _machine(results)
    if name.endswith(AIMS):
        return _aims(name.removesuffix(AIMS), results)
    grid = GRIDS[name]
    return grid.of(results[grid.script].figures) if grid.script in results else NOTHING


def rendered(page: str, results: Results) -> str:
    """The page as it should stand."""
    return filled((ROOT / page).read_text(encoding="utf-8"), lambda name: block(name, results))


def write(results: Results) -> Iterator[str]:
    """Those that had to be written anew."""
    for page in PAGES:
        text = rendered(page, results)
        if text != (ROOT / page).read_text(encoding="utf-8"):
            (ROOT / page).write_text(text, encoding="utf-8")
            yield page


def _machine(results: Results) -> str:
    rows = ([f"`{name}`", found.alertd, *_where(found)] for name, found in results.items())
    return table(("benchmark", "alertd", "Python", "the machine", "cores", "seconds"), rows, words=4)


def _where(found: Found) -> Sequence[str]:
    if found.machine is None or found.seconds is None:
        return ("", "not written down", "", "")
    here = found.machine
    return (here.python, "quiet" if here.quiet else "others used it", str(here.cores), f"{found.seconds:,.0f}")


def _aims(script: str, results: Results) -> str:
    aims = results[script].aims if script in results else ()
    return "\n".join(f"- {'met' if aim.met else '**missed**'}: {aim.text}" for aim in aims) or NOTHING
