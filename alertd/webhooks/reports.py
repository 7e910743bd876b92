"""What deliveries show and operators should know: an endpoint that is gone, a failing key of which nobody heard."""

import json
from datetime import datetime
from uuid import UUID

from alertd.db import Sql
from alertd.model import Event, EventType, Severity
from alertd.webhooks import notifiers, outbox
from alertd.webhooks.message import Message, new_event_id


async def report_gone(tx: Sql, webhook_id: UUID, tenant_id: UUID, now: datetime) -> None:
    message = f"Endpoint {webhook_id} of tenant {tenant_id} answered 410 Gone and is switched off."
    await _report(tx, "endpoint_gone", str(webhook_id), Severity.WARNING, message, now)


async def report_unheard(tx: Sql, given_up: Message, now: datetime) -> None:
    """A failing key of which no endpoint of its tenant would hear is told to operators instead."""
    if given_up.type is not EventType.CREDENTIAL_FAILED:
        return
    # The last two endpoints may give up at the same moment; the lock lets one of them see the other.
    event = await tx.fetchrow(
        """
        SELECT subject, tenant_id, body
        FROM events
        WHERE id = $1
        FOR NO KEY UPDATE
        """,
        given_up.id,
    )
    if event is None or not await outbox.announcement_failed(tx, given_up.id):
        return
    about = json.loads(event["body"])
    key = " ".join(about[name] for name in ("exchange", "credential_type", "label") if about.get(name))
    message = (
        f"No endpoint of tenant {event['tenant_id']} accepted credential.failed about {key or event['subject']} "
        f"(event {given_up.id}); it goes out again with the next invalid result, or when an endpoint answers again."
    )
    await _report(tx, "webhook_not_accepted", event["subject"], Severity.CRITICAL, message, now)


async def _report(tx: Sql, rule: str, subject: str, severity: Severity, message: str, now: datetime) -> None:
    event = Event(
        id=new_event_id(now),
        type=EventType.SYSTEM_ALERT,
        tenant_id=None,
        at=now,
        subject=f"{rule}:{subject}",
        fields={"rule": rule, "subject": subject, "severity": str(severity), "state": "firing", "message": message},
    )
    await outbox.enqueue(tx, event, now=now, window=None, notifiers=await notifiers.hearing(tx, severity))
