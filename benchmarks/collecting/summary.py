"""The end of `make bench`: every aim of every script, and what went wrong."""

from collections.abc import Iterator, Sequence

from benchmarks.collecting.machine import Machine
from benchmarks.collecting.running import Run


def summary(runs: Sequence[Run], machine: Machine) -> str:
    return "\n".join(_lines(runs, machine))


def standing(machine: Machine) -> str:
    load = f"a load of {machine.load:g} on {machine.cores} cores"
    quiet = f"quiet: {load}" if machine.quiet else f"NOT QUIET: {load}. Trust CPU times and ratios, and no others."
    return f"Python {machine.python}; the machine is {quiet}"


def _lines(runs: Sequence[Run], machine: Machine) -> Iterator[str]:
    yield f"\n== summary, {sum(run.seconds for run in runs) / 60:.1f} minutes"
    yield standing(machine)
    for run in runs:
        yield f"\n{run.name}, {run.seconds:.0f} s" + (": CRASHED" if run.crashed else "")
        yield from (f"  {aim}" for found in run.found.values() for aim in found.aims)
    aims = [aim for run in runs for found in run.found.values() for aim in found.aims]
    missed, crashed = [aim for aim in aims if not aim.met], [run.name for run in runs if run.crashed]
    yield f"\n{len(missed)} of {len(aims)} aims MISSED" if missed else f"\nall {len(aims)} aims met"
    if crashed:
        yield f"CRASHED: {', '.join(crashed)}"
