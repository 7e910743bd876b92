"""The six scheduled checks, at the times of the settings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.config import CHECK_NAMES, Settings, load
from alertd.schedule import frequency, next_after, schedules_of, time_of_day

MONDAY_NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={"STATE_DIRECTORY": str(tmp_path)})


def loaded(tmp_path: Path, **environ: str) -> Settings:
    return load(environ={"STATE_DIRECTORY": str(tmp_path), **environ})


def test_there_is_one_for_each_check(settings: Settings) -> None:
    assert tuple(schedules_of(settings)) == CHECK_NAMES
    assert len(CHECK_NAMES) == 6


@pytest.mark.parametrize(
    ("name", "kind", "shown", "first"),
    [
        ("daily_pnl_check", "daily", "17:00 UTC", datetime(2026, 1, 5, 17, 0, tzinfo=UTC)),
        ("weekly_stability_check", "weekly", "08:00 UTC", datetime(2026, 1, 12, 8, 0, tzinfo=UTC)),
        ("monthly_forward_test_update", "monthly", "09:00 UTC", datetime(2026, 2, 1, 9, 0, tzinfo=UTC)),
        ("performance_threshold_check", "daily", "12:00 UTC", datetime(2026, 1, 6, 12, 0, tzinfo=UTC)),
        ("evening_performance_check", "daily", "22:00 UTC", datetime(2026, 1, 5, 22, 0, tzinfo=UTC)),
        ("credential_health_check", "interval", None, datetime(2026, 1, 5, 18, 0, tzinfo=UTC)),
    ],
)
def test_each_runs_when_it_was_published(
    settings: Settings, name: str, kind: str, shown: str | None, first: datetime
) -> None:
    schedule = schedules_of(settings)[name]

    assert (frequency(schedule.spec), time_of_day(schedule)) == (kind, shown)
    assert next_after(schedule, MONDAY_NOON) == first


@pytest.mark.parametrize(
    ("environ", "name", "first"),
    [
        ({"ALERT_DAILY_PNL_TIME": "21:30"}, "daily_pnl_check", datetime(2026, 1, 5, 21, 30, tzinfo=UTC)),
        ({"ALERT_WEEKLY_STABILITY_DAY": "sun"}, "weekly_stability_check", datetime(2026, 1, 11, 8, 0, tzinfo=UTC)),
        ({"ALERT_WEEKLY_STABILITY_DAY": "monday"}, "weekly_stability_check", datetime(2026, 1, 12, 8, 0, tzinfo=UTC)),
        ({"ALERT_WEEKLY_STABILITY_DAY": "tuesday"}, "weekly_stability_check", datetime(2026, 1, 6, 8, 0, tzinfo=UTC)),
        ({"ALERT_MONTHLY_FORWARD_DAY": "31"}, "monthly_forward_test_update", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ({"ALERT_THRESHOLD_TIME_1": "13:15"}, "performance_threshold_check", datetime(2026, 1, 5, 13, 15, tzinfo=UTC)),
        ({"ALERT_THRESHOLD_TIME_2": "23:59"}, "evening_performance_check", datetime(2026, 1, 5, 23, 59, tzinfo=UTC)),
        (
            {"CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": "0.5"},
            "credential_health_check",
            datetime(2026, 1, 5, 12, 30, tzinfo=UTC),
        ),
    ],
)
def test_each_follows_its_setting(tmp_path: Path, environ: dict[str, str], name: str, first: datetime) -> None:
    assert next_after(schedules_of(loaded(tmp_path, **environ))[name], MONDAY_NOON) == first


def test_how_late_one_may_be_made_up_for_is_a_setting(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ALERTD_CHECKS__DAILY_PNL_CHECK__MAX_AGE_HOURS="2")

    assert schedules_of(settings)["daily_pnl_check"].max_age == 2 * HOUR
    assert schedules_of(settings)["weekly_stability_check"].max_age == 24 * HOUR


def test_a_check_runs_by_its_own_time_zone_and_its_summer_time(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ALERTD_CHECKS__DAILY_PNL_CHECK__TIME_ZONE="America/New_York")
    schedule = schedules_of(settings)["daily_pnl_check"]

    winter = next_after(schedule, MONDAY_NOON)
    summer = next_after(schedule, datetime(2026, 7, 6, 12, 0, tzinfo=UTC))

    assert (winter.hour, summer.hour) == (22, 21)
    assert time_of_day(schedule) == "17:00 America/New_York"
