"""How long a claimed credential is ours: a minute, and a minute more for as long as this process works on it.

So the work of a process that died is taken over soon, and a look may still take its time: waiting for its turn
at a slow exchange, or for another try.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd.credentials import store
from alertd.credentials.store import Claim
from alertd.db import Db
from alertd.errors import Transient

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
EXTENDED_EVERY: Final = LEASE / 3


async def keep(db: Db, claims: Callable[[], Sequence[Claim]], now: Callable[[], datetime]) -> None:
    """Extend these leases until cancelled; `claims` is asked each time which they are."""
    while True:
        await asyncio.sleep(EXTENDED_EVERY.total_seconds())
        try:
            await store.extend(db, claims(), until=now() + LEASE)
        except Transient as exc:
            log.debug("Leases of checks not extended", error=str(exc))
