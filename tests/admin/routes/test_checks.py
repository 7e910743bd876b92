"""A check because somebody asks for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.admin.access import Role
from alertd.credentials import store
from alertd.db import new_id
from alertd.demo.exchanges.shape import State
from tests import factories
from tests.admin.port import OPERATOR, Answered
from tests.admin.routes.market import CREDENTIALS, Market, open_market

HOUR = timedelta(hours=1)


async def check(market: Market, tenant: UUID, body: Mapping[str, str] | None = None, **options: str) -> Answered:
    return await market.ask("POST", f"{CREDENTIALS}/{tenant}/check", json=body, **options)


async def test_results_come_at_once(market: Market) -> None:
    good = await market.key("binance")
    await market.key("kraken", State.REVOKED, tenant=good.tenant_id)

    answer = await check(market, good.tenant_id)

    first, second = answer.json["items"]
    assert (answer.status, answer.json["next_cursor"]) == (200, None)
    assert (first["verdict"], first["reason"], first["error"], first["what_to_do"]) == ("valid", "ok", None, "")
    assert (first["permissions"]["trade"], first["checked_at"]) == (True, "2026-01-05T12:00:00Z")
    assert (second["exchange"], second["verdict"], second["reason"]) == ("kraken", "invalid", "invalid_key")
    assert second["error"].startswith("Kraken does not accept this API key")
    assert second["what_to_do"].startswith("Create a new API key")


async def test_check_is_no_strike(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)

    for _ in range(5):
        answer = await check(market, ref.tenant_id)

    assert answer.json["items"][0]["consecutive_failures"] == 0
    assert (await market.row(ref))["alerting"] is False


@pytest.mark.parametrize(
    ("body", "leaves"),
    [
        ({}, ["readonly", "trading", "trading.main", "trading"]),
        ({"exchange": "okx"}, ["trading"]),
        ({"credential_type": "trading"}, ["trading", "trading.main", "trading"]),
        ({"credential_type": "trading", "label": "main"}, ["trading.main"]),
        ({"exchange": "nowhere", "label": ""}, ["readonly", "trading"]),
    ],
    ids=str,
)
async def test_check_is_narrowed_down(market: Market, body: Mapping[str, str], leaves: list[str]) -> None:
    ref = await market.key("okx")
    for leaf in ("trading", "trading.main", "readonly"):
        await market.foreign_key(tenant=ref.tenant_id, leaf=leaf)
    await market.key("okx")

    answer = await check(market, ref.tenant_id, body)

    names = [".".join(filter(None, (item["credential_type"], item["label"]))) for item in answer.json["items"]]
    assert names == leaves


@pytest.mark.parametrize("body", [{"exchange": "kraken"}, {"credential_type": "readonly"}, {"label": "none"}], ids=str)
async def test_nothing_like_that_is_404(market: Market, body: Mapping[str, str]) -> None:
    ref = await market.key("binance")

    answer = await check(market, ref.tenant_id, body)

    assert (answer.status, answer.json["detail"]) == (404, "This tenant has no such credential.")


@pytest.mark.parametrize(
    ("body", "where"), [({"credential_type": "spot"}, "/credential_type"), ({"tenant": "x"}, "/tenant")]
)
async def test_malformed_wish_is_refused(market: Market, body: Mapping[str, str], where: str) -> None:
    answer = await check(market, new_id(), body)

    assert (answer.status, answer.json["errors"][0]["where"]) == (422, where)


async def test_unknown_tenant_is_404(market: Market) -> None:
    assert (await check(market, new_id())).status == 404


async def test_tenant_checks_its_own_and_learns_nothing_of_others(market: Market) -> None:
    own, theirs = await market.key(), await market.key()
    key = await market.tenant_key(own.tenant_id)

    answers = [await check(market, tenant, key=key) for tenant in (own.tenant_id, theirs.tenant_id, new_id())]

    assert [answer.status for answer in answers] == [200, 404, 404]
    assert answers[1].json["detail"] == answers[2].json["detail"]
    assert (await market.row(theirs))["verdict"] is None


async def test_key_that_is_being_checked_is_busy(market: Market) -> None:
    ref = await market.key()
    row = await market.row(ref)
    await store.claim_these(market.port.daemon.db, [row["id"]], now=market.port.clock(), lease=HOUR)

    answer = await check(market, ref.tenant_id)

    assert (answer.status, "under way" in answer.json["detail"]) == (409, True)


async def test_paused_tenant_is_not_checked(market: Market) -> None:
    tenant = await factories.tenant(market.port.daemon.db, paused=True)
    await market.foreign_key(tenant=tenant)

    answer = await check(market, tenant)

    assert (answer.status, answer.json["detail"]) == (409, "This tenant is paused, so its keys are not checked.")


async def test_too_many_keys_are_not_waited_for(market: Market) -> None:
    tenant = await factories.tenant(market.port.daemon.db)
    for number in range(51):
        await factories.credential(market.port.daemon.db, tenant, label=str(number))

    assert (await check(market, tenant)).status == 422
    assert (await check(market, tenant, {"label": "7"})).status == 404  # it is in no store


async def test_key_that_was_deleted_in_the_store_is_retired(market: Market) -> None:
    ref = await market.key()
    await market.port.daemon.secrets.remove(ref)

    answer = await check(market, ref.tenant_id)

    assert (answer.status, (await market.row(ref))["retired_at"]) == (404, market.port.clock())


async def test_store_that_is_down_says_nothing_about_keys(dsn: str, tmp_path: Path, now: datetime) -> None:
    environ = {"ALERTD_SECRETS__BACKEND": "vault", "VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "t"}
    async with open_market(dsn, tmp_path, now, environ=environ) as market:
        tenant = await factories.tenant(market.port.daemon.db)
        await factories.credential(market.port.daemon.db, tenant)

        answer = await check(market, tenant)

        assert (answer.status, "127.0.0.1:1" in answer.text) == (503, False)
        assert await market.port.daemon.db.fetchval("SELECT count(*) FROM credential_health_checks") == 0


async def test_check_is_written_down(market: Market) -> None:
    ref = await market.key()

    await check(market, ref.tenant_id, key=OPERATOR)

    [deed] = await market.deeds("credential.check")
    assert (deed["actor"], deed["object"], deed["after"]) == (
        "operator",
        f"tenant:{ref.tenant_id}",
        {"checked": [ref.path]},
    )


async def test_tenant_who_asks_again_and_again_must_wait(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)
    key = await market.port.key(Role.TENANT, tenant_id=ref.tenant_id)

    answers = [await check(market, ref.tenant_id, key=key) for _ in range(61)]

    assert [answer.status for answer in answers] == [200] * 60 + [429]
    assert answers[-1].headers["Retry-After"] == "10"


async def test_operator_may_ask_on_while_a_tenant_must_wait(market: Market) -> None:
    ref = await market.key("kraken", State.REVOKED)
    market.port.daemon.asked.take(str(ref.tenant_id), market.port.daemon.now(), times=100)

    assert (await check(market, ref.tenant_id, key=OPERATOR)).status == 200
