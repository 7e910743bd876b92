"""Trouble that is ours: operators are told of it at once, once for each episode, and of its end."""

from datetime import datetime, timedelta

from alertd.alerts import log_store, operators_store, store, telling
from alertd.alerts.explanation import Decision
from alertd.alerts.identity import PLATFORM_CHECK, Identity
from alertd.alerts.quiet import Surroundings, kept_quiet
from alertd.alerts.silences import labels_of
from alertd.alerts.store import OpenAlert
from alertd.db import Db, Tx
from alertd.model import Event, EventType, Severity
from alertd.webhooks import notifiers, outbox
from alertd.webhooks.message import new_event_id


async def platform_trouble(
    db: Db,
    rule: str,
    subject: str,
    message: str,
    *,
    now: datetime,
    again_after: timedelta | None = None,
    severity: Severity = Severity.CRITICAL,
) -> bool:
    """Tell operators of trouble that is ours, once for each episode; True if this call opened it.

    `again_after` is for trouble that nobody sees the end of: it is told anew after that time.
    """
    async with db.transaction() as tx:
        return await trouble(tx, rule, subject, message, now=now, again_after=again_after, severity=severity)


async def trouble(
    tx: Tx,
    rule: str,
    subject: str,
    message: str,
    *,
    now: datetime,
    again_after: timedelta | None = None,
    severity: Severity = Severity.CRITICAL,
) -> bool:
    """The same as part of something larger."""
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    known = await store.find_open(tx, identity)
    if known is not None and known.announced_at is not None:
        if again_after is None or now - known.announced_at < again_after:
            return False
        await _close(tx, known, now)
    alert = await store.put(tx, identity, severity=severity, details={"message": message}, began_at=now, now=now)
    if alert.opened:
        await log_store.note(tx, alert.id, Decision.FIRED, now=now)
    if alert.announced_at is None:  # else another daemon was quicker by a moment
        await _announce(tx, identity, alert, message, now)
    return alert.opened


async def platform_recovered(db: Db, rule: str, subject: str, message: str, *, now: datetime) -> bool:
    """Close the episode and say so to whoever was told of it; False if there was none."""
    async with db.transaction() as tx:
        return await recovered(tx, rule, subject, message, now=now)


async def recovered(tx: Tx, rule: str, subject: str, message: str, *, now: datetime) -> bool:
    """The same as part of something larger."""
    identity = Identity(None, PLATFORM_CHECK, subject, rule)
    alert = await store.find_open(tx, identity)
    if alert is None:
        return False
    await _close(tx, alert, now)
    if alert.announced_at is not None:
        event = _event(identity, alert, message, "resolved", now)
        names = await operators_store.told_of(tx, alert.id)
        await outbox.enqueue(tx, event, now=now, window=None, notifiers=names)
        await log_store.note_deliveries(tx, alert.id, event.id, now)
    return True


async def _close(tx: Tx, alert: OpenAlert, now: datetime) -> None:
    await store.resolve(tx, alert.id, now)
    await log_store.note(tx, alert.id, Decision.RESOLVED, now=now)


async def _announce(tx: Tx, identity: Identity, alert: OpenAlert, message: str, now: datetime) -> None:
    labels = labels_of(None, identity.check, identity.subject, None)
    quiet = await kept_quiet(Surroundings(tx, now), identity, labels, alert.severity)
    if quiet is not None:
        await telling.keep_quiet(tx, alert.id, quiet, now=now)
        return
    event = _event(identity, alert, message, "firing", now)
    names = await notifiers.hearing(tx, alert.severity)
    await outbox.enqueue(tx, event, now=now, window=None, notifiers=names)
    await log_store.note_deliveries(tx, alert.id, event.id, now)
    awaits = alert.severity.rank >= Severity.CRITICAL.rank
    await store.announced(tx, alert.id, event.id, severity=alert.severity, awaits=awaits, operators=False, now=now)


def _event(identity: Identity, alert: OpenAlert, message: str, state: str, now: datetime) -> Event:
    fields = {
        "rule": identity.rule,
        "subject": identity.subject,
        "severity": str(alert.severity),
        "state": state,
        "message": message,
    }
    return Event(
        id=new_event_id(now),
        type=EventType.SYSTEM_ALERT,
        tenant_id=None,
        at=now,
        subject=f"{identity.rule}:{identity.subject}",
        fields={**fields, "held_back": alert.held_count} if alert.held_count else fields,
        alert_id=alert.id,
    )
