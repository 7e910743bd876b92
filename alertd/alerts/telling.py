"""What is done to an alert when people are told of it, or are not; each deed is written down."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from alertd import metrics
from alertd.alerts import log_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.quiet import Quiet
from alertd.alerts.store import OpenAlert
from alertd.db import Tx
from alertd.webhooks import outbox

# What is muted was never meant to be said, and so is not counted.
KINDS: Final[Mapping[Decision, str]] = {
    Decision.SILENCED: "silence",
    Decision.INHIBITED: "inhibition",
    Decision.REPEATED: "repeat",
}


async def heard_at(tx: Tx, alert: OpenAlert) -> datetime | None:
    """When people last heard of it; None when the last message was given up on by every receiver."""
    if alert.last_event_id is None or await outbox.announcement_failed(tx, alert.last_event_id):
        return None
    return alert.announced_at


async def keep_quiet(tx: Tx, alert_id: UUID, why: Quiet, *, now: datetime) -> None:
    """Write down that a message was due and is not sent, and count it: the next one says how many those were."""
    if why.decision in KINDS:
        await store.hold(tx, alert_id)
        metrics.SUPPRESSED.labels(kind=KINDS[why.decision]).inc()
    await log_store.note(tx, alert_id, why.decision, silence_id=why.silence_id, cause_id=why.cause_id, now=now)
