"""`Idempotency-Key`: what is sent twice is done once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.admin.port import ADMIN, MASTER, Port, open_port
from tests.admin.probes import COUNTS, PROBES

KEY = {"Idempotency-Key": "order-66"}


@pytest.fixture
async def port(dsn, tmp_path, now) -> AsyncIterator[Port]:
    COUNTS["done"] = 0
    async with open_port(dsn, tmp_path, now, table=PROBES) as opened:
        yield opened


async def test_same_request_is_done_once_and_answered_alike(port: Port) -> None:
    first = await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)
    second = await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    assert (first.status, second.status, first.text) == (201, 201, second.text)
    assert (second.headers["Location"], second.headers["Idempotency-Replayed"]) == ("/done", "true")
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert COUNTS["done"] == 1


async def test_without_the_key_it_is_done_twice(port: Port) -> None:
    await port.ask("POST", "/do", json={"text": "a"})
    await port.ask("POST", "/do", json={"text": "a"})

    assert COUNTS["done"] == 2


async def test_other_body_under_the_same_key_is_refused(port: Port) -> None:
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    answer = await port.ask("POST", "/do", json={"text": "b"}, headers=KEY)

    assert (answer.status, COUNTS["done"]) == (422, 1)


async def test_other_route_or_other_caller_has_keys_of_its_own(port: Port) -> None:
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    route = await port.ask("POST", "/echo", json={"text": "a"}, headers=KEY)
    caller = await port.ask("POST", "/do", key=MASTER, json={"text": "a"}, headers=KEY)

    assert (route.status, caller.status, COUNTS["done"]) == (200, 201, 2)


async def test_token_and_its_key_are_one_caller(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        token = await port.token(ADMIN)
        first = await port.ask("POST", "/api/v1/keys", json={"role": "viewer", "name": "a"}, headers=KEY)
        second = await port.ask("POST", "/api/v1/keys", token=token, json={"role": "viewer", "name": "a"}, headers=KEY)

    assert first.text == second.text


async def test_answer_is_sealed_where_it_is_kept(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        created = await port.ask("POST", "/api/v1/keys", json={"role": "viewer", "name": "a"}, headers=KEY)
        kept = await port.daemon.db.fetchrow("SELECT * FROM idempotency_keys")

    assert kept["answer"].startswith("v1.")
    assert created.json["key"] not in str(dict(kept))


async def test_answer_that_cannot_be_opened_any_more_is_409(port: Port) -> None:
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)
    await port.daemon.db.execute("UPDATE idempotency_keys SET answer = 'v1.00000000.AAAA'")

    assert (await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)).status == 409


async def test_refusal_is_not_remembered(port: Port) -> None:
    refused = await port.ask("POST", "/do", json={"text": "missing"}, headers=KEY)
    other = await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    assert (refused.status, other.status) == (404, 201)


async def test_second_while_the_first_is_under_way_is_409(port: Port) -> None:
    first = asyncio.create_task(port.ask("POST", "/do", json={"text": "slow"}, headers=KEY))
    while COUNTS["done"] == 0:
        await asyncio.sleep(0.01)

    second = await port.ask("POST", "/do", json={"text": "slow"}, headers=KEY)
    first.cancel()

    assert (second.status, second.headers["Retry-After"]) == (409, "1")


async def test_claim_of_a_dead_process_runs_out(port: Port) -> None:
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)
    await port.daemon.db.execute("UPDATE idempotency_keys SET answer = NULL")

    during = await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)
    port.clock.turn(timedelta(minutes=3))
    after = await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    assert (during.status, after.status, COUNTS["done"]) == (409, 201, 2)


async def test_what_was_done_is_not_done_again_though_its_answer_was_lost(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        wish = {"role": "viewer", "name": "a"}
        await port.ask("POST", "/api/v1/keys", json=wish, headers=KEY)
        await port.daemon.db.execute("UPDATE idempotency_keys SET answer = NULL")  # the process died right here

        during = await port.ask("POST", "/api/v1/keys", json=wish, headers=KEY)
        port.clock.turn(timedelta(minutes=3))
        after = await port.ask("POST", "/api/v1/keys", json=wish, headers=KEY)
        keys = await port.daemon.db.fetchval("SELECT count(*) FROM api_keys")

    assert (during.status, during.headers["Retry-After"]) == (409, "1")
    assert (after.status, "answer was lost" in after.json["detail"], keys) == (409, True, 1)


async def test_a_failure_after_the_deed_does_not_let_it_be_done_again(port: Port) -> None:
    failed = await port.ask("POST", "/do", json={"text": "recorded"}, headers=KEY)
    port.clock.turn(timedelta(minutes=3))
    again = await port.ask("POST", "/do", json={"text": "recorded"}, headers=KEY)

    assert (failed.status, again.status, COUNTS["done"]) == (500, 409, 1)


@pytest.mark.parametrize(("hours", "done"), [(23, 1), (25, 2)])
async def test_answers_are_kept_for_a_day(port: Port, hours: int, done: int) -> None:
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    port.clock.turn(timedelta(hours=hours))
    await port.ask("POST", "/do", json={"text": "a"}, headers=KEY)

    assert (COUNTS["done"], await port.daemon.db.fetchval("SELECT count(*) FROM idempotency_keys")) == (done, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
async def test_odd_key_is_400(port: Port, key: str) -> None:
    assert (await port.ask("POST", "/do", json={}, headers={"Idempotency-Key": key})).status == 400
