"""Whatever happens in whatever order: no alert vanishes, none is repeated too soon, every beginning has its end."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.db import Db, open_db
from alertd.model import Severity
from tests.alerts.stories import QUIET, SUBJECTS, Ack, Act, Find, Hush, Scene, fingerprints, played

LOUD = st.sampled_from([None, None, Severity.WARNING, Severity.CRITICAL, Severity.EMERGENCY])
ACTS = st.one_of(
    st.builds(Find, st.tuples(LOUD, LOUD)),
    st.builds(Find, st.tuples(LOUD, LOUD)),
    st.builds(Ack, st.sampled_from(SUBJECTS)),
    st.builds(Hush, st.sampled_from(SUBJECTS)),
)
STORIES = st.lists(st.tuples(st.sampled_from([1, 14, 16, 45, 75]), ACTS), min_size=1, max_size=14)


def law(dsn: str, story: Sequence[tuple[int, Act]], check: Any) -> None:
    """Play it against a database and judge by what is on file."""

    async def main() -> None:
        async with open_db(dsn, pool_size=2) as db:
            await check(db, story)

    asyncio.run(main())


lawful = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


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

    silenced = {"fired", "silenced"}  # once for each silence
    assert all((row["announced_at"] is not None) or set(row["decisions"]) == silenced for row in rows)
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
