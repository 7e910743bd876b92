"""When the scheduled checks run, as the settings say. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from alertd.config import CHECK_NAMES, Settings
from alertd.schedule.occurrences import Daily, Interval, Monthly, Schedule, Weekday, Weekly

Spec = Daily | Weekly | Monthly | Interval
Frequency = Literal["daily", "weekly", "monthly", "interval"]

_FREQUENCIES: Final[Mapping[type[Spec], Frequency]] = {
    Daily: "daily",
    Weekly: "weekly",
    Monthly: "monthly",
    Interval: "interval",
}


def schedules_of(settings: Settings) -> Mapping[str, Schedule]:
    """One for each scheduled check, by its name; times of day are in its own zone, UTC if none is set."""
    alerts = settings.alerts
    specs: Mapping[str, Spec] = {
        "daily_pnl_check": Daily(alerts.daily_pnl_time),
        "weekly_stability_check": Weekly(Weekday[alerts.weekly_stability_day.name], alerts.weekly_stability_time),
        "monthly_forward_test_update": Monthly(alerts.monthly_forward_day, alerts.monthly_forward_time),
        "performance_threshold_check": Daily(alerts.threshold_time_1),
        "evening_performance_check": Daily(alerts.threshold_time_2),
        "credential_health_check": Interval(timedelta(hours=settings.credentials.interval_hours)),
    }
    return {
        name: Schedule(
            name,
            specs[name],
            max_age=timedelta(hours=settings.checks[name].max_age_hours),
            timezone=settings.checks[name].time_zone,
        )
        for name in CHECK_NAMES
    }


def frequency(spec: Spec) -> Frequency:
    return _FREQUENCIES[type(spec)]


def time_of_day(schedule: Schedule) -> str | None:
    """`17:00 UTC`; None for an interval, which has none."""
    if isinstance(schedule.spec, Interval):
        return None
    return f"{schedule.spec.at:%H:%M} {schedule.timezone}"
