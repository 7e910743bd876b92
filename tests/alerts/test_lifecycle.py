"""When a run of findings is worth a message."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, advance, restarted
from alertd.model import Severity

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
THREE = Policy(strikes=3, remind_every=timedelta(hours=24))
QUIET = Policy(strikes=1, remind_every=timedelta(), quiet=3 * HOUR)
CALMING = Policy(strikes=1, remind_every=None, calm=3 * HOUR)
FLAPPING = Memory(streak=1, first_bad_at=NOON, alerting=True, announced_at=NOON, flapping=True)

signs = st.lists(st.sampled_from(Sign), max_size=60)
policies = st.builds(
    Policy,
    strikes=st.integers(1, 5),
    remind_every=st.sampled_from([None, timedelta(), HOUR, 5 * HOUR]),
    quiet=st.sampled_from([timedelta(), HOUR, 3 * HOUR]),
)


def story(policy: Policy, *seen: Sign | Severity, memory: Memory | None = None) -> tuple[list[Step], Memory]:
    """The steps that findings an hour apart lead to; a severity is a bad finding."""
    steps, known = [], memory or Memory()
    for hours, found in enumerate(seen):
        sign, severity = (found, Severity.WARNING) if isinstance(found, Sign) else (Sign.BAD, found)
        known, step = advance(known, sign, severity, policy=policy, now=NOON + hours * HOUR)
        steps.append(step)
    return steps, known


B, G, U = Sign.BAD, Sign.GOOD, Sign.UNKNOWN
NO, WAIT, FIRE, RAISE, REMIND, HOLD, CALM, SUBSIDE, RESOLVE = Step
LOW, WARNING, CRITICAL, EMERGENCY = Severity


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([B, B, B], [WAIT, WAIT, FIRE]),
        ([B, B, G, B, B], [WAIT, WAIT, SUBSIDE, WAIT, WAIT]),
        ([B, U, B, U, B], [WAIT, NO, WAIT, NO, FIRE]),
        ([U, U, U, U], [NO, NO, NO, NO]),
        ([B, B, B, B, B], [WAIT, WAIT, FIRE, NO, NO]),
        ([B, B, B, G, G], [WAIT, WAIT, FIRE, RESOLVE, NO]),
        ([B, B, B, U, G], [WAIT, WAIT, FIRE, NO, RESOLVE]),
        ([G, B, B, B, G, B, B, B], [NO, WAIT, WAIT, FIRE, RESOLVE, WAIT, WAIT, FIRE]),
    ],
)
def test_steps_of_a_story(seen: list[Sign], steps: list[Step]) -> None:
    assert story(THREE, *seen)[0] == steps


def test_a_reminder_comes_when_its_time_is_over_and_only_then() -> None:
    policy = Policy(strikes=1, remind_every=3 * HOUR)

    steps, _ = story(policy, B, B, B, B, B, B, B)

    assert steps == [FIRE, NO, NO, REMIND, NO, NO, REMIND]


def test_reminder_that_is_due_too_soon_is_held_back() -> None:
    assert story(QUIET, B, B, B, B, B)[0] == [FIRE, HOLD, HOLD, REMIND, HOLD]


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([WARNING, CRITICAL], [FIRE, RAISE]),
        ([WARNING, CRITICAL, EMERGENCY], [FIRE, RAISE, RAISE]),
        ([CRITICAL, WARNING], [FIRE, HOLD]),
        ([CRITICAL, WARNING, CRITICAL], [FIRE, HOLD, HOLD]),
        ([CRITICAL, WARNING, WARNING, WARNING, CRITICAL], [FIRE, HOLD, HOLD, REMIND, RAISE]),
        ([WARNING, CRITICAL, CRITICAL, CRITICAL, CRITICAL], [FIRE, RAISE, HOLD, HOLD, REMIND]),
        ([WARNING, G, WARNING], [FIRE, RESOLVE, FIRE]),
    ],
)
def test_what_is_worse_than_what_was_told_passes(seen: list[Severity], steps: list[Step]) -> None:
    assert story(QUIET, *seen)[0] == steps


@pytest.mark.parametrize(("seen", "step"), [(WARNING, NO), (CRITICAL, RAISE), (G, RESOLVE), (U, NO)])
def test_acknowledging_stops_reminders_and_nothing_else(seen: Sign | Severity, step: Step) -> None:
    acked = Memory(streak=1, first_bad_at=NOON, alerting=True, announced_at=NOON - 9 * HOUR, told=WARNING, acked=True)

    assert story(QUIET, seen, memory=acked)[0] == [step]


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([G, G, G, G], [CALM, CALM, CALM, RESOLVE]),
        ([G, G, B, G, G, G, G], [CALM, CALM, NO, CALM, CALM, CALM, RESOLVE]),
        ([G, U, U, G], [CALM, NO, NO, RESOLVE]),
    ],
)
def test_what_flaps_is_over_after_a_calm_time(seen: list[Sign], steps: list[Step]) -> None:
    assert story(CALMING, *seen, memory=FLAPPING)[0] == steps


def test_what_does_not_flap_is_over_at_once() -> None:
    assert story(CALMING, G, memory=replace(FLAPPING, flapping=False))[0] == [RESOLVE]


def test_an_alert_that_reached_nobody_is_said_again() -> None:
    unheard = Memory(streak=3, first_bad_at=NOON, alerting=True, announced_at=None)

    assert story(THREE, B, memory=unheard)[0] == [FIRE]


def test_a_new_secret_starts_a_new_streak_under_the_same_alert() -> None:
    _, firing = story(THREE, B, B, B)

    again = restarted(firing)

    assert (again.streak, again.alerting, story(THREE, G, memory=again)[0]) == (0, True, [RESOLVE])


def test_the_first_failure_of_a_streak_is_remembered() -> None:
    _, memory = story(THREE, G, B, U, B)

    assert (memory.first_bad_at, memory.last_good_at, memory.streak) == (NOON + HOUR, NOON, 2)


@given(policies, signs)
def test_every_episode_is_fired_once_and_resolved_at_most_once(policy: Policy, seen: list[Sign]) -> None:
    steps = [s for s in story(policy, *seen)[0] if s in (FIRE, RESOLVE)]

    assert steps == [FIRE, RESOLVE] * (len(steps) // 2) + [FIRE] * (len(steps) % 2)


@given(policies, signs)
def test_unknown_findings_change_nothing(policy: Policy, seen: list[Sign]) -> None:
    once = replace(policy, remind_every=None)
    known = [s for s in seen if s is not U]

    assert [s for s in story(once, *seen)[0] if s is not NO] == [s for s in story(once, *known)[0] if s is not NO]


@given(policies, signs)
def test_the_streak_counts_bad_findings_since_the_last_good_one(policy: Policy, seen: list[Sign]) -> None:
    last_good = max((i for i, s in enumerate(seen) if s is G), default=-1)

    assert story(policy, *seen)[1].streak == seen[last_good + 1 :].count(B)


@given(policies, st.lists(st.sampled_from([*Sign, *Severity]), max_size=60))
def test_two_messages_within_the_quiet_time_are_raises(policy: Policy, seen: list[Sign | Severity]) -> None:
    steps, _ = story(policy, *seen)
    reminders = [hours for hours, step in enumerate(steps) if step is REMIND]
    said = [hours for hours, step in enumerate(steps) if step in (FIRE, RAISE, REMIND)]

    assert all((hours - max(h for h in said if h < hours)) * HOUR >= policy.quiet for hours in reminders)
