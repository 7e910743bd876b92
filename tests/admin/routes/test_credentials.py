"""How the keys stand, as people and tenants see it."""

from uuid import UUID

import pytest

from alertd.credentials.sweep import Scope
from alertd.db import new_id
from alertd.demo.exchanges.shape import Rights, State
from tests import factories
from tests.admin.routes.market import CREDENTIALS, Market, at

HEALTH = f"{CREDENTIALS}/health"
NOTHING_KNOWN = {
    "read": None,
    "trade": None,
    "withdraw": None,
    "transfer": None,
    "ip_restricted": None,
    "expires_at": None,
}


async def test_key_that_works_is_shown_with_its_rights(market: Market) -> None:
    ref = await market.key(rights=Rights(withdraw=True))
    await market.sweep()

    [item] = (await market.ask("GET", HEALTH)).json["items"]

    assert item.pop("id") == str((await market.row(ref))["id"])
    assert item.pop("duration_ms") >= 0
    assert item == {
        "tenant_id": str(ref.tenant_id),
        "exchange": "binance",
        "credential_type": "trading",
        "label": "",
        "verdict": "valid",
        "reason": "ok",
        "permissions": {**NOTHING_KNOWN, "read": True, "trade": True, "withdraw": True, "ip_restricted": True}
        | {"transfer": False},
        "warnings": ["can_withdraw"],
        "consecutive_failures": 0,
        "last_checked_at": "2026-01-05T13:00:00Z",
        "last_success_at": "2026-01-05T13:00:00Z",
        "first_failure_at": None,
        "endpoint_configured": False,
    }


async def test_key_that_fails_is_shown_with_since_when(market: Market) -> None:
    await market.key(state=State.REVOKED)
    await market.sweep(times=2)

    [item] = (await market.ask("GET", HEALTH)).json["items"]

    assert (item["verdict"], item["reason"], item["consecutive_failures"]) == ("invalid", "invalid_key", 2)
    assert (item["first_failure_at"], item["last_success_at"]) == ("2026-01-05T13:00:00Z", None)


async def test_key_that_nobody_has_asked_about_has_no_verdict(market: Market) -> None:
    await market.key()

    [item] = (await market.ask("GET", HEALTH)).json["items"]

    assert (item["verdict"], item["reason"], item["last_checked_at"]) == (None, None, None)
    assert item["permissions"] == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("event_type", "active", "configured"),
    [
        ("*", True, True),
        ("credential.failed", True, True),
        ("credential.risk", True, False),
        ("*", False, False),
    ],
)
async def test_endpoint_counts_if_it_would_hear_of_a_failure(
    market: Market, event_type: str, active: bool, configured: bool
) -> None:
    ref = await market.key()
    await factories.webhook(market.port.daemon.db, ref.tenant_id, event_type=event_type, active=active)

    [item] = (await market.ask("GET", HEALTH)).json["items"]

    assert item["endpoint_configured"] is configured


async def test_endpoint_counts_for_its_further_event_types(market: Market) -> None:
    ref = await market.key()
    types = ("credential.failed", "credential.recovered")
    await factories.webhook(market.port.daemon.db, ref.tenant_id, event_type="credential.risk", event_types=types)

    [item] = (await market.ask("GET", HEALTH)).json["items"]

    assert item["endpoint_configured"] is True


@pytest.fixture
async def four(market: Market) -> UUID:
    """One tenant's keys: one that works, two that fail, and one that nobody can tell about."""
    tenant = new_id()
    await market.key("binance", tenant=tenant)
    await market.key("kraken", State.REVOKED, tenant=tenant)
    await market.key("okx", State.IP_BLOCKED, tenant=tenant, leaf="readonly.fund-2")
    await market.foreign_key()
    await market.sweep()
    return tenant


