"""SQL of what the holder of a claim writes: each attempt before it is made, and the endpoint given back.

Fenced by the lease: without it nothing changes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alertd.db import Db, new_id
from alertd.webhooks.claims import UNHURRIED, Claim, Due
from alertd.webhooks.parking import refresh_due


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, on record since before it was made."""

    id: UUID
    delivery: Due
    webhook_id: UUID
    lease_id: UUID
    number: int
    started_at: datetime


async def begin(db: Db, claimed: Claim, delivery: Due, *, now: datetime, lease: timedelta) -> Attempt | None:
    """Put one attempt on record and extend the lease over it.

    None: the lease is lost, or the message is no longer to be sent (a person parked or removed it).
    """
    attempt_id = new_id()
    number = await db.fetchval(
        """
        WITH leased AS (
          UPDATE tenant_webhooks
          SET lease_until = $4
          WHERE id = $2 AND lease_id = $3
          RETURNING id
        ), taken AS (
          UPDATE webhook_deliveries d
          SET attempts = d.attempts + 1, next_attempt_at = $4
          FROM leased
          WHERE d.id = $5 AND d.webhook_id = leased.id AND d.state = 'pending'
          RETURNING d.id, d.webhook_id, d.tenant_id, d.event_type, d.attempts
        )
        INSERT INTO webhook_delivery_log (id, delivery_id, webhook_id, tenant_id, event_type, attempt,
                                          lease_id, started_at)
        SELECT $1, id, webhook_id, tenant_id, event_type, attempts, $3, $6
        FROM taken
        RETURNING attempt
        """,
        attempt_id,
        claimed.target.id,
        claimed.lease_id,
        now + lease,
        delivery.id,
        now,
    )
    if number is None:
        return None
    return Attempt(attempt_id, delivery, claimed.target.id, claimed.lease_id, number, now)


async def release(db: Db, claimed: Claim, *, now: datetime, until: datetime | None = None) -> None:
    """Give the endpoint back; it is not taken again before `until`."""
    async with db.transaction() as tx:
        await tx.execute(UNHURRIED)
        freed = await tx.execute(
            """
            UPDATE tenant_webhooks
            SET lease_id = NULL, lease_until = $3
            WHERE id = $1 AND lease_id = $2
            """,
            claimed.target.id,
            claimed.lease_id,
            until or now,
        )
        if freed:
            await refresh_due(tx, [claimed.target.id])
