"""Twice a day: the limits that were agreed, whether readings can be believed, and that they come."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks.judgement import Judgement
from alertd.performance.curve import Curve, Today, curve_of_days, curve_of_steps, today_of_days, today_of_steps
from alertd.performance.findings import Finding
from alertd.performance.reference import log_returns
from alertd.performance.returns import is_usable, steps
from alertd.performance.rules.freshness import fresh_equity, held
from alertd.performance.rules.limits import daily_loss, drawdown
from alertd.performance.rules.reading import equity_reading
from alertd.performance.rules.sharpe import sharpe_ratio
from alertd.performance.subject import Subject

NAME: Final = "performance_threshold_check"


def judge(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """From snapshots where the subject has them, else from its daily returns; what is old breaches nothing anew."""
    days = subject.testable_days(now)
    until, last_day = subject.boundary.last_complete(now), days[-1].day if days else None
    sharpe = _unless_old((sharpe_ratio(log_returns(days), thresholds),), last_day, until)
    if subject.equity_every is None:
        limits = _limits(curve_of_days(days), today_of_days(days), subject, thresholds)
        return Judgement((*_unless_old(limits, last_day, until), *sharpe))
    snapshots = [snapshot for snapshot in subject.snapshots if snapshot.at <= now]
    chain = steps(snapshots, subject.flows)
    last = max((snapshot.at for snapshot in snapshots if is_usable(snapshot)), default=None)
    limits = _limits(
        curve_of_steps(chain, subject.boundary), today_of_steps(chain, subject.boundary), subject, thresholds
    )
    limits = _unless_old(limits, None if last is None else subject.boundary.day_of(last), until)
    readings = (fresh_equity(last, subject.equity_every, now), equity_reading(snapshots, subject.flows, chain, now))
    return Judgement((*limits, *sharpe, *readings))


def _limits(
    curve: Curve, today: Today | None, subject: Subject, thresholds: PerformanceSettings
) -> tuple[Finding, ...]:
    return drawdown(curve, subject.limits, thresholds), daily_loss(today, subject.limits, thresholds)


def _unless_old(findings: Iterable[Finding], last: date | None, until: date) -> tuple[Finding, ...]:
    """Nobody is woken by a loss of a week ago because its day is the latest that is known."""
    return tuple(held(finding.rule, last, until) or finding for finding in findings)
