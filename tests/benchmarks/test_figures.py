"""The documentation's figures are those of benchmarks/results.json, and each is where a page looks for it."""

import pytest

from benchmarks.collecting import results
from benchmarks.collecting.scripts import BESIDE, FOLDER, SCRIPTS
from benchmarks.figures import pages
from benchmarks.figures.blocks import BLOCK
from benchmarks.figures.cost import ROWS
from benchmarks.figures.grids import GRIDS, Grid

RESULTS = results.load()
BLOCKS = [found["name"] for page in pages.PAGES for found in BLOCK.finditer((pages.ROOT / page).read_text())]


@pytest.mark.parametrize("page", pages.PAGES)
def test_the_page_says_what_was_measured(page: str) -> None:
    assert (pages.ROOT / page).read_text() == pages.rendered(page, RESULTS), (
        "a figure was written by hand, or results.json is newer: say 'make bench' or 'python -m benchmarks --write'"
    )


def test_every_script_is_in_the_run() -> None:
    assert {file.stem for file in FOLDER.glob("*.py")} - BESIDE == {script.name for script in SCRIPTS}


def test_a_script_that_knows_more_than_usual_is_known_for_it() -> None:
    knowing = {script.name for script in SCRIPTS if '"--full"' in (FOLDER / f"{script.name}.py").read_text()}

    assert knowing == {script.name for script in SCRIPTS if script.full}


def test_the_aims_of_every_script_are_in_a_page() -> None:
    assert {f"{script.name} aims" for script in SCRIPTS} - set(BLOCKS) == set()


def test_every_table_is_in_a_page() -> None:
    assert set(GRIDS) - set(BLOCKS) == set()


@pytest.mark.parametrize("figure", [figure for row in ROWS for figure in row.figures], ids=lambda figure: figure.key)
def test_the_readme_finds_its_figure(figure) -> None:
    known = figure.script in RESULTS

    assert (figure.value(RESULTS) is not None) == known


@pytest.mark.parametrize("grid", [pytest.param(grid, id=name) for name, grid in GRIDS.items()])
def test_a_table_finds_its_rows(grid: Grid) -> None:
    known = grid.script in RESULTS
    lines = grid.of(RESULTS[grid.script].figures if known else {}).splitlines()

    assert (len(lines) > 2) == known
