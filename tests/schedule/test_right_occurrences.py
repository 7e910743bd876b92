"""Clocks that jump, summer time, month's ends and absences: the right occurrences, once, or a missed row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from alertd.alerts.execution import Executions
from alertd.alerts.job import Job
from alertd.config import RetrySettings
from alertd.db import Db
from alertd.schedule import Daily, Monthly, Schedule, Weekday, Weekly

HOUR = timedelta(hours=1)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE_TRY = RetrySettings(max_attempts=1, initial_delay=0, backoff_multiplier=1)
DAILY = Schedule("probe", Daily(time(17)), max_age=6 * HOUR)
LAST_DAY = Schedule("probe", Monthly(31, time(9)), max_age=24 * HOUR)
MONDAYS = Schedule("probe", Weekly(Weekday.MONDAY, time(8)), max_age=24 * HOUR)


def in_new_york(hour: int, minute: int) -> Schedule:
    return Schedule("probe", Daily(time(hour, minute)), max_age=6 * HOUR, timezone="America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Watch:
    """Processes that look at the clock, one after the other; whatever they run succeeds."""

    db: Db
    schedule: Schedule
    time: datetime = BEGINNING

    def process(self) -> Executions:
        async def work(_at: datetime) -> Mapping[str, Any]:
            return {}

        return Executions(self.db, {"probe": Job(self.schedule, work, ONE_TRY)}, lambda: self.time)

    async def look(self, *times: datetime, process: Executions | None = None) -> None:
        """One process looks at these times, in this order, whatever they are."""
        looking = process or self.process()
        for each in times:
            self.time = each
            await looking.due(self.schedule)
            await looking.drain(HOUR)

    async def rows(self) -> list[tuple[str, str, int]]:
        found = await self.db.fetch(
            "SELECT scheduled_at, state, missed_count FROM occurrences ORDER BY scheduled_at, state"
        )
        return [(f"{row['scheduled_at']:%Y-%m-%dT%H:%M}", row["state"], row["missed_count"]) for row in found]


def every(step: timedelta, begin: datetime, end: datetime) -> list[datetime]:
    return [begin + number * step for number in range((end - begin) // step + 1)]


def ran(*times: str) -> list[tuple[str, str, int]]:
    return [(each, "succeeded", 0) for each in times]


@pytest.mark.parametrize(
    ("schedule", "looks", "times"),
    [
        pytest.param(
            LAST_DAY,
            every(6 * HOUR, at("2028-01-30T03:00"), at("2028-05-01T03:00")),
            ["2028-01-31T09:00", "2028-02-29T09:00", "2028-03-31T09:00", "2028-04-30T09:00"],
            id="each month's last day, in a leap year",
        ),
        pytest.param(
            in_new_york(2, 30),
            every(30 * MINUTE, at("2026-03-07T00:00"), at("2026-03-10T00:00")),
            ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"],
            id="a time of day that summer time skips",
        ),
        pytest.param(
            in_new_york(1, 30),
            every(30 * MINUTE, at("2026-10-31T00:00"), at("2026-11-03T00:00")),
            ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"],
            id="a time of day that comes twice",
        ),
        pytest.param(
            MONDAYS,
            every(HOUR, at("2026-01-01T00:00"), at("2026-01-14T00:00")),
            ["2026-01-05T08:00", "2026-01-12T08:00"],
            id="true weekdays",
        ),
        pytest.param(
            DAILY,
            [at("2026-01-05T16:00"), at("2026-01-05T22:00"), at("2026-01-05T22:30")],
            ["2026-01-05T17:00"],
            id="clock set forward over it",
        ),
        pytest.param(
            DAILY,
            [at("2026-01-05T16:00"), at("2026-01-05T17:00"), at("2026-01-05T15:00"), at("2026-01-05T17:00")],
            ["2026-01-05T17:00"],
            id="clock set back before it",
        ),
        pytest.param(
            DAILY,
            [at("2026-01-05T16:00"), at("2031-05-05T17:00"), at("2026-01-05T17:00"), at("2026-01-06T17:01")],
            ["2026-01-05T17:00", "2026-01-06T17:00", "2031-05-05T17:00"],
            id="clock in a wrong year for a while",
        ),
    ],
)
async def test_each_runs_at_its_time_and_once(
    db: Db, schedule: Schedule, looks: Sequence[datetime], times: Sequence[str]
) -> None:
    watch = Watch(db, schedule)

    await watch.look(*looks)

    assert [row for row in await watch.rows() if row[1] != "missed"] == ran(*times)


@pytest.mark.parametrize(
    ("gone_until", "rows"),
    [
        ("2026-01-05T17:05", ran("2026-01-05T17:00")),
        ("2026-01-05T23:00", ran("2026-01-05T17:00")),
        ("2026-01-05T23:01", [("2026-01-05T17:00", "missed", 1)]),
        ("2026-01-07T18:00", [("2026-01-06T17:00", "missed", 2), *ran("2026-01-07T17:00")]),
    ],
)
async def test_restart_across_the_due_time(db: Db, gone_until: str, rows: list[tuple[str, str, int]]) -> None:
    watch = Watch(db, DAILY)
    await watch.look(at("2026-01-05T16:59"))

    await watch.look(at(gone_until), at(gone_until) + MINUTE)
    await watch.look(at(gone_until) + MINUTE)

    assert await watch.rows() == rows


async def test_two_processes_whose_clocks_differ_run_it_once(db: Db) -> None:
    watch = Watch(db, DAILY)
    ahead, behind = watch.process(), watch.process()
    await watch.look(at("2026-01-05T12:00"), process=ahead)

    for minutes in range(-4, 5):
        await watch.look(at("2026-01-05T17:00") + (minutes + 2) * MINUTE, process=ahead)
        await watch.look(at("2026-01-05T17:00") + (minutes - 2) * MINUTE, process=behind)

    assert await watch.rows() == ran("2026-01-05T17:00")


async def test_clock_set_forward_for_days_leaves_a_row_for_what_was_missed(db: Db) -> None:
    watch = Watch(db, DAILY)

    await watch.look(at("2026-01-05T17:00") - MINUTE, at("2026-01-09T18:00"))

    assert await watch.rows() == [("2026-01-08T17:00", "missed", 4), *ran("2026-01-09T17:00")]
