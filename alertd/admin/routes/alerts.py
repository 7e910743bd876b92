"""Alerts as operators see them: listed, acknowledged, and explained decision by decision."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, NoBody, Page, PageParams, Params, Text, Time, Word
from alertd.alerts import listing, log_store, silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.listing import Alert, Filter
from alertd.model import Severity
from alertd.performance import acceptance

ONE: Final = "/api/v1/alerts/{id}"

AlertState = Literal["pending", "firing", "resolved"]


class AlertView(Answer):
    """One episode. `tenant_id` null: about the platform; `announced_at` null: nobody was told.

    `held_count`: messages that were kept back since the last one. `escalates_at`: if nobody acknowledges it.
    `flapping`: it came and went so often that it is over only after a calm time. `silenced_by`: by this
    silence, now.
    """

    id: UUID
    tenant_id: UUID | None
    check: str
    subject: str
    rule: str
    exchange: str | None
    severity: Severity
    state: AlertState
    details: dict[str, Any]
    started_at: Time
    fired_at: Time | None
    resolved_at: Time | None
    last_seen_at: Time
    announced_at: Time | None
    held_count: int
    flapping: bool
    silenced_by: UUID | None
    acked_at: Time | None
    acked_by: str | None
    ack_comment: str | None
    escalates_at: Time | None
    escalated_at: Time | None


class LastAttemptView(Answer):
    """The last try of a delivery; `outcome` null: under way."""

    at: Time
    outcome: str | None
    status: int | None
    error: str | None
    duration_ms: int | None


class SendingView(Answer):
    """How a message to one endpoint stands now; all but the ids is null once it is no longer on file."""

    id: UUID
    webhook_id: UUID
    channel: str | None
    state: str | None
    attempts: int | None
    next_attempt_at: Time | None
    finished_at: Time | None
    last_attempt: LastAttemptView | None


class DecisionView(Answer):
    """One decision, taken `repeats` times in a row until `last_at`; `text` says it as a sentence.

    `actor` and `comment` are those of the person behind it: who acknowledged, or made the silence. `cause_id`
    is the alert because of which this one was kept quiet.
    """

    at: Time
    last_at: Time
    repeats: int
    decision: Decision
    text: str
    actor: str | None
    comment: str | None
    silence_id: UUID | None
    silenced_until: Time | None
    cause_id: UUID | None
    event: str | None
    event_id: str | None
    delivery: SendingView | None


class ExplanationView(Answer):
    """Why somebody was told of this alert, or was not: all decisions about it, in order."""

    id: UUID
    decisions: list[DecisionView]


class AlertListing(PageParams):
    """Which alerts to list."""

    state: AlertState | None = None
    tenant_id: UUID | None = None
    check: Word | None = None
    severity: Severity | None = None


class AlertPath(Params):
    """One alert."""

    id: UUID


class Acknowledgement(Body):
    """Who acknowledges is known from the key."""

    comment: Annotated[Text, Field(max_length=1000)] = ""


async def at_present(daemon: Daemon, alerts: Sequence[Alert]) -> Sequence[Alert]:
    """As they are shown: with what follows from the settings and the silences of this moment."""
    now = daemon.now()
    delay = timedelta(minutes=daemon.settings.alerts.escalation_delay_minutes)
    return listing.at_present(alerts, await silence_store.active(daemon.db, now), delay=delay, now=now)


async def list_alerts(daemon: Daemon, call: Call[AlertListing, NoBody]) -> Page[AlertView]:
    mark = after(call)
    wanted = Filter(**call.params.model_dump(exclude={"limit", "cursor"}))
    before = None if mark is None else (datetime.fromisoformat(mark[0]), UUID(mark[1]))
    found = await listing.alerts_before(daemon.db, before, wanted, limit=call.params.limit + 1)
    shown = await at_present(daemon, found)
    return page(call, shown, shape=AlertView, mark=lambda alert: (alert.started_at.isoformat(), str(alert.id)))


async def show_alert(daemon: Daemon, call: Call[AlertPath, NoBody]) -> AlertView:
    return await _view(daemon, _there(await listing.find(daemon.db, call.params.id)))


async def explain_alert(daemon: Daemon, call: Call[AlertPath, NoBody]) -> ExplanationView:
    alert = _there(await listing.find(daemon.db, call.params.id))
    entries = await log_store.explain(daemon.db, alert.id)
    return ExplanationView(id=alert.id, decisions=[DecisionView.model_validate(entry) for entry in entries])


async def acknowledge_alert(daemon: Daemon, call: Call[AlertPath, Acknowledgement]) -> AlertView:
    """Twice is a conflict, so that nobody believes to be the one who looks after it. A drift is accepted by it."""
    actor, comment = call.who.actor, call.body.comment
    async with daemon.db.transaction() as tx:
        alert = _there(await listing.find(tx, call.params.id))
        if not await store.acknowledge(tx, alert.id, by=actor, comment=comment, now=call.now):
            raise web.HTTPConflict(text=_why_not(alert))
        await log_store.note(tx, alert.id, Decision.ACKED, actor=actor, comment=comment, now=call.now)
        await record(
            tx,
            call,
            action="alert.ack",
            object=f"alert:{alert.id}",
            tenant_id=alert.tenant_id,
            after={"comment": comment},
        )
        await acceptance.acknowledged(
            tx, alert.tenant_id, check=alert.check, subject=alert.subject, rule=alert.rule, seen_at=alert.last_seen_at
        )
        acknowledged = _there(await listing.find(tx, alert.id))
    return await _view(daemon, acknowledged)


async def _view(daemon: Daemon, alert: Alert) -> AlertView:
    [shown] = await at_present(daemon, [alert])
    return AlertView.model_validate(shown)


def _there(alert: Alert | None) -> Alert:
    if alert is None:
        raise absent("alert")
    return alert


def _why_not(alert: Alert) -> str:
    if alert.state == "resolved":
        return "This alert is over; there is nothing to acknowledge."
    return "This alert is acknowledged already."


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/alerts",
        handler=list_alerts,
        permission=Permission.VIEW_STATUS,
        summary="The alerts, newest first",
        params=AlertListing,
        answer=Page[AlertView],
    ),
    Route(
        method="GET",
        path=ONE,
        handler=show_alert,
        permission=Permission.VIEW_STATUS,
        summary="One alert",
        params=AlertPath,
        answer=AlertView,
    ),
    Route(
        method="GET",
        path=f"{ONE}/explain",
        handler=explain_alert,
        permission=Permission.VIEW_HISTORY,
        summary="Why somebody was told of an alert, or was not, decision by decision",
        params=AlertPath,
        answer=ExplanationView,
    ),
    Route(
        method="POST",
        path=f"{ONE}/ack",
        handler=acknowledge_alert,
        permission=Permission.TRIGGER_MANUAL,
        summary="Acknowledge an alert: no reminders and no escalation until it is over",
        params=AlertPath,
        body=Acknowledgement,
        answer=AlertView,
        refusals=(404, 409),
    ),
)
