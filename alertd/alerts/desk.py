"""Tells operators what is theirs to hear of tenants' alerts: gathered, and once more when nobody acknowledges.

What is due stands in the alerts themselves, and one daemon at a time looks: each look is one transaction, so
a process that dies in it has told nothing, and one that dies after it has told all.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.alerts import log_store, operators_store, store
from alertd.alerts.catch_up import tell_after_silence
from alertd.alerts.explanation import Decision
from alertd.alerts.operators import News, Notice, escalation, notices
from alertd.alerts.quiet import Surroundings
from alertd.alerts.silences import labels_of
from alertd.db import Db, Tx
from alertd.errors import Transient
from alertd.model import Event, EventType, Receiver, Severity
from alertd.process.loops import pause
from alertd.webhooks import notifiers, outbox
from alertd.webhooks.message import new_event_id

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(seconds=5)
AT_ONCE: Final = 500  # alerts of one look; the rest comes with the next


async def keep_telling(
    db: Db,
    stop: asyncio.Event,
    now: Callable[[], datetime],
    *,
    delay: Callable[[], timedelta],
    told: Callable[[], None] = lambda: None,
    beat: Callable[[], None] = lambda: None,
    every: timedelta = EVERY,
) -> None:
    """Look every so often until `stop`; `delay` is how long an acknowledgement is waited for.

    `told` is called when there are new messages to be sent. A database that is away is asked again.
    """
    while not stop.is_set():
        beat()
        try:
            if await tell(db, delay=delay(), now=now()):
                told()
            await _count(db)
        except Transient as exc:
            log.warning("Alerts wait for the database", problem=str(exc))
        await pause(stop, every)


async def tell(db: Db, *, delay: timedelta, now: datetime) -> int:
    """One look; answers the number of messages. None where another daemon is looking."""
    late = await tell_after_silence(db, now)
    async with db.transaction() as tx:
        if not await store.alone(tx, operators_store.LOCK):
            return late
        receivers = await notifiers.receivers(tx)
        escalated = await _escalate(tx, receivers, delay=delay, now=now)
        gathered = await _gather(tx, receivers, now)
    if escalated:
        metrics.ESCALATIONS.inc(escalated)
        log.warning("Alerts escalated that nobody acknowledged", alerts=escalated)
    return late + gathered + bool(escalated)


async def _escalate(tx: Tx, receivers: Sequence[Receiver], *, delay: timedelta, now: datetime) -> int:
    """Tell the notifiers that are there for it of what nobody acknowledged; how many alerts that are."""
    around = Surroundings(tx, now)
    due = list[News]()
    for each in await operators_store.overdue(tx, before=now - delay, limit=AT_ONCE):
        silence = await around.silence_of(labels_of(each.tenant_id, each.check, each.subject, each.exchange))
        if silence is None:
            due.append(each)
            continue
        await operators_store.wait_again(tx, each.id, now)
        await log_store.note(tx, each.id, Decision.SILENCED, silence_id=silence.id, now=now)
    if due:
        for each in due:
            await log_store.note(tx, each.id, Decision.ESCALATED, now=now)
        await _send(tx, escalation(due, receivers), now)
        await operators_store.escalated(tx, [each.id for each in due], now)
    return len(due)


async def _gather(tx: Tx, receivers: Sequence[Receiver], now: datetime) -> int:
    news = await operators_store.news(tx, limit=AT_ONCE)
    messages = notices(news, receivers)
    for each in messages:
        await _send(tx, each, now)
    told = {about.id for each in messages for about in each.about}
    await operators_store.told(tx, sorted(told), now)
    await operators_store.passed_over(tx, [each.id for each in news if each.id not in told])
    return len(messages)


async def _send(tx: Tx, notice: Notice, now: datetime) -> None:
    """Messages of several alerts stand for themselves: none may take the place of another."""
    event_id = new_event_id(now)
    event = Event(
        id=event_id,
        type=EventType.SYSTEM_ALERT,
        tenant_id=None,
        at=now,
        subject=f"alerts:{event_id}",
        fields=notice.fields,
        alert_id=notice.about[0].id if len(notice.about) == 1 else None,
    )
    await outbox.enqueue(tx, event, now=now, window=None, notifiers=notice.names)
    for each in notice.about:
        await log_store.note_deliveries(tx, each.id, event_id, now)


async def _count(db: Db) -> None:
    firing = await operators_store.firing_by_severity(db)
    for severity in Severity:
        metrics.FIRING.labels(str(severity)).set(firing.get(str(severity), 0))
