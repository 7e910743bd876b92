"""Guessing is slow, and nobody can lock out somebody else with it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.admin.limits import Buckets, Recent, neighbourhood, whole_seconds
from tests.admin.port import ADMIN, OPERATOR, VIEWER, Port

LOGIN = "/api/performance-alerts/auth/login"
ME = "/api/performance-alerts/auth/me"
SECOND = timedelta(seconds=1)
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@given(burst=st.integers(1, 20), failures=st.integers(0, 40), waited=st.integers(0, 60))
def test_burst_and_then_one_each_interval(burst: int, failures: int, waited: int) -> None:
    buckets = Buckets(burst=burst, every=SECOND)
    for _ in range(failures):
        buckets.take("a", NOW)

    wait = buckets.wait("a", NOW + SECOND * waited)

    assert wait == max(timedelta(), SECOND * (failures - burst + 1 - waited)) or failures == 0


def test_names_do_not_share_a_bucket(now) -> None:
    buckets = Buckets(burst=1, every=SECOND)
    buckets.take("a", now)

    assert (buckets.wait("a", now), buckets.wait("b", now)) == (SECOND, timedelta())


def test_memory_has_an_end(now) -> None:
    buckets = Buckets(burst=1, every=SECOND, most=10)

    for number in range(1000):
        buckets.take(str(number), now)

    assert (len(buckets), buckets.wait("999", now), buckets.wait("0", now)) == (10, SECOND, timedelta())


@pytest.mark.parametrize(
    ("peer", "shared"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("local", "local"),
    ],
)
def test_what_shares_a_bucket(peer: str, shared: str) -> None:
    assert neighbourhood(peer) == shared


@pytest.mark.parametrize(("wait", "seconds"), [(0.1, 1), (1.0, 1), (1.2, 2)])
def test_wait_is_told_in_whole_seconds(wait: float, seconds: int) -> None:
    assert whole_seconds(timedelta(seconds=wait)) == seconds


async def guess(port: Port, times: int) -> list[int]:
    answers = [await port.ask("POST", LOGIN, key=None, json={"api_key": f"guess {number}"}) for number in range(times)]
    return [answer.status for answer in answers]


async def test_too_many_guesses_at_the_login_must_wait(port: Port) -> None:
    statuses = await guess(port, 22)

    assert statuses == [401] * 20 + [429] * 2


async def test_how_long_is_said(port: Port) -> None:
    await guess(port, 20)

    answer = await port.ask("POST", LOGIN, key=None, json={"api_key": "guess"})

    assert (answer.status, answer.headers["Retry-After"]) == (429, "3")


async def test_right_key_must_wait_too_as_long_as_nobody_knows_it(port: Port) -> None:
    await guess(port, 20)

    during = await port.ask("POST", LOGIN, key=None, json={"api_key": ADMIN})
    port.clock.turn(timedelta(seconds=3))
    after = await port.ask("POST", LOGIN, key=None, json={"api_key": ADMIN})

    assert (during.status, after.status) == (429, 200)


async def test_known_key_passes_while_others_guess_at_its_address(port: Port) -> None:
    await port.ask("GET", ME, key=ADMIN)
    await guess(port, 20)

    login = await port.ask("POST", LOGIN, key=None, json={"api_key": ADMIN})
    me = await port.ask("GET", ME, key=OPERATOR)

    assert (login.status, me.status) == (200, 200)


async def test_guesses_that_are_not_looked_at_are_not_written_down(port: Port) -> None:
    await guess(port, 25)

    assert await port.daemon.db.fetchval("SELECT count(*) FROM audit_log") == 20


async def test_too_many_wrong_keys_anywhere_must_wait(port: Port) -> None:
    statuses = [(await port.ask("GET", ME, key=f"guess {number}")).status for number in range(301)]

    assert statuses == [401] * 300 + [429]
    assert (await port.ask("GET", ME, key=VIEWER)).status == 429
    assert (await port.ask("GET", ME, key=None)).status == 401


async def test_guessing_the_rest_of_one_key_must_wait_from_everywhere(port: Port) -> None:
    key = await port.key()
    _, lookup, secret, _ = key.split("_")
    buckets = port.daemon.gate.limits.key
    for _ in range(300):
        buckets.take(lookup, port.clock())

    assert (await port.ask("GET", ME, key=key)).status == 429
    assert secret


async def test_revoked_key_is_known_no_more(port: Port) -> None:
    key = await port.key()
    await port.ask("GET", ME, key=key)
    await port.daemon.db.execute("UPDATE api_keys SET revoked_at = created_at")
    refused = await port.ask("GET", ME, key=key)
    await guess(port, 20)

    again = await port.ask("POST", LOGIN, key=None, json={"api_key": key})

    assert (refused.status, again.status) == (401, 429)


def test_the_mark_used_longest_ago_is_forgotten_first() -> None:
    recent = Recent(most=2)

    for mark in (b"a", b"b", b"a", b"c"):
        recent.add(mark)

    assert [mark in recent for mark in (b"a", b"b", b"c")] == [True, False, True]
