"""Lists of keys stay on indexes, and read what earlier versions wrote."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from alertd.credentials import listing
from alertd.credentials.listing import Filter
from alertd.db import Db
from alertd.model import CredentialRef, CredentialType, Permissions, Reason, Verdict
from tests import factories

SOMEBODY = UUID("018f0000-0000-7000-8000-000000000001")


@pytest.fixture
async def many(db: Db, now: datetime) -> Db:
    """Twenty thousand keys of a hundred tenants; nearly all of them work."""
    await db.execute(
        "INSERT INTO tenants (id, created_at) SELECT gen_random_uuid(), $1 FROM generate_series(1, 99)", now
    )
    await db.execute("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", SOMEBODY, now)
    await db.execute(
        """
        INSERT INTO credentials (id, tenant_id, exchange, credential_type, label, phase, verdict, reason,
                                 next_check_at, created_at)
        SELECT gen_random_uuid(), t.id, CASE WHEN n = 7 THEN 'rare' ELSE 'e' || n % 9 END, 'trading', n::text, 0,
               CASE WHEN n % 20 = 0 THEN 'invalid' ELSE 'valid' END,
               CASE WHEN n = 100 THEN 'expired' WHEN n % 20 = 0 THEN 'invalid_key' ELSE 'ok' END, $1, $1
        FROM tenants t
        CROSS JOIN generate_series(1, 200) AS n
        """,
        now,
    )
    await db.execute("ANALYZE credentials")
    return db


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(retired=True),
        Filter(tenant_id=SOMEBODY),
        Filter(tenant_id=SOMEBODY, verdict=Verdict.INVALID),
        Filter(exchange="rare"),
        Filter(exchange="e1"),
        Filter(exchange="none"),
        Filter(verdict=Verdict.VALID),
        Filter(verdict=Verdict.INVALID),
        Filter(verdict=Verdict.INCONCLUSIVE),
        Filter(reason=Reason.EXPIRED),
        Filter(exchange="e1", reason=Reason.EXPIRED),
    ],
    ids=str,
)
@pytest.mark.parametrize("after", [None, SOMEBODY], ids=["first page", "next page"])
async def test_page_is_not_found_by_reading_everything(many: Db, wanted: Filter, after: UUID | None) -> None:
    statement, values = listing.page_of(after, wanted, limit=51)

    rows = await many.fetch(f"EXPLAIN {statement}", *values)

    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on credentials" not in plan


async def test_permissions_that_we_do_not_know_are_left_out(db: Db, now: datetime) -> None:
    tenant = await factories.tenant(db)
    await factories.credential(db, tenant, exchange="kraken", at=now)
    told = {"trade": True, "fly": True, "expires_at": "2026-02-01T00:00:00Z"}
    await db.execute("UPDATE credentials SET permissions = $1", told)

    found = await listing.find(db, CredentialRef(tenant, "kraken", CredentialType.TRADING))

    assert found is not None
    assert found.permissions == Permissions(trade=True, expires_at=datetime(2026, 2, 1, tzinfo=UTC))
