"""Whatever happens in whatever order: no alert vanishes, none is repeated too soon, every beginning has its end."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.alerts import desk, observations, silence_store, store
from alertd.alerts.lifecycle import Sign
from alertd.alerts.observations import CALM, Observation, policy_of
from alertd.alerts.silences import Silence
from alertd.config import Notifier
from alertd.db import Db, new_id, open_db
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
LOUD = st.sampled_from([None, None, Severity.WARNING, Severity.CRITICAL, Severity.EMERGENCY])
ACTS = st.one_of(
    st.builds(Find, st.tuples(LOUD, LOUD)),
    st.builds(Find, st.tuples(LOUD, LOUD)),
    st.builds(Ack, st.sampled_from(SUBJECTS)),
    st.builds(Hush, st.sampled_from(SUBJECTS)),
)
STORIES = st.lists(st.tuples(st.sampled_from([1, 14, 16, 45, 75]), ACTS), min_size=1, max_size=14)


@dataclass
class Scene:
    """A tenant and its two funds, watched by operators; `twice` runs every occurrence a second time."""

    db: Db
    tenant: UUID
    twice: bool = False
    now: datetime = NOON
    silences: list[tuple[str, datetime]] = field(default_factory=list)

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


async def played(db: Db, story: Sequence[tuple[int, Act]], *, twice: bool = False, to_the_end: bool = True) -> Scene:
    """The story from its beginning, and at the end everything well for a day."""
    await db.execute("TRUNCATE alerts, silences, events, tenant_webhooks, tenants CASCADE")
    scene = Scene(db, await factories.tenant(db), twice)
    await factories.webhook(db, scene.tenant, url="https://tenant.example.com")
    async with db.transaction() as tx:
        await notifiers.sync(tx, NOTIFIERS, channel="apprise", now=NOON)
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


def law(dsn: str, story: Sequence[tuple[int, Act]], check: Any) -> None:
    """Play it against a database and judge by what is on file."""

    async def main() -> None:
        async with open_db(dsn, pool_size=2) as db:
            await check(db, story)

    asyncio.run(main())


lawful = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def every_beginning_has_its_end(db: Db, story: Sequence[tuple[int, Act]]) -> None:
    scene = await played(db, story)
    told = await scene.told()
    states = {row["state"] for row in await db.fetch("SELECT state FROM alerts")}

    ends = [[over(body) for body in bodies] for bodies in told.values()]
    assert states <= {"resolved"}
    assert all(each.count(True) == 1 and each[-1] for each in ends)


async def nothing_is_repeated_too_soon(db: Db, story: Sequence[tuple[int, Act]]) -> None:
    scene = await played(db, story)

    for (_, receiver), bodies in (await scene.told()).items():
        told = [body for body in bodies if body["event"] == "performance.alert"]
        assert all(later["at"] - earlier["at"] >= QUIET or "raised_from" in later for earlier, later in pairwise(told))
        escalated = [body for body in bodies if body.get("rule") == "escalation"]
        assert len(escalated) <= (receiver == "pager")


async def what_fires_was_told_or_says_why_not(db: Db, story: Sequence[tuple[int, Act]]) -> None:
    scene = await played(db, story, to_the_end=False)
    rows = await db.fetch(
        """
        SELECT a.announced_at, a.held_count,
               array(SELECT l.decision FROM alert_log l WHERE l.alert_id = a.id ORDER BY l.id) AS decisions
        FROM alerts a
        WHERE a.state = 'firing'
        """
    )

    assert all((row["announced_at"] is not None) or row["decisions"] == ["fired", "silenced"] for row in rows)
    assert all(row["held_count"] > 0 for row in rows if row["announced_at"] is None)
    assert await expected_to_fire(scene, story) == await firing_now(scene)


async def a_repeated_occurrence_changes_nothing(db: Db, story: Sequence[tuple[int, Act]]) -> None:
    once = await fingerprints(await played(db, story))
    again = await fingerprints(await played(db, story, twice=True))

    assert once == again


async def expected_to_fire(scene: Scene, story: Sequence[tuple[int, Act]]) -> set[str]:
    """By the last findings; what flaps is good for a day first, which no story is."""
    finds = [act.said for _, act in story if isinstance(act, Find)]
    flapping = {row["subject"] for row in await scene.db.fetch("SELECT subject FROM alerts WHERE flapping")}
    last = finds[-1] if finds else (None, None)
    return flapping | {subject for subject, said in zip(SUBJECTS, last, strict=True) if said is not None}


async def firing_now(scene: Scene) -> set[str]:
    return {subject for subject in SUBJECTS if await scene.firing(subject)}


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


def over(body: dict[str, Any]) -> bool:
    return body["event"] == "performance.resolved" or body.get("state") == "resolved"


@lawful
@given(story=STORIES)
def test_every_beginning_has_its_end_at_each_receiver(dsn: str, story: Sequence[tuple[int, Act]]) -> None:
    law(dsn, story, every_beginning_has_its_end)


@lawful
@given(story=STORIES)
def test_nothing_is_repeated_too_soon_and_nothing_escalated_twice(dsn: str, story: Sequence[tuple[int, Act]]) -> None:
    law(dsn, story, nothing_is_repeated_too_soon)


@lawful
@given(story=STORIES)
def test_no_alert_vanishes(dsn: str, story: Sequence[tuple[int, Act]]) -> None:
    law(dsn, story, what_fires_was_told_or_says_why_not)


@lawful
@given(story=STORIES)
def test_an_occurrence_that_is_repeated_changes_nothing(dsn: str, story: Sequence[tuple[int, Act]]) -> None:
    law(dsn, story, a_repeated_occurrence_changes_nothing)
