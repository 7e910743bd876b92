"""SQL of what an attempt changes: the delivery, the endpoint's circuit, and what is announced because of it.

One transaction, fenced by the lease. Breaker rule: deliveries given up in a row open the circuit, any
success closes it, a failed probe doubles the cool-down; a test never opens or prolongs it on its own. The
first success after failures also queues what was given up meanwhile, the latest of each matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from alertd.db import Db, Sql
from alertd.webhooks.leases import Attempt
from alertd.webhooks.parking import park, refresh_due, regain, unpark
from alertd.webhooks.reports import report_gone, report_unheard
from alertd.webhooks.retry import FIRST_COOLDOWN, Outcome, Result, classify, next_attempt, opened


@dataclass(frozen=True, slots=True)
class Policy:
    """`waits` between attempts; a `Retry-After` counts up to `ceiling`; `threshold` failures open a circuit."""

    waits: Sequence[timedelta]
    ceiling: timedelta
    threshold: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the delivery: delivered, failed, pending again, or parked. `opened`, `closed`: its circuit."""

    state: str
    opened: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Circuit:
    """The endpoint's breaker as the transaction found it, locked."""

    webhook_id: UUID
    tenant_id: UUID | None
    is_active: bool
    state: str
    failures: int
    cooldown: timedelta


async def settle(
    db: Db, attempt: Attempt, outcome: Outcome, *, now: datetime, policy: Policy, jitter: Callable[[], float]
) -> Settled | None:
    """Write down how an attempt ended; None: the lease was lost, and another worker speaks for the delivery."""
    async with db.transaction() as tx:
        circuit = await _locked(tx, attempt)
        if circuit is None or not await _close_attempt(tx, attempt, outcome, now):
            return None
        match classify(outcome):
            case Result.DELIVERED:
                settled = await _delivered(tx, circuit, attempt, now)
            case Result.AGAIN:
                at = again_at(attempt, outcome, now=now, policy=policy, jitter=jitter)
                settled = await _again(tx, circuit, attempt, at, policy, now)
            case Result.HOPELESS:
                settled = await _again(tx, circuit, attempt, None, policy, now)
            case Result.GONE:
                settled = await _gone(tx, circuit, attempt, now)
            case unknown:
                assert_never(unknown)
        await refresh_due(tx, [attempt.webhook_id])
        return settled


def again_at(
    attempt: Attempt, outcome: Outcome, *, now: datetime, policy: Policy, jitter: Callable[[], float]
) -> datetime | None:
    """When to try again after an attempt that may be repeated; None: it was the last. A test has only one."""
    if attempt.delivery.source == "test":
        return None
    return next_attempt(
        waits=policy.waits,
        attempts=attempt.number,
        now=now,
        jitter=jitter,
        retry_after=outcome.retry_after,
        ceiling=policy.ceiling,
    )


async def _locked(tx: Sql, attempt: Attempt) -> _Circuit | None:
    row = await tx.fetchrow(
        """
        SELECT id, tenant_id, is_active, circuit, consecutive_failures, cooldown_seconds
        FROM tenant_webhooks
        WHERE id = $1 AND lease_id = $2
        FOR NO KEY UPDATE
        """,
        attempt.webhook_id,
        attempt.lease_id,
    )
    if row is None:
        return None
    return _Circuit(
        webhook_id=row["id"],
        tenant_id=row["tenant_id"],
        is_active=row["is_active"],
        state=row["circuit"],
        failures=row["consecutive_failures"],
        cooldown=timedelta(seconds=row["cooldown_seconds"]),
    )


async def _close_attempt(tx: Sql, attempt: Attempt, outcome: Outcome, now: datetime) -> bool:
    closed = await tx.execute(
        """
        UPDATE webhook_delivery_log
        SET finished_at = $2,
            outcome = $3,
            status_code = $4,
            error = $5,
            address = $6,
            duration_ms = $7,
            response = $8
        WHERE id = $1 AND finished_at IS NULL
        """,
        attempt.id,
        now,
        outcome.label,
        outcome.status,
        outcome.error,
        outcome.address,
        outcome.duration // timedelta(milliseconds=1),
        storable(outcome.response),
    )
    return closed == 1


def storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text."""
    return text.replace("\x00", "\ufffd")


async def _delivered(tx: Sql, circuit: _Circuit, attempt: Attempt, now: datetime) -> Settled:
    await tx.execute(
        """
        UPDATE webhook_deliveries
        SET state = 'delivered', next_attempt_at = NULL, finished_at = $2
        WHERE id = $1
        """,
        attempt.delivery.id,
        now,
    )
    await _accept(tx, attempt.delivery.message.id, now)
    if circuit.state == "closed" and circuit.failures == 0:
        return Settled("delivered")
    await tx.execute(
        """
        UPDATE tenant_webhooks
        SET circuit = 'closed', circuit_until = NULL, cooldown_seconds = 0, consecutive_failures = 0
        WHERE id = $1
        """,
        circuit.webhook_id,
    )
    if circuit.is_active:  # a test of one that is switched off switches nothing on
        await unpark(tx, circuit.webhook_id, now)
    return Settled("delivered", closed=circuit.state != "closed")


async def _accept(tx: Sql, event_id: str, now: datetime) -> None:
    """The first 2xx of an event is also noted where the check that caused it is."""
    check_id = await tx.fetchval(
        """
        UPDATE events
        SET accepted_at = $2
        WHERE id = $1 AND accepted_at IS NULL AND tenant_id IS NOT NULL
        RETURNING check_id
        """,
        event_id,
        now,
    )
    if check_id is not None:
        await tx.execute(
            """
            UPDATE credential_health_checks
            SET webhook_sent = true, webhook_sent_at = $2
            WHERE id = $1 AND NOT webhook_sent
            """,
            check_id,
            now,
        )


async def _again(
    tx: Sql, circuit: _Circuit, attempt: Attempt, at: datetime | None, policy: Policy, now: datetime
) -> Settled:
    """Try again `at`, or never; a probe that failed has closed nothing and goes back to the parked ones."""
    testing = attempt.delivery.source == "test"
    if circuit.state == "half_open":
        await _open(tx, circuit, circuit.failures, circuit.cooldown or FIRST_COOLDOWN, policy, now)
        if not testing:
            return Settled("parked", opened=True)
    if at is not None:
        await _wait(tx, attempt, at)
        return Settled("pending")
    if not await _fail(tx, attempt, now):
        return Settled("parked")
    await report_unheard(tx, attempt.delivery.message, now)
    if testing or circuit.state != "closed":
        return Settled("failed")
    failures = circuit.failures + 1
    return Settled("failed", opened=await _open(tx, circuit, failures, circuit.cooldown, policy, now))


async def _wait(tx: Sql, attempt: Attempt, at: datetime) -> None:
    await tx.execute(
        """
        UPDATE webhook_deliveries
        SET next_attempt_at = $2
        WHERE id = $1 AND state = 'pending'
        """,
        attempt.delivery.id,
        at,
    )


async def _fail(tx: Sql, attempt: Attempt, now: datetime) -> bool:
    """False: a person parked it during the attempt, and that stands."""
    failed = await tx.execute(
        """
        UPDATE webhook_deliveries
        SET state = 'failed', next_attempt_at = NULL, finished_at = $2
        WHERE id = $1 AND state = 'pending'
        """,
        attempt.delivery.id,
        now,
    )
    return failed == 1


async def _open(tx: Sql, circuit: _Circuit, failures: int, cooldown: timedelta, policy: Policy, now: datetime) -> bool:
    """Count the failure, and open the circuit if that was one too many; its messages are put aside."""
    wait = opened(failures=failures, threshold=policy.threshold, cooldown=cooldown)
    await tx.execute(
        """
        UPDATE tenant_webhooks
        SET consecutive_failures = $2,
            circuit = CASE WHEN $3::timestamptz IS NULL THEN 'closed' ELSE 'open' END,
            circuit_until = $3,
            cooldown_seconds = $4
        WHERE id = $1
        """,
        circuit.webhook_id,
        failures,
        None if wait is None else now + wait,
        0 if wait is None else int(wait.total_seconds()),
    )
    if wait is None:
        return False
    await regain(tx, circuit.webhook_id)  # that nobody was there showed only in the end
    await park(tx, circuit.webhook_id, now)
    return True


async def _gone(tx: Sql, circuit: _Circuit, attempt: Attempt, now: datetime) -> Settled:
    """410: the receiver asks to be left alone. That is a person's business to undo, so operators hear of it."""
    await tx.execute(
        """
        UPDATE tenant_webhooks
        SET is_active = false,
            disabled_reason = 'gone',
            circuit = 'closed',
            circuit_until = NULL,
            cooldown_seconds = 0
        WHERE id = $1
        """,
        circuit.webhook_id,
    )
    failed = await _fail(tx, attempt, now)
    await park(tx, circuit.webhook_id, now)
    if circuit.tenant_id is not None:
        await report_gone(tx, circuit.webhook_id, circuit.tenant_id, now)
    if failed:
        await report_unheard(tx, attempt.delivery.message, now)
    return Settled("failed" if failed else "parked")
