"""Every month: what is expected from now on, and is live surely worse than the reference?"""

from datetime import datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks.judgement import Judgement
from alertd.performance.checks.tracking import track_until
from alertd.performance.findings import Finding, Rule, no_data
from alertd.performance.projection import projected
from alertd.performance.reference import LEAST_DAYS, log_returns
from alertd.performance.rules.forward import changed_projection, forward_test
from alertd.performance.rules.retention import WINDOW_DAYS, comparable
from alertd.performance.stats.moments import moments
from alertd.performance.subject import Subject

NAME: Final = "monthly_forward_test_update"
LEAST_LIVE: Final = 30  # before it the projection is the reference's


def judge(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """The forward test, and a new projection where the reference supports one."""
    pair = comparable(Rule.FORWARD_TEST, subject, now)
    test = pair if isinstance(pair, Finding) else forward_test(*pair, thresholds)
    reference = subject.reference
    if reference is None or not reference.is_enough:
        have = 0 if reference is None else reference.days
        return Judgement((test, no_data(Rule.PROJECTION, have, LEAST_DAYS, "days of reference")))
    live = log_returns(subject.testable_days(now))[-WINDOW_DAYS:]
    made = projected(
        reference,
        moments(live) if len(live) >= LEAST_LIVE else None,
        subject.boundary.day_of(now),
        seed=subject.seed,
        track=track_until(subject, reference, subject.boundary.last_complete(now)),
    )
    return Judgement((test, changed_projection(made, subject.projection, reference)), projection=made)
