"""Scripts as processes, what they leave, and how a run of them ends."""

from pathlib import Path

import pytest

from alertd import __version__
from benchmarks.collecting import machine, results
from benchmarks.collecting.running import Run, run
from benchmarks.collecting.scripts import Script
from benchmarks.collecting.summary import summary
from benchmarks.report import Aim
from tests.benchmarks.making import BUSY, QUIET, found

CONCLUDING = """
import sys
from benchmarks.report import Aim, conclude
conclude(" ".join(["quick", *sys.argv[1:]]), aims=[Aim("3 ms", True)], figures={"ours.ms": 3.14159})
"""
MET, MISSED = Aim("quick", True), Aim("small", False)


def script(folder: Path, code: str) -> Path:
    (folder / "quick.py").write_text(code)
    return folder


def test_what_a_script_found_is_kept_with_four_digits(tmp_path: Path) -> None:
    ran = run(Script("quick"), QUIET, full=False, folder=script(tmp_path, CONCLUDING))

    assert (ran.name, ran.crashed, list(ran.found)) == ("quick", False, ["quick"])
    assert ran.found["quick"] == results.Found(__version__, QUIET, ran.seconds, [Aim("3 ms", True)], {"ours.ms": 3.142})


@pytest.mark.parametrize(("knows", "name"), [(True, "quick --write --full"), (False, "quick --write")])
def test_only_who_knows_more_is_asked_for_it(tmp_path: Path, knows, name: str) -> None:
    ran = run(Script("quick", ("--write",), full=knows), QUIET, full=True, folder=script(tmp_path, CONCLUDING))

    assert list(ran.found) == [name]


@pytest.mark.parametrize("code", [f"{CONCLUDING}\nsys.exit(3)", "print('no conclusion')"])
def test_a_script_that_fails_or_says_nothing_has_crashed(tmp_path: Path, code: str) -> None:
    assert run(Script("quick"), QUIET, full=False, folder=script(tmp_path, code)).crashed


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    known = {"api": found({"all.p99_ms": 10.1}, MET), "checks --full": found({}, MISSED, machine=None)}
    results.save(known, tmp_path / "results.json")
    read = results.load(tmp_path / "results.json")

    assert {name: list(each.aims) for name, each in read.items()} == {"api": [MET], "checks --full": [MISSED]}
    assert [each.figures for each in read.values()] == [{"all.p99_ms": 10.1}, {}]
    assert [each.machine for each in read.values()] == [QUIET, None]


def test_nothing_is_known_before_the_first_run(tmp_path: Path) -> None:
    assert results.load(tmp_path / "results.json") == {}


def test_the_machine_is_described_and_not_named() -> None:
    here = machine.this()

    assert here.cores >= 1
    assert here.python.count(".") == 2


def test_a_quiet_run_that_meets_all_says_so() -> None:
    assert summary([Run("api", 60.0, {"api": found({}, MET)})], QUIET).splitlines() == [
        "",
        "== summary, 1.0 minutes",
        "Python 3.11.9; the machine is quiet: a load of 0.1 on 2 cores",
        "",
        "api, 60 s",
        "  met     quick",
        "",
        "all 1 aims met",
    ]


def test_what_went_wrong_stands_at_the_end() -> None:
    said = summary([Run("api", 6.0, {"api": found({}, MET, MISSED)}), Run("scale", 3.0, {})], BUSY)

    assert said.endswith("\n1 of 2 aims MISSED\nCRASHED: scale")
    assert "NOT QUIET: a load of 7.5 on 2 cores" in said
