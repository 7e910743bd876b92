"""A process that tells operators of alerts, as the daemon does, with milliseconds for minutes."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from alertd.alerts.desk import keep_telling
from alertd.db import open_db

DELAY = timedelta(milliseconds=300)
EVERY = timedelta(milliseconds=30)


async def main(dsn: str) -> None:
    async with open_db(dsn, pool_size=2) as db:
        print("up", flush=True)
        await keep_telling(db, asyncio.Event(), lambda: datetime.now(UTC), delay=lambda: DELAY, every=EVERY)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
