"""How figures become tables, and tables parts of a page."""

import pytest

from benchmarks.figures import pages
from benchmarks.figures.blocks import filled
from benchmarks.figures.cost import Figure, Row
from benchmarks.figures.tables import Column, grid
from benchmarks.report import Aim
from tests.benchmarks.making import BUSY, found

PAGE = "Before.\n\n<!-- figures: startup aims -->\nold\n<!-- end -->\n\nBetween.\n\n<!-- figures: b -->\n<!-- end -->\n"
COLUMNS = (Column("CPU, ms", "cpu_ms", ".2f"), Column("checks", "checks", ",.0f"))
LESS = Row(
    "CPU", Figure("checks", "ours.ms", "{:.1f} ms"), beside=(Figure("checks", "theirs.ms", "{:.0f} ms: theirs"),)
)
MORE = Row("rate", Figure("checks", "ours.ms", "{:.0f}"), beside=(Figure("checks", "theirs.ms", "{:.0f}"),), more=True)


def test_only_blocks_are_renewed() -> None:
    assert filled(PAGE, str.upper) == (
        "Before.\n\n<!-- figures: startup aims -->\n\nSTARTUP AIMS\n\n<!-- end -->\n\n"
        "Between.\n\n<!-- figures: b -->\n\nB\n\n<!-- end -->\n"
    )


def test_what_is_filled_stays_when_it_is_filled_again() -> None:
    once = filled(PAGE, str.upper)

    assert filled(once, str.upper) == once


def test_a_table_has_the_rows_of_its_first_column() -> None:
    figures = {"ours.cpu_ms": 0.1234, "ours.checks": 4000, "OpenBao.cpu_ms": 0.5, "day.seconds": 9}

    assert grid(figures, "way", COLUMNS).splitlines() == [
        "| way | CPU, ms | checks |",
        "| --- | ---: | ---: |",
        "| ours | 0.12 | 4,000 |",
        "| OpenBao | 0.50 |  |",
    ]


def test_a_table_can_be_of_some_rows() -> None:
    assert grid({"a.cpu_ms": 1, "b.cpu_ms": 2}, "way", COLUMNS, rows=("b",)).splitlines()[2:] == ["| b | 2.00 |  |"]


@pytest.mark.parametrize(("row", "times"), [(LESS, "148"), (MORE, "0.0068")])
def test_alertd_is_so_many_times_as_good(row: Row, times: str) -> None:
    [line] = row.lines({"checks": found({"ours.ms": 0.1, "theirs.ms": 14.8})})

    assert line[-1] == times


def test_what_is_something_else_is_not_compared() -> None:
    row = Row("CPU", LESS.ours, apart=(Figure("checks", "sealed.ms", "{:.1f} ms with sealed files"),))

    assert list(row.lines({"checks": found({"ours.ms": 0.1, "sealed.ms": 0.2})})) == [
        ("CPU", "0.1 ms", "0.2 ms with sealed files", "")
    ]


def test_more_than_one_thing_beside_takes_more_lines() -> None:
    row = Row("CPU", LESS.ours, beside=LESS.beside, apart=LESS.beside)

    assert list(row.lines({"checks": found({"ours.ms": 1, "theirs.ms": 5})})) == [
        ("CPU", "1.0 ms", "5 ms: theirs", "5"),
        ("", "", "5 ms: theirs", ""),
    ]


def test_what_was_never_measured_has_no_line() -> None:
    assert list(LESS.lines({})) == []


def test_a_page_says_which_aims_were_missed() -> None:
    startup = found({}, Aim("10% off", True), Aim("slow", False))

    assert pages.block("startup aims", {"startup": startup}) == "- met: 10 % off\n- **missed**: slow"


def test_a_page_says_what_was_never_measured() -> None:
    assert pages.block("checks --full", {}) == pages.block("scale aims", {}) == "*Not measured yet.*"


def test_a_page_says_where_it_was_measured() -> None:
    measured = {"api": found({}), "checks": found({}, machine=BUSY), "checks --full": found({}, machine=None)}

    assert pages.block("machine", measured).splitlines()[2:] == [
        "| `api` | 1.2.3 | 3.11.9 | quiet | 2 | 12 |",
        "| `checks` | 1.2.3 | 3.11.9 | others used it | 2 | 12 |",
        "| `checks --full` | 1.2.3 |  | not written down |  |  |",
    ]


def test_a_block_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="chekcs"):
        pages.block("chekcs", {})
