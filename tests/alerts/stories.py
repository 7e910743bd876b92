"""Stories of findings, silences, acknowledgements and time, played against a database."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from alertd.alerts import desk, observations, silence_store, store
from alertd.alerts.lifecycle import Sign
from alertd.alerts.observations import CALM, Observation, policy_of
from alertd.alerts.silences import Silence
from alertd.config import Notifier
from alertd.db import Db, new_id
from alertd.model import Severity
from alertd.webhooks import notifiers
from tests import factories

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUIET = 60 * MINUTE
DELAY = 15 * MINUTE
SUBJECTS = ("fund-1", "fund-2")
NOTIFIERS = (
    Notifier(name="ops", url="json://127.0.0.1"),
    Notifier(name="loud", url="json://127.0.0.1", min_severity=Severity.CRITICAL),
    Notifier(name="pager", url="json://127.0.0.1", min_severity=Severity.EMERGENCY, escalation=True),
)


@dataclass(frozen=True)
class Find:
    """A check ran; for each subject what it said: a severity is bad, None is good."""

    said: tuple[Severity | None, ...]


@dataclass(frozen=True)
class Ack:
    """Somebody acknowledges what fires of this subject."""

    subject: str


@dataclass(frozen=True)
class Hush:
    """A silence of this subject, for an hour and a half."""

    subject: str


Act = Find | Ack | Hush


@dataclass
class Scene:
    """A tenant and its two funds, watched by operators; `twice` runs every occurrence a second time."""

    db: Db
    tenant: UUID
    twice: bool = False
    now: datetime = NOON

    async def act(self, act: Act) -> None:
        match act:
            case Find(said):
                await self.find(said)
            case Ack(subject):
                for alert_id in await self.firing(subject):
                    await store.acknowledge(self.db, alert_id, by="ops", comment="", now=self.now)
            case Hush(subject):
                await self.hush(subject)

    async def find(self, said: Sequence[Severity | None]) -> None:
        seen = [self.observation(*each) for each in zip(SUBJECTS, said, strict=True)]
        await self.apply(seen)
        if self.twice:
            await self.apply(seen)

    async def apply(self, seen: Sequence[Observation]) -> None:
        async with self.db.transaction() as tx:
            await observations.apply(tx, seen, policy=policy_of(QUIET), seen_at=self.now, now=self.now)

    async def hush(self, subject: str) -> None:
        ends_at = self.now + 90 * MINUTE
        silence = Silence(new_id(), {"subject": (subject,)}, "law", "ops", self.now, self.now, ends_at)
        async with self.db.transaction() as tx:
            await silence_store.add(tx, silence)

    async def look(self) -> None:
        await desk.tell(self.db, delay=DELAY, now=self.now)
        await self.db.execute(
            "UPDATE webhook_deliveries SET state = 'delivered', finished_at = $1 WHERE state = 'pending'", self.now
        )

    async def firing(self, subject: str) -> list[UUID]:
        rows = await self.db.fetch("SELECT id FROM alerts WHERE state = 'firing' AND subject = $1", subject)
        return [row["id"] for row in rows]

    def observation(self, subject: str, severity: Severity | None) -> Observation:
        bad = Observation(
            tenant_id=self.tenant, check="daily_pnl_check", subject=subject, rule="drift", sign=Sign.BAD, message="."
        )
        return replace(bad, sign=Sign.GOOD) if severity is None else replace(bad, severity=severity)

    async def told(self) -> dict[tuple[UUID, str], list[dict[str, Any]]]:
        """For each alert and receiver what it was sent, in order."""
        rows = await self.db.fetch(
            """
            SELECT l.alert_id, l.at, w.webhook_url AS receiver, convert_from(e.body, 'utf8')::json AS body
            FROM alert_log l
            JOIN events e ON e.id = l.event_id
            JOIN tenant_webhooks w ON w.id = l.webhook_id
            ORDER BY l.id
            """
        )
        told = defaultdict(list)
        for row in rows:
            told[row["alert_id"], row["receiver"]].append({**row["body"], "at": row["at"]})
        return told


async def staged(db: Db, *, twice: bool = False) -> Scene:
    """A scene in which nothing has happened yet."""
    await db.execute("TRUNCATE alerts, silences, events, tenant_webhooks, tenants CASCADE")
    scene = Scene(db, await factories.tenant(db), twice)
    await factories.webhook(db, scene.tenant, url="https://tenant.example.com")
    async with db.transaction() as tx:
        await notifiers.sync(tx, NOTIFIERS, channel="apprise", now=NOON)
    return scene


async def played(db: Db, story: Sequence[tuple[int, Act]], *, twice: bool = False, to_the_end: bool = True) -> Scene:
    """The story from its beginning, and at the end everything well for a day."""
    scene = await staged(db, twice=twice)
    for minutes, act in story:
        scene.now += minutes * MINUTE
        await scene.act(act)
        await scene.look()
    for _ in range(3 if to_the_end else 0):
        scene.now += CALM
        await scene.find([None, None])
        await scene.look()
        await scene.look()
    return scene


async def fingerprints(scene: Scene) -> list[tuple[object, ...]]:
    """All that is on file about alerts, without what is made up anew each time."""
    rows = await scene.db.fetch(
        """
        SELECT a.subject, a.severity, a.state, a.streak, a.started_at, a.resolved_at, a.held_count, a.announced_at,
               a.escalated_at, l.decision, l.repeats, l.at
        FROM alerts a
        JOIN alert_log l ON l.alert_id = a.id
        ORDER BY a.subject, a.started_at, l.at, l.decision, l.repeats
        """
    )
    return [tuple(row) for row in rows]
