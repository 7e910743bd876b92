"""When a run of findings is worth a message."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.lifecycle import Memory, Policy, Sign, Step, advance, restarted

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
THREE = Policy(strikes=3, remind_every=timedelta(hours=24))

signs = st.lists(st.sampled_from(Sign), max_size=60)
policies = st.builds(Policy, strikes=st.integers(1, 5), remind_every=st.sampled_from([None, HOUR, 5 * HOUR]))


def story(policy: Policy, *seen: Sign, memory: Memory | None = None) -> tuple[list[Step], Memory]:
    """The steps that findings an hour apart lead to."""
    steps, known = [], memory or Memory()
    for hours, sign in enumerate(seen):
        known, step = advance(known, sign, policy, NOON + hours * HOUR)
        steps.append(step)
    return steps, known


B, G, U = Sign.BAD, Sign.GOOD, Sign.UNKNOWN
NO, FIRE, REMIND, RESOLVE = Step.NOTHING, Step.FIRE, Step.REMIND, Step.RESOLVE


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([B, B, B], [NO, NO, FIRE]),
        ([B, B, G, B, B], [NO, NO, NO, NO, NO]),
        ([B, U, B, U, B], [NO, NO, NO, NO, FIRE]),
        ([U, U, U, U], [NO, NO, NO, NO]),
        ([B, B, B, B, B], [NO, NO, FIRE, NO, NO]),
        ([B, B, B, G, G], [NO, NO, FIRE, RESOLVE, NO]),
        ([B, B, B, U, G], [NO, NO, FIRE, NO, RESOLVE]),
        ([G, B, B, B, G, B, B, B], [NO, NO, NO, FIRE, RESOLVE, NO, NO, FIRE]),
    ],
)
def test_steps_of_a_story(seen: list[Sign], steps: list[Step]) -> None:
    assert story(THREE, *seen)[0] == steps


def test_a_reminder_comes_when_its_time_is_over_and_only_then() -> None:
    policy = Policy(strikes=1, remind_every=3 * HOUR)

    steps, _ = story(policy, B, B, B, B, B, B, B)

    assert steps == [FIRE, NO, NO, REMIND, NO, NO, REMIND]


def test_an_alert_that_reached_nobody_is_said_again() -> None:
    unheard = Memory(streak=3, first_bad_at=NOON, alerting=True, announced_at=None)

    _, step = advance(unheard, B, THREE, NOON + HOUR)

    assert step is FIRE


def test_a_new_secret_starts_a_new_streak_under_the_same_alert() -> None:
    _, firing = story(THREE, B, B, B)

    again = restarted(firing)
    _, step = advance(again, G, THREE, NOON + HOUR)

    assert (again.streak, again.alerting, step) == (0, True, RESOLVE)


def test_the_first_failure_of_a_streak_is_remembered() -> None:
    _, memory = story(THREE, G, B, U, B)

    assert (memory.first_bad_at, memory.last_good_at, memory.streak) == (NOON + HOUR, NOON, 2)


@given(policies, signs)
def test_every_episode_is_fired_once_and_resolved_at_most_once(policy: Policy, seen: list[Sign]) -> None:
    steps = [s for s in story(policy, *seen)[0] if s in (FIRE, RESOLVE)]

    assert steps == [FIRE, RESOLVE] * (len(steps) // 2) + [FIRE] * (len(steps) % 2)


@given(policies, signs)
def test_unknown_findings_change_nothing(policy: Policy, seen: list[Sign]) -> None:
    known = [s for s in seen if s is not U]

    assert [s for s in story(Policy(policy.strikes, None), *seen)[0] if s is not NO] == [
        s for s in story(Policy(policy.strikes, None), *known)[0] if s is not NO
    ]


@given(policies, signs)
def test_the_streak_counts_bad_findings_since_the_last_good_one(policy: Policy, seen: list[Sign]) -> None:
    last_good = max((i for i, s in enumerate(seen) if s is G), default=-1)

    assert story(policy, *seen)[1].streak == seen[last_good + 1 :].count(B)
