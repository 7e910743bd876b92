"""How often are healthy strategies accused, and how soon is decay found? The published rule and ours, side by side.

    python benchmarks/detection.py [--paths 4000] [--write]

Simulated strategies with a year of reference and a year of live, fixed seed, about a minute; the aims are
the promises of the documentation. `--write` renews docs/detection.svg and the tables
in docs/performance.md.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.detecting.drawing import picture
from benchmarks.detecting.tables import report
from benchmarks.detecting.targets import targets
from benchmarks.detecting.trial import Trial, run
from benchmarks.report import conclude, flat

DOCS: Final = Path(__file__).parent.parent / "docs"
BEGIN: Final = "<!-- detection: written by benchmarks/detection.py -->"
END: Final = "<!-- end of detection -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=4000, help="strategies in the population")
    parser.add_argument("--write", action="store_true", help="renew the documentation's figures")
    options = parser.parse_args()
    trial = run(options.paths, max(1, options.paths // 2))
    print(report(trial))
    if options.write:
        write(report(trial), picture(trial))
    conclude("detection", aims=[target.aim for target in targets(trial)], figures=_figures(trial))


def _figures(trial: Trial) -> dict[str, float]:
    rules = {name: asdict(found) | {"already": trial.already[name]} for name, found in trial.healthy.items()}
    return flat(rules | {name: found.figures for name, found in trial.bent.items()})


def write(tables: str, drawing: str) -> None:
    (DOCS / "detection.svg").write_text(drawing, encoding="utf-8")
    page = DOCS / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
