"""A new endpoint hears at once, and once, of the keys of its tenant that fail and are not silenced."""

from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts import silence_store
from alertd.alerts.lifecycle import Memory, Step
from alertd.alerts.silences import labels_of
from alertd.credentials import notices, standing
from alertd.credentials.recorder import CHECK_NAME
from alertd.db import Tx
from alertd.model import CheckResult, Event, EventType, Reason
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

NOBODY: Final = Memory()


async def send_current_failures(tx: Tx, tenant_id: UUID, webhook_id: UUID, *, now: datetime) -> int:
    """Queue one `credential.failed` to this endpoint for each key with an open alert; how many."""
    failing = await standing.failing_of(tx, tenant_id)
    queued = 0
    for key in failing:
        labels = labels_of(tenant_id, CHECK_NAME, str(key.id), key.ref.exchange)
        if await silence_store.holding(tx, labels, now) is not None:
            continue
        result = CheckResult(Reason(key.reason), code=key.code)
        event = Event(
            id=new_event_id(now),
            type=EventType.CREDENTIAL_FAILED,
            tenant_id=tenant_id,
            at=now,
            subject=str(key.id),
            fields=notices.fields(key.ref, result, Step.FIRE, NOBODY, key.memory),
        )
        queued += await outbox.enqueue(tx, event, now=now, window=None, webhook_id=webhook_id)
    return queued
