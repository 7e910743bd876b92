"""A new endpoint hears at once, and once, of the keys of its tenant that fail at the moment."""

from datetime import datetime
from typing import Final
from uuid import UUID

from alertd.alerts.lifecycle import Memory, Step
from alertd.credentials import notices, standing
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
