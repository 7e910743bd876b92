"""Performance alerts for those who missed them: a new endpoint, or everybody, while a silence held.

Their checks run once a day, or a month: the next finding would be late.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts import listing, log_store, silence_store, store
from alertd.alerts.listing import Alert, Filter
from alertd.alerts.observations import FROM_MESSAGE, LOCK, topic
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
    """Tell the tenants of what fires and was only kept quiet by a silence that holds no longer; how many alerts.

    None while a run is being told, which knows better.
    """
    async with db.transaction() as tx:
        if not await store.alone(tx, LOCK):
            return 0
        silences = await silence_store.active(tx, now)
        unheard = await listing.unheard_for_silence(tx, PERFORMANCE, limit=MOST)
        due = [alert for alert in unheard if first_match(silences, alert.labels, now) is None]
        for alert in due:
            await _tell(tx, alert, now)
    return len(due)


async def _tell(tx: Tx, alert: Alert, now: datetime) -> None:
    event = _event(alert, now)
    event = replace(event, fields={**event.fields, "held_back": alert.held_count})
    severity = Severity(alert.severity)
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
