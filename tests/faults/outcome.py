"""What seeds came to, for people: what was told, what went wrong, and whether each fault was felt."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.plan import KILLS, Fault, Strike


@dataclass
class Outcome:
    """Of one seed. `problems` is empty for a good one; `felt` is how often each fault was felt.

    `not_done` are the faults that cannot be brought about on this machine, and why.
    """

    seed: int
    strikes: list[Strike] = field(default_factory=list)
    felt: Counter[Fault] = field(default_factory=Counter)
    not_done: dict[Fault, str] = field(default_factory=dict)
    messages: int = 0
    repeats: int = 0
    failed_attempts: int = 0
    starts: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, *faults: Fault) -> int:
        return sum(strike.fault in faults for strike in self.strikes)

    @property
    def numb(self) -> list[Fault]:
        """Faults that struck, and that nobody felt: of those it proves nothing."""
        return [each for each in Fault if self.count(each) and not self.felt[each] and each not in self.not_done]

    def __str__(self) -> str:
        told = (
            f"{self.messages} messages arrived, {self.repeats} of them again with the same id; "
            f"{self.failed_attempts} attempts failed"
        )
        faults, kills = len(self.strikes), self.count(*KILLS)
        lines = [f"seed {self.seed}: {faults} faults, {kills} of them kills, {self.starts} starts; {told}"]
        return "\n".join([*lines, *self.problems])


def by_fault(outcomes: Iterable[Outcome]) -> str:
    """A table of all of them."""
    struck, felt, not_done = Counter[Fault](), Counter[Fault](), dict[Fault, str]()
    for outcome in outcomes:
        struck += Counter(strike.fault for strike in outcome.strikes)
        felt += outcome.felt
        not_done |= outcome.not_done
    width = max(map(len, Fault))
    rows = (f"{each:{width}} {struck[each]:6} {not_done.get(each) or felt[each]:>5}" for each in Fault)
    return "\n".join([f"{'fault':{width}}  times  felt", *rows])
