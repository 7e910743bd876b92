"""One run of a check over all subjects: selected in batches, judged in the stats thread, told in one transaction.

What is remembered of a subject follows from its data alone, so a run that broke off and is repeated
finds the same; and what was told is not told again.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from alertd import metrics
from alertd.alerts.lifecycle import Policy
from alertd.alerts.observations import Outcome
from alertd.config import PerformanceSettings
from alertd.db import Db
from alertd.errors import AlertdError
from alertd.performance.checks import Check
from alertd.performance.evaluation_store import messages_of, worst
from alertd.performance.findings import Status
from alertd.performance.judging import Judged, hear
from alertd.performance.missing import notice_missing
from alertd.performance.outcome import outcome
from alertd.performance.registering import Sending
from alertd.performance.remembering import remember
from alertd.performance.selection import Among, Selected, batches, select, selected
from alertd.performance.settling import OURSELVES, settle, settle_within
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.telling import tell
from alertd.performance.watched import Watched

MOST_NAMED: Final = 5


class NotJudged(AlertdError):
    """Some subjects met a bug of ours; all others were judged, and told of."""


class _Rehearsed(Exception):
    """Ends a transaction that was never meant to last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a run needs."""

    db: Db
    thresholds: PerformanceSettings
    policy: Policy
    now: Callable[[], datetime]


@dataclass(slots=True)
class _Run:
    judged: list[Judged] = field(default_factory=list)
    broken: list[Watched] = field(default_factory=list)

    async def judge(self, outside: Outside, check: Check, subjects: Selected, at: datetime) -> Sequence[Judged]:
        """In the stats thread. What is to be remembered of them is only in the answer."""
        heard = await in_stats_thread(partial(hear, check, subjects, outside.thresholds, at))
        self.judged += [each.said for each in heard.judged]
        self.broken += heard.broken
        return heard.judged

    def result(self, told: Outcome) -> Mapping[str, Any]:
        steps = {str(step): count for step, count in told.steps.items()}
        return {**outcome(self.judged), "alerts": steps, "told": told.told}

    def complain(self) -> None:
        if self.broken:
            named = ", ".join(watched.name for watched in self.broken[:MOST_NAMED])
            count = f"{len(self.broken)} of {len(self.broken) + len(self.judged)} subjects"
            raise NotJudged(f"{count} could not be judged, an internal error; see the log: {named}")


async def evaluate(outside: Outside, check: Check, at: datetime, among: Among = None) -> Mapping[str, Any]:
    """Judge all subjects as of `at`, and tell of what changed. Raises Transient, or NotJudged once all is done."""
    async for batch in batches(outside.db, among):
        await settle(outside.db, batch, at)
    run = _Run()
    async for subjects in select(outside.db, check.name, at, among):
        judged = await run.judge(outside, check, subjects, at)
        await remember(outside.db, judged, Sending(OURSELVES, outside.now(), outside.thresholds))
    now = outside.now()
    if among is None:
        async with outside.db.transaction() as tx:
            await notice_missing(tx, run.judged, now)
    async with outside.db.transaction() as tx:
        told = await tell(tx, check, run.judged, policy=outside.policy, at=at, now=now)
    if among is None:
        _count(check, run.judged)
    run.complain()
    return run.result(told)


def _count(check: Check, judged: Sequence[Judged]) -> None:
    found = Counter(worst(each.judgement.findings) for each in judged)
    for status in Status:
        metrics.PERFORMANCE_SUBJECTS.labels(check.name, str(status)).set(found[status])


async def rehearse(outside: Outside, check: Check, at: datetime) -> Mapping[str, Any]:
    """What `evaluate` would find and send now; nothing is stored. Raises Transient or NotJudged."""
    run = _Run()
    async for subjects in _foreseen(outside.db, check, at):
        await run.judge(outside, check, subjects, at)
    now = outside.now()
    would_send: Sequence[Mapping[str, Any]] = ()
    told = Outcome({}, 0)
    with suppress(_Rehearsed):
        async with outside.db.transaction() as tx:
            await notice_missing(tx, run.judged, now)
            told = await tell(tx, check, run.judged, policy=outside.policy, at=at, now=now)
            would_send = await messages_of(tx, now)
            raise _Rehearsed
    run.complain()
    return {**run.result(told), "would_send": would_send}


async def _foreseen(db: Db, check: Check, at: datetime) -> AsyncIterator[Selected]:
    """Every subject as it would be once its days were settled. A batch at a time, because senders of rows wait."""
    async for batch in batches(db):
        found: Selected = ()
        with suppress(_Rehearsed):
            async with db.transaction() as tx:
                await settle_within(tx, batch, at)
                found = await selected(tx, check.name, batch, at)
                raise _Rehearsed
        yield found
