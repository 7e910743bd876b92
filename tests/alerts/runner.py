"""A process that runs a schedule, as the daemon does, several times a second, and leaves a row of each run."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from alertd.alerts.execution import Executions
from alertd.alerts.job import Job
from alertd.config import RetrySettings
from alertd.db import open_db
from alertd.schedule import AlarmClock, Interval, Schedule

EVERY = timedelta(milliseconds=250)
SCHEDULE = Schedule("probe", Interval(EVERY), max_age=timedelta(minutes=1))
RETRY = RetrySettings(max_attempts=3, initial_delay=0.05, backoff_multiplier=1)


def wall_clock() -> datetime:
    return datetime.now(UTC)


async def main(dsn: str) -> None:
    async with open_db(dsn, pool_size=2) as db:

        async def work(at: datetime) -> Mapping[str, Any]:
            await db.execute("INSERT INTO ran (scheduled_at, pid) VALUES ($1, $2)", at, os.getpid())
            await asyncio.sleep(0.05)
            return {"seen": 1}

        executions = Executions(db, {"probe": Job(SCHEDULE, work, RETRY)}, wall_clock)
        print("up", flush=True)
        clock = AlarmClock(wall_clock, heartbeat=timedelta(milliseconds=500))
        await clock.run(asyncio.Event(), lambda: [SCHEDULE], executions.due)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
