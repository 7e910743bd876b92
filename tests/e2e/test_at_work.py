"""A daemon through what befalls keys and databases while it runs."""

import os
import signal
from collections import Counter

from alertd.db import Db, open_db
from alertd.demo.exchanges.shape import Outage, State
from alertd.model import CredentialRef
from alertd.postgres import open_embedded
from tests.e2e.daemon import Home, running
from tests.e2e.town import Tenant, Town, standing
from tests.e2e.waiting import until_answered

CHECKED = "Credential health check completed"
# One strike and a slow clock: whatever is checked within the test is checked because something happened.
AT_ONCE = {"CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": 6, "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": 1}


async def store(town: Town, ref: CredentialRef, key_of: Tenant) -> None:
    account = key_of.account
    fields = {"api_key": account.key, "api_secret": account.secret, "passphrase": account.passphrase}
    await town.store.write(ref, fields)


async def test_a_replaced_secret_is_checked_at_once_and_ends_the_matter(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    tenant, spare = await town.tenant("okx", State.REVOKED), await town.tenant("okx")
    await town.store.remove(spare.ref)
    await town.listen(db, tenant)
    async with running(home, town.given | AT_ONCE | {"ALERTD_DATABASE__DSN": dsn}):
        await town.until(lambda: town.told(tenant))
        await store(town, tenant.ref, spare)
        await town.until(lambda: town.told(tenant).total() == 2)

    assert town.told(tenant) == Counter(["credential.failed invalid_key", "credential.recovered ok"])
    assert (await standing(db, tenant))["consecutive_failures"] == 0


async def test_a_new_key_is_checked_at_once(home: Home, town: Town, db: Db, dsn: str) -> None:
    async with running(home, town.given | AT_ONCE | {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        tenant = await town.tenant("bybit")
        await daemon.says(CHECKED, tenant_id=str(tenant.id))

    assert (await standing(db, tenant))["verdict"] == "valid"


async def test_a_deleted_key_is_retired_and_one_that_returns_is_checked_at_once(
    home: Home, town: Town, db: Db, dsn: str
) -> None:
    tenant = await town.tenant("bybit")

    async def retired() -> bool:
        return (await standing(db, tenant))["retired_at"] is not None

    async with running(home, town.given | AT_ONCE | {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        await daemon.says(CHECKED)
        await town.store.remove(tenant.ref)
        await until_answered(retired)
        await store(town, tenant.ref, tenant)
        await daemon.says(CHECKED, times=2)

    assert not await retired()
    assert await db.fetchval("SELECT count(*) FROM credential_health_checks") == 2


async def test_an_outage_ends_and_a_dead_key_is_told_of_then(home: Home, town: Town, db: Db, dsn: str) -> None:
    tenant = await town.tenant("kraken", State.REVOKED)
    await town.listen(db, tenant)
    town.simulator.exchange("kraken").outage = Outage.RESET
    async with running(home, town.given | {"ALERTD_DATABASE__DSN": dsn}) as daemon:
        await daemon.says(CHECKED, error="network", times=4)
        before = town.told(tenant)
        town.simulator.exchange("kraken").outage = Outage.NONE
        await town.until(lambda: town.told(tenant))

    assert before == Counter()
    assert town.told(tenant) == Counter(["credential.failed invalid_key"])


async def test_its_own_database_dies_and_is_started_again(home: Home, town: Town) -> None:
    tenant = await town.tenant("okx", State.FROZEN)
    async with running(home, town.given) as daemon:
        await daemon.says(CHECKED)
        os.kill(home.server_pid(), signal.SIGKILL)
        async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
            await town.listen(db, tenant)
            await town.until(lambda: town.told(tenant))

        assert await daemon.stop() == 0

    assert daemon.noise == []
    assert town.told(tenant) == Counter(["credential.failed account_disabled"])


async def test_in_quiet_mode_it_records_and_tells_nobody(home: Home, town: Town, db: Db, dsn: str) -> None:
    tenant = await town.tenant("okx", State.FROZEN)
    await town.listen(db, tenant)
    quiet = {"ALERTD_DATABASE__DSN": dsn, "ALERTD_CREDENTIALS__NOTIFY": "false"}
    async with running(home, town.given | quiet) as daemon:
        await daemon.says(CHECKED, times=5)

    assert (await standing(db, tenant))["alerting"] is True
    assert await db.fetchval("SELECT count(*) FROM events") == 0
    assert town.heard == []
