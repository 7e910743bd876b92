"""The budget of an exchange is one for all processes on a database; so is the back-off."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.config import Settings
from alertd.credentials import limits, limits_store
from alertd.credentials.limits import CEILING, Limits
from alertd.db import Db, open_db
from alertd.model import Reason

HORIZON = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def wall_clock() -> datetime:
    return datetime.now(UTC)


def settings(tmp_path: Path, rate: float) -> Settings:
    return Settings(state_dir=tmp_path, exchanges={"okx": {"requests_per_second": rate}})


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


async def elapsed(work: Callable[[], object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await work()  # type: ignore[misc]
    return loop.time() - began


async def take_many(*keepers: Limits, each: int) -> None:
    await asyncio.gather(*(keeper.take("okx") for keeper in keepers for _ in range(each)))


async def test_blocks_of_two_processes_follow_one_another(db: Db, now: datetime) -> None:
    first, _ = await limits_store.reserve(db, "okx", now=now, span=SECOND, horizon=HORIZON)
    second, _ = await limits_store.reserve(db, "okx", now=now, span=SECOND, horizon=HORIZON)

    assert (first, second) == (now, now + SECOND)


async def test_a_pause_is_not_made_up_for(db: Db, now: datetime) -> None:
    await limits_store.reserve(db, "okx", now=now, span=SECOND, horizon=HORIZON)

    later, _ = await limits_store.reserve(db, "okx", now=now + HORIZON, span=SECOND, horizon=HORIZON)

    assert later == now + HORIZON


async def test_a_clock_that_was_wrong_once_stops_nobody_for_good(db: Db, now: datetime) -> None:
    future = now + timedelta(days=365)
    await limits_store.reserve(db, "okx", now=future, span=SECOND, horizon=HORIZON)

    starts_at, _ = await limits_store.reserve(db, "okx", now=now, span=SECOND, horizon=HORIZON)

    assert starts_at == now + HORIZON


async def test_two_processes_keep_one_limit_together(db: Db, tmp_path: Path) -> None:
    one, other = (Limits(db, settings(tmp_path, 100), wall_clock) for _ in range(2))

    seconds = await elapsed(lambda: take_many(one, other, each=20))

    assert seconds > 0.35


async def test_one_process_alone_keeps_the_limit(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 100), wall_clock)

    seconds = await elapsed(lambda: take_many(alone, each=40))

    assert seconds > 0.35


async def test_a_costly_call_takes_its_share(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 20), wall_clock)

    async def three() -> None:
        await alone.take("okx", 4.0)
        await alone.take("okx", 4.0)
        await alone.take("okx")

    assert await elapsed(three) > 0.35


async def test_a_large_rate_is_legal(db: Db, tmp_path: Path) -> None:
    fast = Limits(db, settings(tmp_path, 1_000_000), wall_clock)

    await take_many(fast, each=2000)

    assert fast.backed_off("okx") is None


async def test_a_cancelled_waiter_holds_nobody_up(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 1), wall_clock)
    await alone.take("okx")
    waiting = asyncio.create_task(alone.take("okx"))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await alone.take("kraken")

    assert waiting.cancelled()


async def test_a_back_off_is_seen_by_the_other_process(db: Db, clock: Clock, tmp_path: Path) -> None:
    one, other = (Limits(db, settings(tmp_path, 1000), clock) for _ in range(2))
    await one.back_off("okx", 30, Reason.RATE_LIMITED)

    await other.take("okx")

    assert other.backed_off("okx") is Reason.RATE_LIMITED


async def test_a_back_off_outlives_a_restart(db: Db, clock: Clock, tmp_path: Path) -> None:
    await Limits(db, settings(tmp_path, 1000), clock).back_off("okx", 30, Reason.RATE_LIMITED)
    restarted = Limits(db, settings(tmp_path, 1000), clock)

    await restarted.take("okx")

    assert restarted.backed_off("okx") is Reason.RATE_LIMITED


@pytest.mark.parametrize("shared", [True, False])
async def test_answers_that_were_under_way_together_count_once(
    shared: bool, db: Db, clock: Clock, tmp_path: Path
) -> None:
    limits = Limits(db if shared else None, settings(tmp_path, 1000), clock)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)
    clock.at += timedelta(seconds=31)

    await limits.take("okx")

    assert limits.backed_off("okx") is None


@pytest.mark.parametrize("shared", [True, False])
async def test_the_second_in_a_row_lasts_twice_as_long(shared: bool, db: Db, clock: Clock, tmp_path: Path) -> None:
    limits = Limits(db if shared else None, settings(tmp_path, 1000), clock)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)
    clock.at += timedelta(seconds=31)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)

    clock.at += timedelta(seconds=59)
    before = limits.backed_off("okx")
    clock.at += timedelta(seconds=2)

    assert (before, limits.backed_off("okx")) == (Reason.RATE_LIMITED, None)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_wait_grows_to_a_ceiling(shared: bool, db: Db, clock: Clock, tmp_path: Path) -> None:
    limits = Limits(db if shared else None, settings(tmp_path, 1000), clock)
    for _ in range(30):
        await limits.back_off("okx", 30, Reason.RATE_LIMITED)
        clock.at += CEILING + SECOND

    assert limits.backed_off("okx") is None


@pytest.mark.parametrize("shared", [True, False])
async def test_a_success_makes_the_next_wait_short_again(shared: bool, db: Db, clock: Clock, tmp_path: Path) -> None:
    limits = Limits(db if shared else None, settings(tmp_path, 1000), clock)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)
    clock.at += timedelta(seconds=31)
    await limits.recover("okx")
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)
    clock.at += timedelta(seconds=31)

    assert limits.backed_off("okx") is None


async def test_a_success_during_a_back_off_does_not_end_it(db: Db, clock: Clock, tmp_path: Path) -> None:
    limits = Limits(db, settings(tmp_path, 1000), clock)
    await limits.back_off("okx", 30, Reason.RATE_LIMITED)

    await limits.recover("okx")

    assert limits.backed_off("okx") is Reason.RATE_LIMITED


async def test_the_longest_of_two_waits_holds_with_its_reason(db: Db, clock: Clock, tmp_path: Path) -> None:
    limits = Limits(db, settings(tmp_path, 1000), clock)
    await limits.back_off("okx", 300, Reason.RATE_LIMITED)
    await limits.back_off("okx", 30, Reason.EXCHANGE_DOWN)
    clock.at += timedelta(seconds=60)

    assert limits.backed_off("okx") is Reason.RATE_LIMITED


async def test_a_lost_database_does_not_stop_a_back_off(dsn: str, clock: Clock, tmp_path: Path) -> None:
    async with open_db(dsn, pool_size=1) as lost:
        limits = Limits(lost, settings(tmp_path, 1000), clock)

    await limits.back_off("okx", 30, Reason.RATE_LIMITED)

    assert limits.backed_off("okx") is Reason.RATE_LIMITED


@pytest.fixture
def long_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block ends while a slow machine looks elsewhere."""
    monkeypatch.setattr(limits, "BLOCK_SECONDS", 60.0)


@pytest.mark.usefixtures("long_blocks")
async def test_a_slot_that_is_due_needs_no_queue(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 1000), wall_clock)
    await alone.take("okx")
    await asyncio.sleep(0.01)

    assert alone.take_at_once("okx")


async def test_without_a_block_in_hand_nothing_is_had_at_once(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 1000), wall_clock)

    assert not alone.take_at_once("okx")


@pytest.mark.usefixtures("long_blocks")
async def test_what_is_not_due_yet_is_not_had_at_once(tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 1), wall_clock)
    await alone.take("okx")

    assert not alone.take_at_once("okx")


@pytest.mark.usefixtures("long_blocks")
async def test_a_back_off_lets_nothing_through_at_once(clock: Clock, tmp_path: Path) -> None:
    alone = Limits(None, settings(tmp_path, 1000), clock)
    await alone.take("okx")
    await alone.back_off("okx", 30, Reason.RATE_LIMITED)
    await asyncio.sleep(0.01)

    assert not alone.take_at_once("okx")
