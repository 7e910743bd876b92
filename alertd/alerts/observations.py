"""What a scheduled check found about accounts and strategies becomes alerts: many findings, one transaction.

The same machine as for credentials (`pipeline`), with the memory of each subject in its alert. Tenants
hear of it by `performance.alert` and `performance.resolved`; operators hear soon after, gathered.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from alertd.alerts import pipeline, store
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, Step
from alertd.alerts.pipeline import Finding, Speech
from alertd.alerts.quiet import surroundings
from alertd.db import Tx
from alertd.model import EventType, Severity

LOCK: Final = 0x66696E64  # one transaction at a time: two would meet in each other's alerts
BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
FROM_MESSAGE: Final = ("message", "current_value", "expected_value")  # what an alert keeps beside its details
CALM: Final = timedelta(days=1)  # what came and went too often is over after a day without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One rule's answer about one subject, as its tenant reads it.

    `check` is the one in the alert's identity. `message` is one sentence of ours. `severity` counts
    where the sign is bad. `details` are JSON values. `depends_on` is the subject of another alert of the
    tenant that would explain this one: the id of the credential through which the account is read.
    """

    tenant_id: UUID
    check: str
    subject: str
    rule: str
    sign: Sign
    severity: Severity = Severity.WARNING
    message: str
    current_value: float | None = None
    expected_value: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    exchange: str | None = None
    depends_on: str | None = None

    @property
    def identity(self) -> Identity:
        return Identity(self.tenant_id, self.check, self.subject, self.rule)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many alerts took which step; `told` is the number of messages to tenants."""

    steps: Mapping[Step, int]
    told: int


def policy_of(suppress_similar: timedelta) -> Policy:
    """One bad finding is enough, for its test had a false-alarm rate; every next one is due, unless it is too soon."""
    return Policy(strikes=1, remind_every=timedelta(), quiet=suppress_similar, calm=CALM)


async def apply(
    tx: Tx, observations: Sequence[Observation], *, policy: Policy, seen_at: datetime, now: datetime
) -> Outcome:
    """Apply what one occurrence found, as of `seen_at`; of an identity there must be one observation.

    What is not newer than what is on file changes nothing, so an occurrence that is repeated after a
    crash, or made up for too late, says nothing twice.
    """
    await tx.fetchval("SELECT pg_advisory_xact_lock($1)", LOCK)
    around = await surroundings(tx, sorted({each.tenant_id for each in observations}), now)
    moving = [each for each in observations if each.sign is Sign.BAD or around.fires(each.identity)]
    last_seen = await store.last_seen_of(tx, [each.identity.fingerprint for each in moving])
    steps: Counter[Step] = Counter()
    told = 0
    for each in sorted(moving, key=_order):
        if seen_at <= last_seen.get(each.identity.fingerprint, BEFORE_ALL):
            continue
        applied = await pipeline.apply(
            tx, _finding(each, seen_at), None, policy=policy, speech=_speech(each), now=now, around=around
        )
        steps[applied.step] += 1
        told += applied.event_id is not None
    return Outcome(steps, told)


def _order(observation: Observation) -> tuple[bool, int]:
    """Ends first, then the worst: it may explain the rest."""
    return observation.sign is Sign.BAD, -observation.severity.rank


def _finding(observation: Observation, seen_at: datetime) -> Finding:
    return Finding(
        identity=observation.identity,
        sign=observation.sign,
        severity=observation.severity,
        details={**observation.details, **{name: getattr(observation, name) for name in FROM_MESSAGE}},
        exchange=observation.exchange,
        topic=topic(observation.check, observation.subject, observation.rule),
        depends_on=observation.depends_on,
        seen_at=seen_at,
    )


def topic(check: str, subject: str, rule: str) -> str:
    """What orders the messages of one alert."""
    return f"{check}/{subject}/{rule}"


def _speech(observation: Observation) -> Speech:
    return Speech(
        fires=EventType.PERFORMANCE_ALERT,
        resolves=EventType.PERFORMANCE_RESOLVED,
        fields=partial(fields, observation),
        operators=True,
    )


def fields(observation: Observation, step: Step, before: Memory, after: Memory) -> Mapping[str, Any]:
    """The event's own fields of `performance.alert` and `performance.resolved`.

    A resolved one has the severity that people had been told.
    """
    resolved = step is Step.RESOLVE
    severity = before.told or observation.severity if resolved else observation.severity
    return {
        "check": observation.check,
        "subject": observation.subject,
        "rule": observation.rule,
        "severity": str(severity),
        **{name: getattr(observation, name) for name in FROM_MESSAGE},
        "details": dict(observation.details),
        **({"raised_from": str(before.told)} if step is Step.RAISE else {}),
        **({"reminder": True} if step is Step.REMIND else {}),
        **({"flapping": True} if after.flapping else {}),
    }
