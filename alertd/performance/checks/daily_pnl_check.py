"""Every day: did it earn what it was projected to, and is what it lost more than noise?"""

from datetime import date, datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks.judgement import Judgement
from alertd.performance.checks.tracking import track_until
from alertd.performance.findings import Finding, Rule, cannot_judge, no_data
from alertd.performance.reference import LEAST_DAYS, Reference
from alertd.performance.rules.breaches import interval_breaches
from alertd.performance.rules.cone import within_cone
from alertd.performance.rules.drift import drift, pnl_deviation
from alertd.performance.rules.freshness import fresh_returns, held
from alertd.performance.rules.sudden import day_tail, own_tail, volatility
from alertd.performance.stats.expectation import expectation
from alertd.performance.subject import Subject
from alertd.performance.track import Track

NAME: Final = "daily_pnl_check"


def judge(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """Findings up to the last day that is over; the track to be stored, where there is a reference to hold it."""
    until = subject.boundary.last_complete(now)
    reference = subject.reference
    if reference is None or not reference.is_enough:
        return Judgement(_without(reference, subject, now, until))
    track = track_until(subject, reference, until)
    findings = [
        fresh_returns(track.judged_until, until),
        *_evidence(track, reference, thresholds, until),
        pnl_deviation(track, thresholds),
    ]
    if subject.projection is not None:
        findings.append(within_cone(track, subject.projection))
    return Judgement(tuple(findings), track=track)


def _evidence(track: Track, reference: Reference, thresholds: PerformanceSettings, until: date) -> list[Finding]:
    rules = (Rule.DRIFT, Rule.DAY_TAIL, Rule.VOLATILITY, Rule.BREACHES)
    waiting = [found for rule in rules if (found := held(rule, track.judged_until, until)) is not None]
    return waiting or [
        drift(track, expectation(reference.baseline), thresholds),
        day_tail(track, until),
        volatility(track, reference),
        interval_breaches(track, reference, thresholds),
    ]


def _without(reference: Reference | None, subject: Subject, now: datetime, until: date) -> tuple[Finding, ...]:
    days = subject.testable_days(now)
    have = 0 if reference is None else reference.days
    return (
        fresh_returns(days[-1].day if days else None, until),
        own_tail(days, until),
        no_data(Rule.DRIFT, have, LEAST_DAYS, "days of reference")
        if have < LEAST_DAYS
        else cannot_judge(Rule.DRIFT, "the reference never moves."),
    )
