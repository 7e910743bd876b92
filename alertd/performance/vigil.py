"""Looks at an account's limits as soon as there is new equity, between the two times a day at which all are looked at.

It tells of what begins, gets worse and ends; reminders are left to the scheduled checks.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from alertd.errors import Transient
from alertd.performance.checks import CHECKS, performance_threshold_check
from alertd.performance.evaluation import NotJudged, Outside, evaluate
from alertd.performance.evaluation_store import with_new_equity
from alertd.process.loops import pause

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(seconds=30)
CHECK: Final = CHECKS[performance_threshold_check.NAME]
NAMES: Final = [each.name for each in CHECKS.values() if each.alerts_as == CHECK.alerts_as]


class Vigil:
    """Each reading makes one look; `outside` is asked for each time, because settings may change."""

    def __init__(self, outside: Callable[[], Outside]) -> None:
        self._outside = outside
        self._seen: dict[UUID, datetime] = {}  # a subject that meets a bug of ours is not tried again and again

    async def run(self, stop: asyncio.Event) -> None:
        """Look every half minute, until `stop`."""
        while not stop.is_set():
            try:
                await self.look()
            except Transient as exc:
                log.debug("Limits wait for the database", error=str(exc))
            await pause(stop, EVERY)

    async def look(self) -> None:
        """Once. Raises Transient."""
        outside = self._outside()
        found = await with_new_equity(outside.db, NAMES, outside.now())
        new = {subject_id for subject_id, at in found.items() if self._seen.get(subject_id) != at}
        if not new:
            return
        quiet = replace(outside, policy=replace(outside.policy, remind_every=None))
        try:
            await evaluate(quiet, CHECK, outside.now(), among=new)
        except NotJudged as exc:
            log.warning("Limits not judged", error=str(exc))
        self._seen = dict(found)
