"""The five scheduled checks: what each judges, and under which name its alerts are known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alertd.config import PerformanceSettings
from alertd.performance.checks import (
    daily_pnl_check,
    evening_performance_check,
    monthly_forward_test_update,
    performance_threshold_check,
    weekly_stability_check,
)
from alertd.performance.checks.judgement import Judgement
from alertd.performance.subject import Subject

__all__ = ["CHECKS", "Check", "Judge", "Judgement"]

# Pure, and never raises for anything that data can be.
Judge = Callable[[Subject, PerformanceSettings, datetime], Judgement]


@dataclass(frozen=True, slots=True)
class Check:
    """`alerts_as` is the check in its alerts' identity: two checks that ask the same share their alerts."""

    name: str
    judge: Judge
    alerts_as: str


CHECKS: Final = {
    check.name: check
    for check in (
        Check(daily_pnl_check.NAME, daily_pnl_check.judge, daily_pnl_check.NAME),
        Check(weekly_stability_check.NAME, weekly_stability_check.judge, weekly_stability_check.NAME),
        Check(monthly_forward_test_update.NAME, monthly_forward_test_update.judge, monthly_forward_test_update.NAME),
        Check(performance_threshold_check.NAME, performance_threshold_check.judge, performance_threshold_check.NAME),
        Check(evening_performance_check.NAME, evening_performance_check.judge, performance_threshold_check.NAME),
    )
}
