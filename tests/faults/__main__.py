"""The long form: seeds one after the other until so many processes were killed.

python -m tests.faults --kills 200         new seeds
python -m tests.faults --seed 17           the same run again
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.outcome import Outcome, by_fault
from tests.faults.plan import KILLS
from tests.faults.story import play


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--strikes", type=int, default=12)
    parser.add_argument("--seed", type=int, help="only this one")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    while True:
        seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
        print(f"seed {seed} ...", flush=True)
        outcome = _play(seed, rounds=options.rounds, strikes=options.strikes)
        print(outcome, flush=True)
        outcomes.append(outcome)
        killed = sum(each.count(*KILLS) for each in outcomes)
        if options.seed is not None or killed >= options.kills:
            break
    bad = [each.seed for each in outcomes if each.problems]
    print(by_fault(outcomes))
    print(f"{killed} kills; seeds that went wrong: {bad or 'none'}")
    return 1 if bad else 0


def _play(seed: int, *, rounds: int, strikes: int):
    folder = Path(tempfile.mkdtemp(prefix="alertd-soak-"))
    folder.chmod(0o711)
    try:
        return asyncio.run(play(seed, folder, number_of_rounds=rounds, strikes=strikes, progress=print))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
