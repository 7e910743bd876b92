"""One script in a process of its own, whose output goes where ours does."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import alertd
from benchmarks.collecting.machine import Machine
from benchmarks.collecting.results import Found, conclusion
from benchmarks.collecting.scripts import FOLDER, Script
from benchmarks.report import FOLDER as RESULTS


@dataclass(frozen=True, slots=True)
class Run:
    """`found` by what the script calls it; nothing, if it crashed or ended without a conclusion."""

    name: str
    seconds: float
    found: Mapping[str, Found]

    @property
    def crashed(self) -> bool:
        return not self.found


def run(script: Script, machine: Machine, *, full: bool, folder: Path = FOLDER) -> Run:
    options = [*script.options, *(["--full"] if full and script.full else [])]
    print(f"\n== {' '.join([script.name, *options])}", flush=True)
    with TemporaryDirectory(prefix="alertd-bench-") as left:
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, str(folder / f"{script.name}.py"), *options], env=os.environ | {RESULTS: left}, check=False
        )
        seconds = round(time.monotonic() - began, 1)
        files = sorted(Path(left).glob("*.json")) if ended.returncode == 0 else []
        return Run(script.name, seconds, {file.stem: _found(file, machine, seconds) for file in files})


def _found(file: Path, machine: Machine, seconds: float) -> Found:
    concluded = conclusion(file)
    return Found(alertd.__version__, machine, seconds, concluded.aims, concluded.figures)