@pytest.mark.parametrize(
    ("query", "exchanges"),
    [
        ("", ["binance", "kraken", "okx", "nowhere"]),
        ("?exchange=kraken", ["kraken"]),
        ("?exchange=bybit", []),
        ("?verdict=valid", ["binance"]),
        ("?verdict=invalid", ["kraken", "okx"]),
        ("?verdict=inconclusive", ["nowhere"]),
        ("?reason=ip_restricted", ["okx"]),
        ("?reason=ok", ["binance"]),
        ("?verdict=valid&reason=ip_restricted", []),
        ("?verdict=invalid&exchange=okx", ["okx"]),
    ],
)
async def test_health_is_narrowed_down(market: Market, four: UUID, query: str, exchanges: list[str]) -> None:
    answer = await market.ask("GET", f"{HEALTH}{query}")

    assert [item["exchange"] for item in answer.json["items"]] == exchanges


async def test_health_is_narrowed_down_to_a_tenant(market: Market, four: UUID) -> None:
    answer = await market.ask("GET", f"{HEALTH}?tenant_id={four}")

    assert {item["tenant_id"] for item in answer.json["items"]} == {str(four)}
    assert len(answer.json["items"]) == 3


@pytest.mark.parametrize("query", ["verdict=good", "reason=bad", "tenant_id=1", "exchange=a%20b", "label=x"])
async def test_what_cannot_be_asked_is_refused(market: Market, query: str) -> None:
    answer = await market.ask("GET", f"{HEALTH}?{query}")

    assert (answer.status, [flaw["where"] for flaw in answer.json["errors"]]) == (422, [query.partition("=")[0]])


@pytest.mark.parametrize("query", ["", "&verdict=invalid", "&exchange=binance", "&reason=invalid_key"])
async def test_pages_miss_none_and_repeat_none(market: Market, query: str) -> None:
    for _ in range(5):
        await market.key(state=State.REVOKED)
    await market.sweep()

    first = await market.ask("GET", f"{HEALTH}?limit=2{query}")
    second = await market.ask("GET", f"{HEALTH}?limit=2{query}&cursor={first.json['next_cursor']}")
    third = await market.ask("GET", f"{HEALTH}?limit=2{query}&cursor={second.json['next_cursor']}")

    ids = [item["id"] for page in (first, second, third) for item in page.json["items"]]
    assert (len(ids), len(set(ids)), third.json["next_cursor"]) == (5, 5, None)


async def test_cursor_of_one_list_does_not_fit_another(market: Market) -> None:
    await market.key()
    await market.key()
    cursor = (await market.ask("GET", f"{HEALTH}?limit=1")).json["next_cursor"]

    answer = await market.ask("GET", f"{CREDENTIALS}?cursor={cursor}")

    assert answer.status == 400


@pytest.mark.parametrize(
    ("query", "leaves"),
    [
        ("", ["trading", "trading", "readonly.fund-2", "trading"]),
        ("?credential_type=readonly", ["readonly.fund-2"]),
        ("?label=fund-2", ["readonly.fund-2"]),
        ("?label=", ["trading", "trading", "trading"]),
    ],
)
async def test_credentials_are_narrowed_down(market: Market, four: UUID, query: str, leaves: list[str]) -> None:
    answer = await market.ask("GET", f"{CREDENTIALS}{query}")

    assert [item["leaf"] for item in answer.json["items"]] == leaves


async def test_retired_keys_are_listed_on_request(market: Market) -> None:
    ref = await market.key()
    await market.port.daemon.secrets.remove(ref)
    await market.sweep()

    usual = await market.ask("GET", CREDENTIALS)
    health = await market.ask("GET", HEALTH)
    all_of_them = await market.ask("GET", f"{CREDENTIALS}?retired=true")

    assert (usual.json["items"], health.json["items"]) == ([], [])
    assert [item["retired_at"] for item in all_of_them.json["items"]] == ["2026-01-05T13:00:00Z"]


async def test_one_key_is_shown_with_what_to_do(market: Market) -> None:
    ref = await market.key(state=State.REVOKED)
    await market.sweep(times=3)

    answer = await market.ask("GET", at(ref))

    assert answer.status == 200
    assert answer.json["error"].startswith("Binance refuses this API key and does not say why: the key is invalid")
    assert answer.json["what_to_do"] == "Create a new API key at Binance and store it here."
    assert (answer.json["code"], answer.json["alerting"]) == ("http 401 -2015", True)
    assert answer.json["next_check_at"] > "2026-01-05T15:00:00Z"


