"""Which equity readings are believed."""

import math

import pytest

from alertd.performance.quality import graded
from alertd.performance.returns import Quality
from tests.performance.making import flow, snapshot

ONE = [snapshot(0, 100)]
# Six-hourly, moving 0.1 % up and down: an account of which one knows what is usual.
CALM = [snapshot(6 * step, 100 + 0.1 * (step % 2)) for step in range(30)]
LAST = 6 * 29


@pytest.mark.parametrize(
    ("equity", "quality"),
    [
        (75.0, Quality.OK),
        (74.0, Quality.SUSPECT),
        (125.0, Quality.OK),
        (126.0, Quality.SUSPECT),
        (9000.0, Quality.SUSPECT),
    ],
)
def test_a_change_of_more_than_a_quarter_is_suspect(equity, quality):
    assert graded(snapshot(6, equity), ONE, []) is quality


@pytest.mark.parametrize(("equity", "quality"), [(97.2, Quality.OK), (96.0, Quality.SUSPECT), (104.0, Quality.SUSPECT)])
def test_a_calm_account_is_held_against_its_own_moves_but_not_against_trifles(equity, quality):
    assert graded(snapshot(LAST + 6, equity), CALM, []) is quality


def test_before_twenty_steps_nobody_knows_what_is_usual():
    assert graded(snapshot(60, 90), CALM[:10], []) is Quality.OK


@pytest.mark.parametrize("equity", [0.0, -3.0, 1e-9])
def test_nothing_where_there_was_something_is_never_believed(equity):
    emptied = snapshot(6, equity, Quality.SUSPECT)

    assert graded(snapshot(6, equity), ONE, []) is Quality.SUSPECT
    assert graded(snapshot(12, 0.0), [*ONE, emptied], []) is Quality.SUSPECT


def test_a_recorded_withdrawal_explains_an_empty_account():
    assert graded(snapshot(6, 0.0), ONE, [flow(3, -100)]) is Quality.OK


def test_a_recorded_deposit_explains_a_rise():
    assert graded(snapshot(6, 5000), ONE, [flow(3, 4900)]) is Quality.OK


def test_a_second_reading_like_it_confirms_a_jump():
    jump = snapshot(6, 60, Quality.SUSPECT)

    assert graded(snapshot(6.01, 60.5), [*ONE, jump], []) is Quality.OK


def test_a_second_reading_unlike_it_is_suspect_too():
    jump = snapshot(6, 60, Quality.SUSPECT)

    assert graded(snapshot(6.01, 20), [*ONE, jump], []) is Quality.SUSPECT


def test_a_return_to_what_was_before_is_believed():
    jump = snapshot(6, 1, Quality.SUSPECT)

    assert graded(snapshot(6.01, 100), [*ONE, jump], []) is Quality.OK


@pytest.mark.parametrize("equity", [math.nan, math.inf])
def test_what_is_no_number_is_partial(equity):
    assert graded(snapshot(6, equity), ONE, []) is Quality.PARTIAL


def test_the_first_reading_is_believed():
    assert graded(snapshot(0, 0.0), [], []) is Quality.OK


def test_an_account_that_was_empty_is_asked_twice_about_its_first_money():
    empty = [snapshot(0, 0.0)]
    first = snapshot(6, 100)

    assert graded(first, empty, []) is Quality.SUSPECT
    assert graded(snapshot(7, 100), [*empty, snapshot(6, 100, Quality.SUSPECT)], []) is Quality.OK
