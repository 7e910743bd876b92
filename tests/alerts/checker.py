"""A process that plays one long story, and goes on where the one before it died."""

import asyncio
import random
import sys
from uuid import UUID

from alertd.db import open_db
from alertd.model import Severity
from tests.alerts.stories import MINUTE, NOON, SUBJECTS, Ack, Act, Find, Hush, Scene

LENGTH = 60
SAID = (None, None, Severity.WARNING, Severity.CRITICAL, Severity.EMERGENCY)


def story(seed: int) -> list[tuple[int, Act]]:
    """The same for the same seed, wherever it is told: minutes since the act before, and the act."""
    chance = random.Random(seed)
    acts: list[tuple[int, Act]] = []
    for _ in range(LENGTH):
        find = Find((chance.choice(SAID), chance.choice(SAID)))
        act = chance.choice((find, find, find, Ack(chance.choice(SUBJECTS)), Hush(chance.choice(SUBJECTS))))
        acts.append((chance.choice((1, 14, 16, 45, 75)), act))
    return acts


async def main(dsn: str, tenant: UUID, seed: int) -> None:
    acts = story(seed)
    async with open_db(dsn, pool_size=2) as db:
        done = await db.fetchval("SELECT done FROM progress")
        print("up", flush=True)
        scene = Scene(db, tenant, now=NOON + sum(minutes for minutes, _ in acts[:done]) * MINUTE)
        for minutes, act in acts[done:]:
            scene.now += minutes * MINUTE
            await scene.act(act)
            await scene.look()
            await db.execute("UPDATE progress SET done = done + 1")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), int(sys.argv[3])))
