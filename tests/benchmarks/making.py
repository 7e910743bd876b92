"""Results as no machine ever had them."""

from collections.abc import Mapping

from benchmarks.collecting.machine import Machine
from benchmarks.collecting.results import Found
from benchmarks.report import Aim

QUIET = Machine(cores=2, python="3.11.9", load=0.1)
BUSY = Machine(cores=2, python="3.11.9", load=7.5)


def found(figures: Mapping[str, float], *aims: Aim, machine: Machine | None = QUIET) -> Found:
    return Found("1.2.3", machine, None if machine is None else 12.0, aims, figures)
