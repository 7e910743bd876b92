"""One seed, played: after each round every tenant knows what became of his keys, and nobody knows anything else."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from alertd.db import open_db
from tests.faults.plan import KILLS, Change, Fault, Round, Strike, rounds
from tests.faults.scene import Scene, open_scene

TENANTS: Final = 50
KEYS: Final = 1_000
CHANGES: Final = 30
PATIENCE_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.1
MINUTES_PASS_AFTER: Final = 5  # strikes

Told = dict[int, list[str]]


@dataclass
class Outcome:
    """What a seed came to; `problems` is empty for a good one. `felt` is how often each fault was felt."""

    seed: int
    strikes: list[Strike] = field(default_factory=list)
    felt: Counter[Fault] = field(default_factory=Counter)
    messages: int = 0
    repeats: int = 0
    failed_attempts: int = 0
    starts: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, *faults: Fault) -> int:
        return sum(strike.fault in faults for strike in self.strikes)

    def __str__(self) -> str:
        told = (
            f"{self.messages} messages arrived, {self.repeats} of them again with the same id; "
            f"{self.failed_attempts} attempts failed"
        )
        faults, kills = len(self.strikes), self.count(*KILLS)
        lines = [f"seed {self.seed}: {faults} faults, {kills} of them kills, {self.starts} starts; {told}"]
        return "\n".join([*lines, *self.problems])


async def play(
    seed: int,
    folder: Path,
    *,
    number_of_rounds: int,
    strikes: int,
    keys: int = KEYS,
    progress: Callable[[str], None] = lambda _line: None,
) -> Outcome:
    """Raises nothing for what alertd does wrong: that is in the outcome."""
    outcome, expected = Outcome(seed), Told()
    async with open_scene(folder, tenants=TENANTS, keys=keys) as scene:
        if not await _in_time(lambda: _all_good(scene, keys)):
            outcome.problems.append("not every key was found good at first")
        plan = rounds(seed, keys=keys, changes=CHANGES, strikes=strikes)
        for number, each in enumerate(islice(plan, number_of_rounds), 1):
            await _storm(scene, each)
            progress(f"round {number}: {len(scene.mailbox.heard)} messages when the storm was over")
            outcome.strikes += each.strikes
            _expect(expected, each.changes)
            if not await _in_time(lambda: _as_expected(scene, expected)):
                outcome.problems.append(f"round {number}: {_difference(scene, expected)}")
                break
            progress(f"round {number}: {len(scene.mailbox.heard)} messages")
        outcome.starts = sum(unit.starts for unit in scene.units.all)
        outcome.felt = scene.felt
        outcome.problems += scene.mailbox.wrong
        outcome.problems += [f"bug: {line}" for unit in scene.units.all for line in unit.bugs]
        outcome.failed_attempts = await _failed_attempts(scene)
        outcome.problems += await _told_otherwise(scene)
    outcome.messages, outcome.repeats = len(scene.mailbox.heard), scene.mailbox.repeats
    return outcome


async def _storm(scene: Scene, each: Round) -> None:
    """Half of the keys change before the storm breaks, the others while the faults strike, several at a time."""
    early = len(each.changes) // 2
    for change in each.changes[:early]:
        scene.exchanges.change(change)
    await asyncio.sleep(each.calm)
    async with asyncio.TaskGroup() as group:
        for number, strike in enumerate(each.strikes):
            for change in each.changes[early + number :: len(each.strikes)]:
                scene.exchanges.change(change)
            await asyncio.sleep(strike.after)
            group.create_task(scene.strike(strike))
            if number % MINUTES_PASS_AFTER == MINUTES_PASS_AFTER - 1:
                await scene.minutes_pass()
    await scene.minutes_pass()


def _expect(expected: Told, changes: Iterable[Change]) -> None:
    for change in changes:
        message = "credential.recovered ok" if change.reason is None else f"credential.failed {change.reason}"
        expected.setdefault(change.key, []).append(message)


def _told(scene: Scene) -> Told:
    """What was heard of each key, in the order of first arrival."""
    told: Told = defaultdict(list)
    for received in scene.mailbox.heard.values():
        number = int(received.body["label"].removeprefix("k"))
        told[number].append(f"{received.body['event']} {received.body['reason']}")
    return told


async def _as_expected(scene: Scene, expected: Told) -> bool:
    return _told(scene) == expected


def _difference(scene: Scene, expected: Told) -> str:
    told = _told(scene)
    wrong = [key for key in sorted(told.keys() | expected.keys()) if told.get(key) != expected.get(key)]
    lines = [f"{scene.refs[key]} expected {expected.get(key)} was told {told.get(key)}" for key in wrong]
    return "\n  ".join([f"{len(wrong)} keys", *lines[:10]])


async def _all_good(scene: Scene, keys: int) -> bool:
    async with open_db(scene.database.dsn, pool_size=1) as db:
        return await db.fetchval("SELECT count(*) = $1 FROM credentials WHERE verdict = 'valid'", keys) is True


async def _told_otherwise(scene: Scene) -> list[str]:
    """What the database says was sent, and what arrived, must be the same."""
    async with open_db(scene.database.dsn, pool_size=1) as db:
        stored = {row["id"] for row in await db.fetch("SELECT id FROM events WHERE tenant_id IS NOT NULL")}
    heard = scene.mailbox.heard.keys()
    lost = [f"stored and never heard: {event_id}" for event_id in sorted(stored - heard)]
    return lost + [f"heard and not stored: {event_id}" for event_id in sorted(heard - stored)]


async def _failed_attempts(scene: Scene) -> int:
    async with open_db(scene.database.dsn, pool_size=1) as db:
        sql = "SELECT count(*) FROM webhook_delivery_log WHERE outcome IS DISTINCT FROM 'success'"
        return int(await db.fetchval(sql))


async def _in_time(question: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await question():
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        return False
    return True
