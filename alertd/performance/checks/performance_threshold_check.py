"""Twice a day, and on new equity: the limits that were agreed, whether readings can be believed, and that they come."""

from datetime import datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks.judgement import Judgement
from alertd.performance.curve import Curve, Today, curve_of_days, curve_of_steps, today_of_days, today_of_steps
from alertd.performance.findings import Finding
from alertd.performance.reference import log_returns
from alertd.performance.returns import is_usable, steps
from alertd.performance.rules.freshness import fresh_equity
from alertd.performance.rules.limits import daily_loss, drawdown
from alertd.performance.rules.reading import equity_reading
from alertd.performance.rules.sharpe import sharpe_ratio
from alertd.performance.subject import Subject

NAME: Final = "performance_threshold_check"


def judge(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """From snapshots where the subject has them, else from its daily returns."""
    days = subject.usable_days(now)
    findings = [sharpe_ratio(log_returns(days), thresholds)]
    if subject.equity_every is None:
        return Judgement((*_limits(curve_of_days(days), today_of_days(days), subject, thresholds), *findings))
    snapshots = [snapshot for snapshot in subject.snapshots if snapshot.at <= now]
    chain = steps(snapshots, subject.flows)
    last = max((snapshot.at for snapshot in snapshots if is_usable(snapshot)), default=None)
    curve, today = curve_of_steps(chain, subject.boundary), today_of_steps(chain, subject.boundary)
    findings += [fresh_equity(last, subject.equity_every, now), equity_reading(snapshots, chain, now)]
    return Judgement((*_limits(curve, today, subject, thresholds), *findings))


def _limits(
    curve: Curve, today: Today | None, subject: Subject, thresholds: PerformanceSettings
) -> tuple[Finding, Finding]:
    return drawdown(curve, subject.limits, thresholds), daily_loss(today, subject.limits, thresholds)
