"""The scheduled checks: when they run, how they retry, and the published thresholds they display."""

from datetime import time
from pathlib import Path
from typing import Final, Self

from pydantic import model_validator

from alertd.config.kinds import (
    Attempts,
    Conflicts,
    Counting,
    Day,
    DayOfMonth,
    Measure,
    Minutes,
    Multiplier,
    Period,
    Seconds,
    TimeOfDay,
    TimeZone,
    Weekday,
)
from alertd.config.section import Section


class AlertSettings(Section):
    """When the scheduled checks run, each by its own clock, how they retry, how alerts are held back and escalated."""

    daily_pnl_time: TimeOfDay = time(17)
    weekly_stability_time: TimeOfDay = time(8)
    weekly_stability_day: Day = Weekday.MONDAY
    monthly_forward_time: TimeOfDay = time(9)
    monthly_forward_day: DayOfMonth = 1
    threshold_time_1: TimeOfDay = time(12)
    threshold_time_2: TimeOfDay = time(22)
    max_retry_attempts: Attempts = 3
    retry_delay_seconds: Seconds = 60.0
    retry_backoff_multiplier: Multiplier = 2.0
    suppress_similar_minutes: Minutes = 60.0
    escalation_delay_minutes: Minutes = 15.0
    history_dir: Path


class RetrySettings(Section):
    """How one scheduled check is tried again within an occurrence; delays in seconds."""

    max_attempts: Attempts
    initial_delay: Seconds
    backoff_multiplier: Multiplier
    max_delay: Seconds = 300.0


class CheckSettings(Section):
    """What one scheduled check has of its own. A missed run is made up for while younger than `max_age_hours`.

    `time_zone` gives its time of day in `AlertSettings` a meaning, and its day.
    """

    retry: RetrySettings
    max_age_hours: Period
    time_zone: TimeZone = "UTC"


class ChecksSettings(Section):
    """The six scheduled checks, by name or by `checks[name]`."""

    daily_pnl_check: CheckSettings
    weekly_stability_check: CheckSettings
    monthly_forward_test_update: CheckSettings
    performance_threshold_check: CheckSettings
    evening_performance_check: CheckSettings
    credential_health_check: CheckSettings

    def __getitem__(self, name: str) -> CheckSettings:
        if name not in CHECK_NAMES:
            raise KeyError(name)
        check: CheckSettings = getattr(self, name)
        return check


CHECK_NAMES: Final = tuple(ChecksSettings.model_fields)
WEEKLY_OR_RARER: Final = frozenset({"weekly_stability_check", "monthly_forward_test_update"})


class PerformanceSettings(Section):
    """The published thresholds: displayed targets and materiality floors, in percent, ratios and counts."""

    pnl_deviation_warning_percent: Measure = 25.0
    pnl_deviation_critical_percent: Measure = 50.0
    drawdown_warning_percent: Measure = 8.0
    drawdown_critical_percent: Measure = 12.0
    daily_loss_warning_percent: Measure = 3.0
    daily_loss_critical_percent: Measure = 5.0
    breaches_warning: Counting = 3
    breaches_critical: Counting = 5
    sharpe_warning: Measure = 0.8
    sharpe_critical: Measure = 0.5
    walk_forward_warning: Measure = 60.0
    walk_forward_critical: Measure = 50.0
    out_of_sample_warning: Measure = 70.0
    out_of_sample_critical: Measure = 50.0
    read_balances: bool = False
    balance_interval_hours: Period = 6.0

    @model_validator(mode="after")
    def _critical_is_worse(self) -> Self:
        found = []
        for name in _MORE_IS_WORSE + _LESS_IS_WORSE:
            warning, critical = name.format("warning"), name.format("critical")
            gap = getattr(self, critical) - getattr(self, warning)
            if (gap < 0) if name in _MORE_IS_WORSE else (gap > 0):
                side = "least" if name in _MORE_IS_WORSE else "most"
                found.append((critical, f"must be at {side} performance.{warning}, {getattr(self, warning):g}"))
        if found:
            raise Conflicts(found)
        return self


_MORE_IS_WORSE: Final = ("pnl_deviation_{}_percent", "drawdown_{}_percent", "daily_loss_{}_percent", "breaches_{}")
_LESS_IS_WORSE: Final = ("sharpe_{}", "walk_forward_{}", "out_of_sample_{}")
