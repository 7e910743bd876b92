"""`python -m tests.webhooks.sending_process DSN`: a sender in a process of its own, to be killed."""

import asyncio
import sys
from datetime import UTC, datetime

from alertd.db import open_db
from tests.webhooks.post_office import a_sender


async def main(dsn: str) -> None:
    async with open_db(dsn, pool_size=4) as db, a_sender(db, lambda: datetime.now(UTC)) as sender:
        await sender.run(asyncio.Event())


asyncio.run(main(sys.argv[1]))
