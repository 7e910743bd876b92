"""A key that is handed in while its tenant is erased."""

import asyncio
from datetime import datetime

import pytest

from alertd.admin import tenant_store
from alertd.credentials import keeping_store
from alertd.db import Db
from alertd.errors import Busy
from alertd.model import CredentialRef, CredentialType
from tests import factories

WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"


async def kept(db: Db, ref: CredentialRef, now: datetime) -> None:
    async with db.transaction() as tx:
        await keeping_store.renew(tx, ref, "v1", now)


async def test_key_of_a_tenant_that_is_being_erased_is_not_taken(db: Db, now: datetime) -> None:
    tenant = await factories.tenant(db)
    ref = CredentialRef(tenant, "kraken", CredentialType.TRADING)

    async with db.transaction() as erasing:
        await tenant_store.lock(erasing, tenant)
        keeping = asyncio.create_task(kept(db, ref, now))
        while not await db.fetchval(WAITING):
            await asyncio.sleep(0.01)
        await tenant_store.purge(erasing, tenant)

    with pytest.raises(Busy, match="being erased"):
        await keeping
