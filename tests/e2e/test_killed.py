"""A daemon that is killed at any moment, again and again: nothing is lost, and an outage accuses nobody."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from alertd.db import Db, open_db
from alertd.demo.exchanges.shape import Outage, State
from alertd.postgres import open_embedded
from tests.e2e.daemon import Home, running
from tests.e2e.town import Tenant, Town, standing

CHECKED = "Credential health check completed"
BROKEN = (
    ("binance", State.REVOKED, "invalid_key"),
    ("bybit", State.EXPIRED, "expired"),
    ("bybit", State.IP_BLOCKED, "ip_restricted"),
    ("coinbase", State.NO_RIGHT, "permission"),
    ("okx", State.IP_BLOCKED, "ip_restricted"),
    ("okx", State.FROZEN, "account_disabled"),
)


async def killed(times: int, home: Home, given: dict[str, object], *, seed: int) -> None:
    """Run, and be killed within the next second or so."""
    chance = random.Random(seed)
    for _ in range(times):
        async with running(home, given) as daemon:
            await asyncio.sleep(chance.uniform(0, 1.2))
            await daemon.kill()


async def leases_run_out(db: Db) -> None:
    """What else a few minutes would do: what a killed process had claimed is held until then."""
    await db.execute("UPDATE credentials SET lease_until = lease_until - interval '1 hour'")
    await db.execute("UPDATE tenant_webhooks SET lease_until = lease_until - interval '1 hour'")


async def all_told(town: Town, broken: Sequence[Tenant]) -> list[Counter[str]]:
    await town.until(lambda: all(town.told(tenant) for tenant in broken))
    return [town.told(tenant) for tenant in broken]


def expected(*reasons: str) -> list[Counter[str]]:
    return [Counter([f"credential.failed {reason}"]) for reason in reasons]


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_failure_arrives_as_one_message_whenever_it_was_killed(
    home: Home, town: Town, db: Db, dsn: str, seed: int
) -> None:
    broken = [await town.tenant(exchange, state) for exchange, state, _ in BROKEN]
    good = [await town.tenant("binance"), await town.tenant("kraken")]
    await town.listen(db, *broken, *good)
    given = town.given | {"ALERTD_DATABASE__DSN": dsn}

    await killed(2, home, given, seed=seed)
    await leases_run_out(db)
    await killed(1, home, given, seed=-seed)
    await leases_run_out(db)
    async with running(home, given):
        told = await all_told(town, broken)

    assert told == expected(*(reason for _, _, reason in BROKEN))
    assert await db.fetchval("SELECT count(*) FROM events") == len(BROKEN)
    assert [town.told(tenant) for tenant in good] == [Counter(), Counter()]
    assert [received.problem for received in town.heard if not received.verified] == []


async def test_an_outage_moves_no_streak_however_often_it_is_killed(home: Home, town: Town, db: Db, dsn: str) -> None:
    tenant = await town.tenant("kraken", State.REVOKED)
    await town.listen(db, tenant)
    given = town.given | {"ALERTD_DATABASE__DSN": dsn, "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 100}
    async with running(home, given) as daemon:
        await daemon.says(CHECKED, error="invalid_key", times=2)
        town.simulator.exchange("kraken").outage = Outage.HTML_503
        await daemon.says(CHECKED, error="exchange_down")
        before = await standing(db, tenant)

    await killed(1, home, given, seed=3)
    await leases_run_out(db)
    async with running(home, given) as daemon:
        await daemon.says(CHECKED, error="exchange_down")
        after = await standing(db, tenant)

    assert before["consecutive_failures"] >= 2
    assert after["consecutive_failures"] == before["consecutive_failures"]
    assert after["first_failure_at"] == before["first_failure_at"]
    assert (after["verdict"], town.told(tenant)) == ("inconclusive", Counter())


async def test_its_own_database_is_killed_with_it_and_loses_nothing(home: Home, town: Town) -> None:
    broken = [await town.tenant("okx", State.FROZEN), await town.tenant("bybit", State.EXPIRED)]
    async with running(home, {}), open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
        await town.listen(db, *broken)

    await killed(1, home, town.given, seed=4)
    async with running(home, town.given), open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
        await leases_run_out(db)
        told = await all_told(town, broken)

    assert told == expected("account_disabled", "expired")
