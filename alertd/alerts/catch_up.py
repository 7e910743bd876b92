"""A new endpoint hears at once, and once, of its tenant's performance alerts that people know of."""

from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts import listing, log_store, silence_store
from alertd.alerts.listing import Alert, Filter
from alertd.alerts.observations import FROM_MESSAGE, topic
from alertd.alerts.silences import first_match
from alertd.alerts.summary import PERFORMANCE
from alertd.db import Tx
from alertd.model import Event, EventType
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
        },
        alert_id=alert.id,
    )
