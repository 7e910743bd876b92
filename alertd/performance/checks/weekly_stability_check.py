"""Every week: does live keep what the reference had, over the last 180 days?"""

from datetime import datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks.judgement import Judgement
from alertd.performance.findings import Finding, Rule
from alertd.performance.reference import log_returns
from alertd.performance.rules.retention import WINDOW_DAYS, comparable, out_of_sample, stability, walk_forward
from alertd.performance.stats.stability import folds
from alertd.performance.subject import Subject

NAME: Final = "weekly_stability_check"


def judge(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """One test that may alert, and the two published scores beside it."""
    pair = comparable(Rule.STABILITY, subject, now)
    if isinstance(pair, Finding):
        return Judgement((pair,))
    months = folds(log_returns(subject.testable_days(now))[-WINDOW_DAYS:])
    return Judgement(
        (
            stability(*pair, thresholds),
            walk_forward(*pair, months, subject.windows, thresholds),
            out_of_sample(*pair, thresholds),
        )
    )
