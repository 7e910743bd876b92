"""`make bench`: runs the scripts one after the other, keeps what they found, and renews the documentation's figures.

    python -m benchmarks                    all of them: a quarter of an hour
    python -m benchmarks checks webhooks    only these; what is known of the others stays
    python -m benchmarks --full scale       with so much that it takes an hour, kept beside the usual figures
    python -m benchmarks --write            nothing is measured: renews the documentation's figures from results.json

Ends with 1 when a script crashed. A missed aim is no crash: on a machine that others use it says nothing of alertd,
and whether it does cannot be told from here. It is said loudly, and stands in the documentation.
"""

import argparse

from benchmarks.collecting import machine, results
from benchmarks.collecting.running import run
from benchmarks.collecting.scripts import SCRIPTS
from benchmarks.collecting.summary import standing, summary
from benchmarks.figures import pages


def main() -> int:
    options = _options()
    crashed = False if options.write else _measured(options.scripts, full=options.full)
    for page in pages.write(results.load()):
        print(f"renewed {page}")
    return 1 if crashed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=", ".join(script.name for script in SCRIPTS))
    parser.add_argument("--full", action="store_true", help="as large as it gets, where a script knows that")
    parser.add_argument("--write", action="store_true", help="measure nothing")
    options = parser.parse_args()
    unknown = set(options.scripts) - {script.name for script in SCRIPTS}
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    return options


def _measured(names: list[str], *, full: bool) -> bool:
    """Whether a script crashed. What each found is kept at once, so that a later one's end takes nothing away."""
    here = machine.this()
    print(standing(here))
    runs = []
    for script in SCRIPTS:
        if not names or script.name in names:
            runs.append(run(script, here, full=full))
            results.save({**results.load(), **runs[-1].found})
    print(summary(runs, here))
    return any(each.crashed for each in runs)


if __name__ == "__main__":
    raise SystemExit(main())
