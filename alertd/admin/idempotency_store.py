"""SQL of remembered answers: a request is claimed before it is carried out, and settled with its answer.

In between it is marked as done, in the very transaction that does it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Db, Sql, new_id

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=2)  # whoever has not answered by then has died


@dataclass(frozen=True, slots=True)
class Request:
    """What makes two requests the same: who sent them, where to, under which key, with which content."""

    principal: str
    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """The request that came first; `answer` None: it is still under way, or was `lost` after it was carried out."""

    fingerprint: str
    answer: str | None
    lost: bool = False


async def claim(db: Db, request: Request, now: datetime) -> UUID | Earlier:
    """A claim to carry it out, or what became of it when it was here within a day."""
    claim_id = new_id()
    async with db.transaction() as tx:
        taken = await tx.execute(
            """
            INSERT INTO idempotency_keys (principal, route, key, fingerprint, claim_id, lease_until, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (principal, route, key) DO UPDATE
            SET fingerprint = excluded.fingerprint,
                claim_id = excluded.claim_id,
                lease_until = excluded.lease_until,
                done = false,
                answer = NULL,
                created_at = excluded.created_at
            WHERE (idempotency_keys.answer IS NULL AND NOT idempotency_keys.done AND idempotency_keys.lease_until < $7)
               OR idempotency_keys.created_at < $8
            """,
            request.principal,
            request.route,
            request.key,
            request.fingerprint,
            claim_id,
            now + LEASE,
            now,
            now - KEPT,
        )
        if taken:
            return claim_id
        row = await tx.fetchrow(
            """
            SELECT fingerprint, answer, done AND answer IS NULL AND lease_until < $4 AS lost
            FROM idempotency_keys
            WHERE principal = $1 AND route = $2 AND key = $3
            """,
            request.principal,
            request.route,
            request.key,
            now,
        )
    return Earlier("", None) if row is None else Earlier(row["fingerprint"], row["answer"], row["lost"])


async def mark_done(tx: Sql, claim_id: UUID) -> None:
    """For the transaction that carries it out."""
    await tx.execute("UPDATE idempotency_keys SET done = true WHERE claim_id = $1", claim_id)


async def settle(db: Db, claim_id: UUID, answer: str) -> None:
    await db.execute("UPDATE idempotency_keys SET answer = $2 WHERE claim_id = $1", claim_id, answer)


async def release(db: Db, claim_id: UUID) -> None:
    """Nothing came of it, so it may be tried again at once; unless something did."""
    await db.execute("DELETE FROM idempotency_keys WHERE claim_id = $1 AND NOT done", claim_id)


async def forget_answers(sql: Sql, *, sealed_with_other_than: str) -> int:
    """Answers that other encryption keys sealed; such a request counts as carried out, its answer as lost."""
    return await sql.execute(
        """
        UPDATE idempotency_keys
        SET answer = NULL, done = true
        WHERE answer IS NOT NULL AND answer NOT LIKE 'v1.' || $1 || '.%'
        """,
        sealed_with_other_than,
    )
