"""Sudden trouble: one day far below all others, or weeks that move too much."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.reference import Reference, log_returns
from alertd.performance.returns import DailyReturn
from alertd.performance.rules.wording import percent
from alertd.performance.stats import tail
from alertd.performance.stats.moments import moments
from alertd.performance.stats.volatility import scores
from alertd.performance.track import Track

# A crash is found although one or two runs were missed, and nobody hears of an older one.
TAIL_DAYS: Final = timedelta(days=3)
OWN_DAYS: Final = 20


def day_tail(track: Track, until: date) -> Finding:
    """The worst of the last three days, in present sd below the reference's mean."""
    recent = [seen for seen in track.recent if until - seen.day < TAIL_DAYS]
    if not recent:
        return no_data(Rule.DAY_TAIL, 0, 1, "usable days of the last three")
    worst = max(recent, key=lambda seen: seen.shortfall)
    return _tail(worst.day, worst.value, worst.shortfall)


def own_tail(days: Sequence[DailyReturn], until: date) -> Finding:
    """Without a reference: the worst of the last three days against those before them."""
    single = [day for day in days if day.span_days == 1]
    if len(single) <= OWN_DAYS:
        return no_data(Rule.DAY_TAIL, len(single), OWN_DAYS + 1, "live days")
    recent = sum(until - day.day < TAIL_DAYS for day in single)
    if recent == 0:
        return no_data(Rule.DAY_TAIL, 0, 1, "usable days of the last three")
    logs = log_returns(single)
    before = moments(logs[:-recent])
    if before.sd == 0:
        return cannot_judge(Rule.DAY_TAIL, "it never moved before.")
    shortfalls = -scores(logs, before.mean, before.sd)[-recent:]
    worst = int(shortfalls.argmax()) - recent
    return _tail(single[worst].day, float(logs[worst]), float(shortfalls[worst]))


def _tail(day: date, value: float, shortfall: float) -> Finding:
    status = Status.OK
    if shortfall > tail.DAY_CRITICAL:
        status = Status.CRITICAL
    elif shortfall > tail.DAY_WARNING:
        status = Status.WARNING
    return Finding(
        rule=Rule.DAY_TAIL,
        status=status,
        message=f"{percent(value)} on {day}: {shortfall:.1f} of its usual daily deviations below the mean."
        if status is not Status.OK
        else f"{percent(value)} on {day}, not unusual.",
        value=math.expm1(value),
        statistic=shortfall,
        threshold=tail.DAY_CRITICAL if status is Status.CRITICAL else tail.DAY_WARNING,
        details={"day": day.isoformat()},
    )


def volatility(track: Track, reference: Reference) -> Finding:
    """Never critical: moving a lot is not yet losing."""
    if track.observed < tail.VOLATILITY_DAYS:
        return no_data(Rule.VOLATILITY, track.observed, tail.VOLATILITY_DAYS, "live days")
    latest = [seen.deviation for seen in track.recent[-tail.VOLATILITY_DAYS :]]
    ratio = float(tail.volatility_ratio(sum(latest) / len(latest), reference.baseline.mean_deviation))
    status = Status.OK
    if ratio > tail.VOLATILITY_WARNING:
        status = Status.WARNING
    elif ratio > tail.VOLATILITY_NOTED:
        status = Status.INFO
    return Finding(
        rule=Rule.VOLATILITY,
        status=status,
        message=f"Moves {ratio:.1f} times as much as its reference did, over {tail.VOLATILITY_DAYS} days.",
        value=ratio,
        expected=1.0,
        statistic=ratio,
        threshold=tail.VOLATILITY_WARNING,
    )
