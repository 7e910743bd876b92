"""Can the latest equity reading be believed? A jump is a loss, or money that moved and was not reported."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from alertd.model import iso_utc
from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.returns import UNEXPLAINED, Flow, Quality, Snapshot, Step, is_usable, steps

SPOKEN_OF: Final = timedelta(hours=24)


def equity_reading(
    snapshots: Sequence[Snapshot], flows: Sequence[Flow], chain: Sequence[Step], now: datetime
) -> Finding:
    """Warns of a first jump, and is sure of a fall that a second reading confirmed, for a day.

    `chain` are the steps between usable ones of these snapshots.
    """
    latest = max(snapshots, key=lambda snapshot: snapshot.at, default=None)
    if latest is None:
        return no_data(Rule.EQUITY_READING, 0, 1, "equity snapshots")
    if latest.quality is Quality.PARTIAL:
        return cannot_judge(Rule.EQUITY_READING, "something in the latest reading could not be valued; it is not used.")
    if latest.quality is Quality.SUSPECT:
        last = max(filter(is_usable, snapshots), key=lambda snapshot: snapshot.at, default=None)
        return _suspect(latest, last, flows)
    recent = takewhile(lambda step: now - step.end.at < SPOKEN_OF, reversed(chain))
    jump = next(filter(_unexplained, recent), None)
    if jump is None:
        return Finding(rule=Rule.EQUITY_READING, status=Status.OK, message="The latest reading is plausible.")
    return _found(Status.CRITICAL if jump.gain < 0 else Status.WARNING, jump, "; a second reading confirms it")


def _unexplained(step: Step) -> bool:
    """More than a quarter down or up, even as a part of the larger side."""
    return not -UNEXPLAINED <= step.cautious <= UNEXPLAINED / (1 + UNEXPLAINED)


def _suspect(latest: Snapshot, last: Snapshot | None, flows: Sequence[Flow]) -> Finding:
    if latest.equity <= 0:
        return cannot_judge(Rule.EQUITY_READING, "the latest reading is empty where there was something; not believed.")
    jump = () if last is None else steps((last, replace(latest, quality=Quality.OK)), flows)
    if not jump:
        return cannot_judge(Rule.EQUITY_READING, "the latest reading is used once a second one confirms it.")
    return _found(Status.WARNING, jump[0], "; it is used once a second reading confirms it")


def _found(status: Status, jump: Step, rest: str) -> Finding:
    """Of what recorded flows leave unexplained."""
    change = jump.cautious if jump.value is None else jump.value
    fell = change <= 0
    return Finding(
        rule=Rule.EQUITY_READING,
        status=status,
        message=f"Equity {'fell' if fell else 'rose'} by {abs(change):.0%} up to {iso_utc(jump.end.at)}: "
        f"{'a loss, or a withdrawal' if fell else 'a gain, or a deposit'} that was not reported{rest}.",
        value=jump.end.equity,
        expected=jump.start.equity,
        statistic=change,
        threshold=UNEXPLAINED,
        details={"at": iso_utc(jump.end.at)},
    )
