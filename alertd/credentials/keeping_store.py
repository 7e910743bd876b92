"""SQL of keys that a person replaces: known, due at once, and nothing of the old key counts any more."""

from datetime import datetime

from alertd.credentials import inventory_store
from alertd.credentials.inventory_store import Found
from alertd.credentials.timetable import phase_of
from alertd.db import Tx, new_id
from alertd.errors import Busy
from alertd.model import CredentialRef


async def renew(tx: Tx, ref: CredentialRef, version: str, now: datetime) -> None:
    """This key has a new secret. A check of the old one that is under way loses its lease, and so its result.

    Raises Busy while its tenant is being erased.
    """
    await inventory_store.add(tx, [Found(new_id(), ref, phase_of(ref))], now)
    renewed = await tx.fetchrow(
        """
        UPDATE credentials
        SET secret_version = $5, next_check_at = $6, consecutive_failures = 0, first_failure_at = NULL,
            lease_id = NULL, lease_until = NULL
        WHERE tenant_id = $1 AND exchange = $2 AND credential_type = $3 AND label = $4
        RETURNING id
        """,
        ref.tenant_id,
        ref.exchange,
        str(ref.credential_type),
        ref.label,
        version,
        now,
    )
    if renewed is None:
        raise Busy("this tenant is being erased; ask again in a moment")
    await inventory_store.end_pending(tx, [renewed["id"]], now)
