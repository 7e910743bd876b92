"""MEXC and HTX count the days that a key has left, and hide a key's entry behind other questions."""

from datetime import UTC, datetime, timedelta

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks.htx import our_key
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Rights
from alertd.model import Permissions, Reason, Secret, Warn
from tests.credentials.exchanges.conftest import ref, secret

NINE_DAYS_AND_A_BIT = timedelta(days=9, hours=1)
COUNTING = ["htx", "mexc"]


@pytest.mark.parametrize("exchange", COUNTING)
async def test_days_left_become_a_day(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    expires_at = datetime.now(UTC) + NINE_DAYS_AND_A_BIT
    account = sim.add(exchange, rights=Rights(expires_at=expires_at))

    result = await exchanges.ask(ref(exchange), secret(account))

    assert result.permissions.expires_at is not None
    assert abs(expires_at - result.permissions.expires_at) < timedelta(days=1)
    assert Warn.EXPIRES_SOON in result.warnings


@pytest.mark.parametrize("exchange", COUNTING)
async def test_a_key_without_end(exchange: str, sim: Simulator, exchanges: Exchanges) -> None:
    result = await exchanges.ask(ref(exchange), secret(sim.add(exchange)))

    assert result.permissions.expires_at is None


@pytest.mark.parametrize(("exchange", "path"), [("mexc", "/api/v3/apiKeyInfo"), ("htx", "/v2/user/api-key")])
async def test_a_key_that_may_not_look_at_itself_is_alive(
    exchange: str, path: str, sim: Simulator, exchanges: Exchanges
) -> None:
    account = sim.add(exchange)
    account.forbidden = frozenset({path})

    result = await exchanges.ask(ref(exchange), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True))


async def test_a_good_htx_key_takes_two_questions(sim: Simulator, exchanges: Exchanges) -> None:
    await exchanges.ask(ref("htx"), secret(sim.add("htx")))

    assert [made.path for made in sim.requests] == ["/v2/user/uid", "/v2/user/api-key"]


def test_an_answer_about_other_keys_is_left_as_it_is() -> None:
    body = {"code": 200, "data": [{"accessKey": "another", "permission": "trade"}]}

    assert our_key(body, Secret("key", "secret")) == body