async def test_key_that_works_needs_nothing(market: Market) -> None:
    ref = await market.key(leaf="readonly.fund-2", rights=Rights(trade=False))
    await market.sweep()

    answer = await market.ask("GET", at(ref))

    assert (answer.json["leaf"], answer.json["label"]) == ("readonly.fund-2", "fund-2")
    assert (answer.json["error"], answer.json["what_to_do"]) == (None, "")


@pytest.mark.parametrize(
    "path",
    [
        "no-uuid/binance/trading",
        f"{UUID(int=7)}/binance/trading",
        f"{UUID(int=7)}/binance/other",
        f"{UUID(int=7)}/BINANCE/trading",
        f"{UUID(int=7)}/binance/trading.",
        f"{UUID(int=7)}/binance/trading.%2e%2e",
    ],
)
@pytest.mark.parametrize("below", ["", "/history"])
async def test_key_that_cannot_be_or_is_not_is_404(market: Market, path: str, below: str) -> None:
    answer = await market.ask("GET", f"{CREDENTIALS}/{path}{below}")

    assert answer.status == 404


async def test_history_is_shown_newest_first(market: Market) -> None:
    ref = await market.key()
    done = await market.sweep()
    account = market.sim.account("binance", (await market.port.daemon.secrets.read(ref)).api_key)
    account.state = State.REVOKED
    await market.sweep()

    newest, oldest = (await market.ask("GET", at(ref, below="/history"))).json["items"]

    assert (newest["verdict"], newest["reason"], newest["consecutive_failures"]) == ("invalid", "invalid_key", 1)
    assert newest["error"].startswith("Binance refuses this API key")
    assert (oldest["verdict"], oldest["checked_at"], oldest["sweep_id"]) == (
        "valid",
        "2026-01-05T13:00:00Z",
        str(done.id),
    )
    assert (oldest["error"], oldest["webhook_sent"], oldest["permissions"]["trade"]) == (None, False, True)


async def test_pages_of_history_miss_none_and_repeat_none(market: Market) -> None:
    ref = await market.foreign_key()
    await market.sweep(times=5)
    await market.port.daemon.db.execute("UPDATE credential_health_checks SET check_timestamp = $1", market.port.clock())

    first = await market.ask("GET", at(ref, below="/history?limit=3"))
    second = await market.ask("GET", at(ref, below=f"/history?limit=3&cursor={first.json['next_cursor']}"))

    ids = [item["id"] for page in (first, second) for item in page.json["items"]]
    assert (len(ids), len(set(ids)), second.json["next_cursor"]) == (5, 5, None)


async def test_tenant_sees_its_own_keys_alone(market: Market, four: UUID) -> None:
    key = await market.tenant_key(four)

    health = await market.ask("GET", HEALTH, key=key)
    listed = await market.ask("GET", CREDENTIALS, key=key)

    assert {item["tenant_id"] for page in (health, listed) for item in page.json["items"]} == {str(four)}


async def test_another_tenant_is_not_told_from_one_that_is_not(market: Market, four: UUID) -> None:
    theirs = await market.key()
    key = await market.tenant_key(four)

    lists = [await market.ask("GET", f"{HEALTH}?tenant_id={t}", key=key) for t in (theirs.tenant_id, new_id())]
    items = [
        await market.ask("GET", path, key=key)
        for path in (at(theirs), at(theirs, below="/history"), f"{CREDENTIALS}/{four}/binance/trading.none")
    ]

    assert {answer.status for answer in (*lists, *items)} == {404}
    assert len({answer.json["detail"] for answer in lists}) == 1
    assert len({answer.json["detail"] for answer in items}) == 1


async def test_sweep_of_one_exchange_leaves_the_others(market: Market, four: UUID) -> None:
    done = await market.sweep(scope=Scope(exchange="kraken"))

    assert (done.tally.total, done.tally.invalid) == (1, 1)
