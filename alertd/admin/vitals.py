"""Whether the daemon can do its work, and the gauges that mirror the database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.credentials import standing
from alertd.db import Db
from alertd.errors import Transient
from alertd.model import Verdict
from alertd.process import notify, pause, status

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(seconds=15)
AFTER_A_LOSS: Final = timedelta(seconds=1)
UNCHECKED: Final = "unchecked"


class Vitals:
    """Asks the database every so often; `store_usable` tells of the secret store."""

    def __init__(self, db: Db, *, store_usable: Callable[[], bool]) -> None:
        self._db = db
        self._store_usable = store_usable
        self._database_answers = False

    async def run(self, stop: asyncio.Event) -> None:
        """Look at once and then every so often, until `stop`."""
        while not stop.is_set():
            await self.look()
            await pause(stop, EVERY if self._database_answers else AFTER_A_LOSS)

    def waiting_for(self) -> list[str]:
        """What keeps the daemon from doing its work; empty when it is ready."""
        problems = [] if self._database_answers else ["database"]
        return problems if self._store_usable() else [*problems, "secret_store"]

    async def look(self) -> None:
        try:
            verdicts = await standing.count_by_verdict(self._db)
        except Transient as exc:
            if self._database_answers:
                log.error("Database lost", error=str(exc))  # noqa: TRY400 - the error says all there is
            self._database_answers = False
            metrics.DATABASE_UP.set(0)
            notify(status(headline(self.waiting_for(), {})))
            return
        if not self._database_answers:
            log.info("Database answers")
        self._database_answers = True
        metrics.DATABASE_UP.set(1)
        for verdict in (*Verdict, UNCHECKED):
            metrics.CREDENTIALS.labels(str(verdict)).set(verdicts.get(str(verdict), 0))
        notify(status(headline(self.waiting_for(), verdicts)))


def headline(waiting_for: Sequence[str], verdicts: Mapping[str, int]) -> str:
    """How the daemon is doing, in one line for `systemctl status`."""
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items(), reverse=True) if count)
    keys = f"{sum(verdicts.values())} keys" + (f": {counted}" if counted else "")
    return f"waiting for {' and '.join(waiting_for)}" if waiting_for else f"ready; {keys}"
