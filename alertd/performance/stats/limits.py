"""Limits are contracts, not evidence: exact and immediate, with two looks against a bad reading and no flapping."""

from dataclasses import dataclass
from typing import Final

from alertd.model import Severity

EXCESS: Final = 1.5  # times a limit: believed at once, and an emergency if it is the critical one
CLEAR: Final = 0.8  # of the lower limit: only under it is a breach over
ROUNDING: Final = 1e-9  # 100 -> 92 is a fall of 8 %, whatever binary fractions say


@dataclass(frozen=True, slots=True)
class Limit:
    """In the unit of the values that are held against it; reaching a limit breaches it."""

    warning: float
    critical: float

    def severity(self, value: float) -> Severity | None:
        """What this value is by itself."""
        reached = value + ROUNDING
        if reached >= self.critical * EXCESS:
            return Severity.EMERGENCY
        if reached >= self.critical:
            return Severity.CRITICAL
        return Severity.WARNING if reached >= self.warning else None

    def confirmed(self, previous: float, latest: float) -> Severity | None:
        """What two looks in a row say: what both agree on, or at once what is exceeded by half."""
        agreed = self.severity(min(previous, latest))
        at_once = self._at_once(latest + ROUNDING)
        return max((agreed, at_once), key=_loudness)

    def _at_once(self, reached: float) -> Severity | None:
        if reached >= self.critical * EXCESS:
            return Severity.EMERGENCY
        return Severity.WARNING if reached >= self.warning * EXCESS else None

    def clears(self, value: float) -> bool:
        return value + ROUNDING < self.warning * CLEAR


def _loudness(severity: Severity | None) -> int:
    return -1 if severity is None else list(Severity).index(severity)
