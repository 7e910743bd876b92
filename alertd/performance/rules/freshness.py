"""Does data keep coming? What is not measured cannot be called well, so its absence is an alert of its own."""

from datetime import date, datetime, timedelta
from typing import Final

from alertd.model import iso_utc
from alertd.performance.findings import Finding, Rule, Status, no_data
from alertd.performance.returns import LONGEST_GAP

MISSED_SNAPSHOTS: Final = 2


def fresh_returns(last: date | None, until: date) -> Finding:
    """`last` is the latest day with a return that could be used, `until` the latest day that is over."""
    if last is None:
        return no_data(Rule.FRESH_RETURNS, 0, 1, "live days")
    missing = (until - last).days
    stale = missing > LONGEST_GAP
    return Finding(
        rule=Rule.FRESH_RETURNS,
        status=Status.WARNING if stale else Status.OK,
        message=f"No usable daily return since {last}, {missing} days are missing; nothing else is judged meanwhile."
        if stale
        else f"Daily returns are there up to {last}.",
        value=missing,
        threshold=LONGEST_GAP,
        details={"last_day": last.isoformat()},
    )


def fresh_equity(last: datetime | None, every: timedelta, now: datetime) -> Finding:
    """`last` is the time of the latest usable snapshot, `every` how often there should be one."""
    if last is None:
        return no_data(Rule.FRESH_EQUITY, 0, 1, "usable equity snapshots")
    missed = max(0, (now - last) // every)
    stale = missed >= MISSED_SNAPSHOTS
    return Finding(
        rule=Rule.FRESH_EQUITY,
        status=Status.WARNING if stale else Status.OK,
        message=f"No usable equity since {iso_utc(last)}: {missed} snapshots in a row are missing."
        if stale
        else f"Equity was last read at {iso_utc(last)}.",
        value=missed,
        threshold=MISSED_SNAPSHOTS,
        details={"last_snapshot": iso_utc(last)},
    )


def held(rule: Rule, last: date | None, until: date) -> Finding | None:
    """What a rule says when newer days are missing: nothing is judged and nothing forgotten. None while they come."""
    if last is None or (until - last).days <= LONGEST_GAP:
        return None
    return Finding(rule=rule, status=Status.STALE, message=f"Held as it was on {last}, for want of newer data.")
