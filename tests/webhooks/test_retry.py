"""The verdict on an attempt, the schedule, `Retry-After`, and the circuit's arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.webhooks.retry import (
    LONGEST_WAIT,
    Fault,
    Outcome,
    Result,
    classify,
    next_attempt,
    opened,
    retry_after,
    waits,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def seconds(*numbers: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=number) for number in numbers)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        *((status, Result.DELIVERED) for status in (200, 201, 202, 204, 226, 299)),
        *((status, Result.AGAIN) for status in (101, 199, 300, 301, 302, 304, 307, 308)),
        *((status, Result.AGAIN) for status in (400, 401, 403, 404, 405, 408, 409, 411, 413, 418, 422, 429)),
        *((status, Result.AGAIN) for status in (500, 501, 502, 503, 504, 599, 999)),
        (410, Result.GONE),
        (None, Result.DELIVERED),
    ],
)
def test_a_status_is_classified(status, result):
    assert classify(Outcome(status=status)) is result


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_never_a_delivery_even_with_a_good_status(fault):
    assert classify(Outcome(status=200, error=fault)) in (Result.AGAIN, Result.HOPELESS)


def test_what_only_a_setting_can_mend_is_hopeless():
    assert classify(Outcome(error=Fault.REFUSED_URL)) is Result.HOPELESS


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (Outcome(status=204), "success"),
        (Outcome(status=500), "failure"),
        (Outcome(error=Fault.DNS), "failure"),
        (Outcome(error=Fault.TIMEOUT), "timeout"),
        (Outcome(status=200, error=Fault.TIMEOUT), "timeout"),
    ],
)
def test_the_log_has_three_words(outcome, label):
    assert outcome.label == label


@pytest.mark.parametrize(
    ("profile", "attempts", "expected"),
    [
        ("fast", 3, seconds(1, 2)),
        ("fast", 1, ()),
        ("fast", 5, seconds(1, 2, 4, 8)),
        ("patient", 3, seconds(1, 2, 60, 600, 3600, 21600)),
        ("patient", 1, seconds(60, 600, 3600, 21600)),
    ],
)
def test_the_pauses_of_a_profile(profile, attempts, expected):
    assert waits(profile, attempts, SECOND) == expected


@pytest.mark.parametrize("base", [SECOND, timedelta(seconds=1_000_000_000)], ids=["a second", "as the settings allow"])
def test_no_pause_exceeds_a_day(base):
    assert waits("fast", 100, base)[-1] == LONGEST_WAIT


def test_a_base_of_zero_means_at_once():
    assert waits("fast", 3, timedelta(0)) == seconds(0, 0)


@pytest.mark.parametrize(("attempts", "expected"), [(1, 1), (2, 2)])
def test_the_published_rule_is_attempts_at_0_1_and_3_seconds(attempts, expected):
    due = next_attempt(waits=waits("fast", 3, SECOND), attempts=attempts, now=NOW, jitter=lambda: 0.0)

    assert due == NOW + timedelta(seconds=expected)


def test_after_the_last_attempt_there_is_none():
    assert next_attempt(waits=seconds(1, 2), attempts=3, now=NOW, jitter=lambda: 0.0) is None


@settings(deadline=None)
@given(
    wait=st.timedeltas(timedelta(0), LONGEST_WAIT),
    asked=st.none() | st.timedeltas(timedelta(0), LONGEST_WAIT),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_jitter_only_ever_delays_and_by_a_tenth_at_most(wait, asked, jitter):
    due = next_attempt(waits=[wait], attempts=1, now=NOW, jitter=lambda: jitter, retry_after=asked)
    least = max(wait, min(asked or timedelta(0), HOUR))

    assert NOW + least <= due <= NOW + least * 1.1 + timedelta(microseconds=1)


@pytest.mark.parametrize(("asked", "expected"), [(SECOND, 2), (timedelta(seconds=90), 90), (timedelta(days=1), 3600)])
def test_a_longer_retry_after_wins_up_to_the_ceiling(asked, expected):
    due = next_attempt(waits=seconds(2), attempts=1, now=NOW, jitter=lambda: 0.0, retry_after=asked, ceiling=HOUR)

    assert due == NOW + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("99999999999999999999", LONGEST_WAIT),
        ("9" * 8000, LONGEST_WAIT),
        ("Mon, 05 Jan 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Monday, 05-Jan-26 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon Jan  5 12:00:30 2026", timedelta(seconds=30)),
        ("Mon, 05 Jan 2026 13:00:30 +0100", timedelta(seconds=30)),
        ("Mon, 05 Jan 2026 11:59:59 GMT", None),
        ("Mon, 05 Jan 2036 12:00:00 GMT", LONGEST_WAIT),
        ("Mon, 99 Foo 2026 12:00:30 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
    ],
)
def test_retry_after_is_read(header, expected):
    assert retry_after(503, header, NOW) == expected


@pytest.mark.parametrize(("status", "expected"), [(429, SECOND), (503, SECOND), (500, None), (200, None)])
def test_only_429_and_503_can_ask_for_a_pause(status, expected):
    assert retry_after(status, "1", NOW) == expected


def test_an_answer_without_the_header_asks_for_nothing():
    assert retry_after(429, None, NOW) is None


@settings(deadline=None)
@given(st.text())
def test_no_retry_after_breaks_the_reader(header):
    assert (retry_after(429, header, NOW) or SECOND) > timedelta(0)


@pytest.mark.parametrize(
    ("failures", "cooldown", "expected"),
    [
        (9, timedelta(0), None),
        (10, timedelta(0), timedelta(minutes=15)),
        (11, timedelta(minutes=15), timedelta(minutes=30)),
        (12, timedelta(hours=8), timedelta(hours=16)),
        (13, timedelta(hours=16), timedelta(hours=24)),
        (99, timedelta(hours=24), timedelta(hours=24)),
        (1, timedelta(minutes=15), timedelta(minutes=30)),
    ],
)
def test_the_circuit_opens_at_the_threshold_and_a_failed_probe_doubles_the_cooldown(failures, cooldown, expected):
    assert opened(failures=failures, threshold=10, cooldown=cooldown) == expected
