"""When scheduled things are due: computed purely, woken by APScheduler, decided by the database."""

from alertd.schedule.alarm import AlarmClock
from alertd.schedule.checks import Frequency, frequency, schedules_of, time_of_day
from alertd.schedule.occurrences import (
    Daily,
    Interval,
    Monthly,
    Plan,
    Schedule,
    Weekday,
    Weekly,
    next_after,
    occurrence_at_or_before,
    plan,
    upcoming,
)

__all__ = [
    "AlarmClock",
    "Daily",
    "Frequency",
    "Interval",
    "Monthly",
    "Plan",
    "Schedule",
    "Weekday",
    "Weekly",
    "frequency",
    "next_after",
    "occurrence_at_or_before",
    "plan",
    "schedules_of",
    "time_of_day",
    "upcoming",
]
