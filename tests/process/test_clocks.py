"""Standing still, and clocks that somebody set."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from alertd import metrics
from alertd.process import ClockSteps, LoopLag

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ticked(clock: Clock, *gaps: float) -> LoopLag:
    """A monitor that has ticked after each of these gaps."""
    lag = LoopLag(clock)
    lag.tick()
    for gap in gaps:
        clock.at += gap
        lag.tick()
    return lag


def test_loop_that_turns_has_not_stalled(clock):
    lag = ticked(clock, 0.1, 0.9, 0.1)

    assert not lag.stalled_since(100.0)


def test_long_gap_is_a_stall(clock):
    lag = ticked(clock, 1.5, 0.1)

    assert lag.stalled_since(100.0)


def test_stall_that_began_before_the_moment_and_ended_after_it_counts(clock):
    lag = ticked(clock, 1.5)

    assert lag.stalled_since(101.0)


def test_stall_that_was_over_before_the_moment_does_not_count(clock):
    lag = ticked(clock, 1.5, 0.1)

    assert not lag.stalled_since(101.6)


def test_stall_is_known_before_the_monitor_has_ticked_again(clock):
    lag = ticked(clock, 0.1)

    clock.at += 1.5

    assert lag.stalled_since(100.2)


def test_nothing_is_known_while_nothing_measures(clock):
    assert not LoopLag(clock).stalled_since(0.0)


def test_worst_delay_stands_for_a_minute(clock):
    ticked(clock, 0.6, 0.1, 0.3)

    assert metrics.REGISTRY.get_sample_value("alertd_loop_lag_seconds") == pytest.approx(0.5)


def test_worst_delay_is_forgotten_after_a_minute(clock):
    lag = ticked(clock, 0.6, 0.3)

    clock.at += 59.9
    lag.tick()
    clock.at += 59.8
    lag.tick()
    clock.at += 0.4
    lag.tick()

    assert metrics.REGISTRY.get_sample_value("alertd_loop_lag_seconds") == pytest.approx(59.7)


async def test_blocked_loop_is_noticed():
    stop, lag = asyncio.Event(), LoopLag()
    began = time.monotonic()
    measuring = asyncio.create_task(lag.run(stop))
    await asyncio.sleep(0)

    time.sleep(1.1)
    stop.set()
    stalled = lag.stalled_since(began)
    await measuring

    assert stalled


@pytest.mark.parametrize(
    ("wall_moved", "real", "step"),
    [
        (timedelta(seconds=15), 15.0, timedelta()),
        (timedelta(seconds=16.5), 15.0, timedelta()),
        (timedelta(hours=6), 0.0, timedelta(hours=6)),
        (timedelta(hours=-1), 0.0, timedelta(hours=-1)),
        (timedelta(), 15.0, timedelta(seconds=-15)),
    ],
)
def test_step_of_the_wall_clock(clock, wall_moved, real, step):
    wall = [NOON, NOON + wall_moved]
    steps = ClockSteps(lambda: wall.pop(0), monotonic=clock)

    clock.at += real

    assert steps() == step


def test_step_is_told_once(clock):
    wall = [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1)]
    steps = ClockSteps(lambda: wall.pop(0), monotonic=clock)

    steps()

    assert steps() == timedelta()
