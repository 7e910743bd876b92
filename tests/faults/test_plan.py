"""A seed is a run: it holds every fault, in every way, and it is the same each time."""

from itertools import islice

import pytest

from tests.faults.plan import DECK, WAYS, Fault, Kind, kind_of, rounds


def planned(seed: int, number: int):
    return list(islice(rounds(seed, keys=100, changes=10, strikes=14), number))


def strikes(seed: int, number: int):
    return [strike for each in planned(seed, number) for strike in each.strikes]


def test_a_seed_is_the_same_each_time() -> None:
    assert planned(17, 3) == planned(17, 3)


def test_two_seeds_differ() -> None:
    assert planned(17, 3) != planned(18, 3)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_fault_is_in_the_two_rounds_that_are_always_played(seed: int) -> None:
    assert {strike.fault for strike in strikes(seed, 2)} == set(Fault)


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_comes_up_in_every_deck(fault: Fault) -> None:
    dealt = [[strike.fault for each in planned(seed, 2) for strike in each.strikes[1:]] for seed in range(50)]

    assert {deck[: len(DECK)].count(fault) for deck in dealt} == {DECK.count(fault)}


@pytest.mark.parametrize("fault", WAYS)
def test_each_way_of_a_fault_comes_up_in_some_seed(fault: Fault) -> None:
    met = {strike.way for seed in range(100) for strike in strikes(seed, 2) if strike.fault is fault}

    assert met == {str(way) for way in WAYS[fault]}


def test_no_key_breaks_twice_or_heals_unbroken() -> None:
    broken = [{change.key for change in each.changes if change.reason} for each in planned(5, 6)]
    healed = [{change.key for change in each.changes if change.reason is None} for each in planned(5, 6)]

    assert all(later <= set.union(*broken[: n + 1]) for n, later in enumerate(healed[1:]))
    assert all(not (breaking & healing) for breaking, healing in zip(broken, healed, strict=True))


def test_a_daemon_dies_first_when_the_checks_are_due() -> None:
    assert {each.strikes[0].fault for each in planned(7, 6)} == {Fault.KILL_DAEMON}


def test_every_strategy_that_breaks_recovers_in_the_next_round() -> None:
    first, second = planned(7, 2)

    assert [kind_of(number) for number in first.begins] == list(Kind)
    assert second.mends == [number for number in first.begins if kind_of(number) is not Kind.HEALTHY]
    assert not set(first.begins) & set(second.begins)
