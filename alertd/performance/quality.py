"""Can this equity reading be true? Grades a new snapshot by what the account did before. Pure."""

import math
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Final

from alertd.performance.returns import UNEXPLAINED, Flow, Quality, Snapshot, gain, modified_dietz, steps

FAR: Final = 8.0  # robust sd
TRIFLE: Final = 0.03  # a change that no limit would notice is never suspect
ENOUGH_STEPS: Final = 20
AGREEMENT: Final = 0.05  # between two suspect readings that confirm each other
HOUR: Final = timedelta(hours=1)


def graded(reading: Snapshot, known: Sequence[Snapshot], flows: Sequence[Flow]) -> Quality:
    """What to store with a new reading; `known` are earlier ones with their grades, `flows` all recorded ones.

    A reading that jumps is suspect until another one like it confirms it. Nothing, or less, where there was
    something before is believed only when recorded flows explain it: an empty answer is no ruin.
    """
    if not math.isfinite(reading.equity):
        return Quality.PARTIAL
    earlier = sorted((s for s in known if s.at < reading.at), key=lambda snapshot: snapshot.at)
    usable = [s for s in earlier if s.quality is Quality.OK]
    if not usable or not jumps(usable, reading, flows):
        return Quality.OK
    if reading.equity > 0 and earlier[-1].quality is Quality.SUSPECT and _agree(earlier[-1], reading, flows):
        return Quality.OK
    return Quality.SUSPECT


def jumps(usable: Sequence[Snapshot], reading: Snapshot, flows: Sequence[Flow]) -> bool:
    """Whether the account moved by more than a quarter, or by 8 of its own robust sd, since its last usable reading."""
    last = usable[-1]
    between = [flow for flow in flows if last.at < flow.at <= reading.at]
    unexplained = gain(last, reading, between)
    change = modified_dietz(last, reading, between)
    if change is None:
        change = unexplained / max(abs(last.equity), abs(reading.equity), math.ulp(0.0))
    if reading.equity <= 0 < last.equity:
        return abs(unexplained) > TRIFLE * last.equity
    if abs(change) <= TRIFLE:
        return False
    usual = hourly_sd(usable, flows)
    hours = (reading.at - last.at) / HOUR
    return abs(change) > UNEXPLAINED or (usual is not None and abs(change) > FAR * usual * max(hours, 1.0) ** 0.5)


def hourly_sd(usable: Sequence[Snapshot], flows: Sequence[Flow]) -> float | None:
    """The robust sd of an hour's return: 1.4826 times the median size; None before 20 steps are known."""
    sizes = [
        abs(step.value) / ((step.end.at - step.start.at) / HOUR) ** 0.5
        for step in steps(usable, flows)
        if step.value is not None
    ]
    return 1.4826 * median(sizes) if len(sizes) >= ENOUGH_STEPS else None


def _agree(suspect: Snapshot, reading: Snapshot, flows: Sequence[Flow]) -> bool:
    between = [flow for flow in flows if suspect.at < flow.at <= reading.at]
    change = modified_dietz(suspect, reading, between) if suspect.equity > 0 else None
    return change is not None and abs(change) <= AGREEMENT
