"""Alerts for those who missed them: a new endpoint, or everybody, while a silence held.

Not those of keys, which are looked at again soon. The checks of performance run once a day, or a month, and
trouble of the platform may be noticed only once.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts import listing, log_store, silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.identity import PLATFORM_CHECK
from alertd.alerts.listing import Alert, Filter
from alertd.alerts.observations import FROM_MESSAGE, LOCK, topic
from alertd.alerts.platform import trouble
from alertd.alerts.silences import first_match
from alertd.alerts.summary import PERFORMANCE
from alertd.db import Db, Tx
from alertd.model import Event, EventType, Severity
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

MOST: Final = 1000


async def send_current_alerts(tx: Tx, tenant_id: UUID, webhook_id: UUID, *, now: datetime) -> int:
    """Queue one `performance.alert` to this endpoint for each that fires, was told and is not silenced; how many."""
    silences = await silence_store.active(tx, now)
    firing = await listing.alerts_before(tx, None, Filter(state="firing", tenant_id=tenant_id), limit=MOST)
    queued = 0
    for alert in firing:
        told = alert.check in PERFORMANCE and alert.announced_at is not None
        if told and first_match(silences, alert.labels, now) is None:
            event = _event(alert, now)
            queued += await outbox.enqueue(tx, event, now=now, window=None, webhook_id=webhook_id)
            await log_store.note_deliveries(tx, alert.id, event.id, now)
    return queued


async def tell_after_silence(db: Db, now: datetime) -> int:
    """Tell people of what fires and was only kept quiet by a silence that holds no longer; how many alerts.

    None while a run is being told, which knows better.
    """
    async with db.transaction() as tx:
        if not await store.alone(tx, LOCK):
            return 0
        silences = await silence_store.active(tx, now)
        holding = [each.id for each in silences]
        told = 0
        for alert in await listing.unheard_for_silence(tx, (*PERFORMANCE, PLATFORM_CHECK), holding=holding, limit=MOST):
            other = first_match(silences, alert.labels, now)
            if other is None:
                await _tell(tx, alert, now)
                told += 1
            else:
                await log_store.note(tx, alert.id, Decision.SILENCED, silence_id=other.id, now=now)
    return told


async def _tell(tx: Tx, alert: Alert, now: datetime) -> None:
    severity = Severity(alert.severity)
    if alert.check == PLATFORM_CHECK:
        await trouble(tx, alert.rule, alert.subject, alert.details["message"], severity=severity, now=now)
        return
    event = _event(alert, now)
    event = replace(event, fields={**event.fields, "held_back": alert.held_count})
    await outbox.enqueue(tx, event, now=now, window=None)
    await log_store.note_deliveries(tx, alert.id, event.id, now)
    awaits = severity.rank >= Severity.CRITICAL.rank
    await store.announced(tx, alert.id, event.id, severity=severity, awaits=awaits, operators=True, now=now)


def _event(alert: Alert, now: datetime) -> Event:
    said = {name: alert.details.get(name) for name in FROM_MESSAGE}
    return Event(
        id=new_event_id(now),
        type=EventType.PERFORMANCE_ALERT,
        tenant_id=alert.tenant_id,
        at=now,
        subject=topic(alert.check, alert.subject, alert.rule),
        fields={
            "check": alert.check,
            "subject": alert.subject,
            "rule": alert.rule,
            "severity": alert.severity,
            **said,
            "details": {name: value for name, value in alert.details.items() if name not in said},
            **({"flapping": True} if alert.flapping else {}),
        },
        alert_id=alert.id,
    )
