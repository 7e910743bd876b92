"""One seed, played: after each round every tenant knows what became of his keys, and nobody knows anything else."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Final

from alertd.db import open_db
from tests.faults.outcome import Outcome
from tests.faults.plan import Round, rounds
from tests.faults.scene import Scene, open_scene
from tests.faults.strategies import name_of, rules_of

TENANTS: Final = 50
KEYS: Final = 1_000
CHANGES: Final = 30
PATIENCE_SECONDS: Final = 240.0
LOOK_SECONDS: Final = 0.1
LEASES_RUN_OUT_AFTER: Final = 5  # strikes

Told = dict[str, list[str]]  # what was, or must be, heard of a key or a strategy


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
            _expect(expected, each)
            if not await _in_time(lambda: _as_expected(scene, expected)):
                outcome.problems.append(f"round {number}: {await _difference(scene, expected)}")
                break
            progress(f"round {number}: {len(scene.mailbox.heard)} messages")
        outcome.starts = sum(unit.starts for unit in scene.units.all)
        outcome.felt, outcome.not_done = scene.felt, scene.not_done
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
    await scene.prepare(each)
    await asyncio.sleep(each.calm)
    scene.move_checks()
    async with asyncio.TaskGroup() as group:
        for number, strike in enumerate(each.strikes):
            for change in each.changes[early + number :: len(each.strikes)]:
                scene.exchanges.change(change)
            await asyncio.sleep(strike.after)
            group.create_task(scene.strike(strike))
            if number % LEASES_RUN_OUT_AFTER == LEASES_RUN_OUT_AFTER - 1:
                await scene.leases_run_out()
    await scene.minutes_pass()


def _expect(expected: Told, each: Round) -> None:
    for change in each.changes:
        message = "credential.recovered ok" if change.reason is None else f"credential.failed {change.reason}"
        expected.setdefault(f"k{change.key}", []).append(message)
    for event, numbers in (("performance.alert", each.begins), ("performance.resolved", each.mends)):
        for number in numbers:
            expected.setdefault(name_of(number), []).extend(f"{event} {rule}" for rule in sorted(rules_of(number)))


def _told(scene: Scene) -> Told:
    """In the order of first arrival; the rules of a strategy have none."""
    told: Told = defaultdict(list)
    for received in scene.mailbox.heard.values():
        body = received.body
        told[body.get("label") or body["subject"]].append(f"{body['event']} {body.get('reason') or body['rule']}")
    return {name: sorted(messages) if name.startswith("s") else messages for name, messages in told.items()}


def _spoken(expected: Told) -> Told:
    """Without those of whom nobody must hear."""
    return {name: messages for name, messages in expected.items() if messages}


async def _as_expected(scene: Scene, expected: Told) -> bool:
    return _told(scene) == _spoken(expected) and not await scene.wrong_runs()


async def _difference(scene: Scene, expected: Told) -> str:
    told, wanted = _told(scene), _spoken(expected)
    wrong = [name for name in sorted(told.keys() | wanted.keys()) if told.get(name) != wanted.get(name)]
    lines = [f"{name}: expected {wanted.get(name)}, was told {told.get(name)}" for name in wrong]
    return "\n  ".join([f"{len(wrong)} differ", *lines[:10], *await scene.wrong_runs()])


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
