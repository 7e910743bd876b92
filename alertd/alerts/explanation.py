"""Why somebody was told of an alert, or was not: its decisions, and a sentence for each. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from alertd.model import iso_utc


class Decision(StrEnum):
    """What was decided about an alert; those about a message name its delivery."""

    PENDING = "pending"
    FIRED = "fired"
    RAISED = "raised"
    UNHEARD = "unheard"
    REMINDED = "reminded"
    FLAPPING = "flapping"
    MUTED = "muted"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    REPEATED = "repeated"
    SENT = "sent"
    PUT_OFF = "put_off"
    HELD = "held"
    PARKED = "parked"
    UNWANTED = "unwanted"
    ACKED = "acked"
    ESCALATED = "escalated"
    SUBSIDED = "subsided"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last try of a delivery; `outcome` None: under way."""

    at: datetime
    outcome: str | None
    status: int | None
    error: str | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Sending:
    """How a message to one endpoint stands; all but the ids is None once retention has taken it."""

    id: UUID
    webhook_id: UUID
    channel: str | None = None
    state: str | None = None
    attempts: int | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None
    last_attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision, taken `repeats` times in a row until `last_at`.

    `actor` and `comment` are those of the person behind it: who acknowledged, or made the silence.
    `cause_id` is another alert, because of which this one was kept quiet.
    """

    at: datetime
    last_at: datetime
    repeats: int
    decision: Decision
    actor: str | None = None
    comment: str | None = None
    silence_id: UUID | None = None
    silenced_until: datetime | None = None
    cause_id: UUID | None = None
    event: str | None = None
    event_id: str | None = None
    delivery: Sending | None = None

    @property
    def text(self) -> str:
        """The decision as a sentence or two."""
        sentence = _TEXTS[self.decision].format(
            actor=self.actor,
            comment=f": {self.comment}" if self.comment else "",
            event=self.event or "the message",
            endpoint=self.delivery and self.delivery.webhook_id,
            silence=self.silence_id,
            until=iso_utc(self.silenced_until),
            cause=self.cause_id,
        )
        again = f" ({self.repeats} times until {iso_utc(self.last_at)})" if self.repeats > 1 else ""
        fate = "" if self.delivery is None else f"; {_fate(self.delivery)}"
        return f"{sentence}{again}{fate}."


_TEXTS: Final = {
    Decision.PENDING: "Something is wrong, and not often enough yet for the alert to fire",
    Decision.FIRED: "The alert fired",
    Decision.RAISED: "It became worse than people had been told",
    Decision.UNHEARD: "Nobody had accepted the message before, so it was due again",
    Decision.REMINDED: "It went on, so a reminder was due",
    Decision.FLAPPING: "It had come and gone so often that it is called over only after a calm time",
    Decision.MUTED: "Nobody was told, because the settings switch messages off",
    Decision.SILENCED: "Nobody was told, because of silence {silence} by {actor} until {until}{comment}",
    Decision.INHIBITED: "Nobody was told, because alert {cause} is the cause or says more",
    Decision.REPEATED: "Nobody was told again, because it was unchanged and told a short time before",
    Decision.SENT: "{event} was queued for endpoint {endpoint}",
    Decision.PUT_OFF: "{event} was put off for endpoint {endpoint}, which had heard of this a short time before",
    Decision.HELD: "{event} was held back from endpoint {endpoint} until a person releases it",
    Decision.PARKED: "{event} was kept for endpoint {endpoint} until that takes messages again",
    Decision.UNWANTED: "{event} went to nobody: no endpoint listens to it",
    Decision.ACKED: "Acknowledged by {actor}{comment}",
    Decision.ESCALATED: "Nobody had acknowledged it in time, so it was escalated",
    Decision.SUBSIDED: "It was over before it fired",
    Decision.RESOLVED: "The alert was over",
}
_STATES: Final = {
    "pending": "it waits to be sent",
    "delivered": "it was accepted",
    "failed": "it was given up",
    "held": "it waits for a person",
    "parked": "it waits for the endpoint",
    "superseded": "a newer message took its place",
}


def _fate(sending: Sending) -> str:
    """What became of a message so far."""
    if sending.state is None:
        return "what became of it is no longer on file"
    return _STATES[sending.state] + _answer(sending)


def _answer(sending: Sending) -> str:
    tried = sending.last_attempt
    if tried is None:
        return ""
    if tried.outcome is None:
        return f", attempt {sending.attempts} is under way"
    said = tried.error if tried.status is None else f"status {tried.status}"
    took = "" if tried.duration_ms is None else f" in {tried.duration_ms} ms"
    return f", attempt {sending.attempts}: {said or tried.outcome}{took}"
