"""How a benchmark ends: readable always, collectable where somebody collects."""

import json
from math import inf
from pathlib import Path

import pytest

from benchmarks.report import Aim, conclude

AIMS = (Aim("quick: 3 ms (at most 5)", True), Aim("small: 300 MB (at most 200)", False))


def test_each_aim_is_said_to_be_met_or_missed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_RESULTS", raising=False)

    conclude("startup", aims=AIMS, figures={})

    assert capsys.readouterr().out == "\nmet     quick: 3 ms (at most 5)\nMISSED  small: 300 MB (at most 200)\n"


def test_aims_and_figures_are_left_where_they_are_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(tmp_path))

    conclude("checks --full", aims=AIMS[1:], figures={"rest.memory_mb": 300.5})

    assert json.loads((tmp_path / "checks --full.json").read_text()) == {
        "aims": [{"text": "small: 300 MB (at most 200)", "met": False}],
        "figures": {"rest.memory_mb": 300.5},
    }


def test_a_figure_that_does_not_exist_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(tmp_path))

    with pytest.raises(ValueError, match="not JSON compliant"):
        conclude("detection", aims=(), figures={"drift.days": inf})
