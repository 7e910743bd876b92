"""Writes attempts down for many endpoints at a time: one commit for all that begin, or end, at the same moment.

A batch takes what is usual (a success, a retry, the circuit closed) and no row for which it would have to
wait, so it can be part of no deadlock. What it leaves out is written down singly by `leases` and
`settlement`, whose rules are the whole truth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.db import Db, new_id
from alertd.webhooks import leases, settlement
from alertd.webhooks.claims import UNHURRIED, Claim, Due
from alertd.webhooks.gathering import Gathering
from alertd.webhooks.leases import Attempt
from alertd.webhooks.parking import refresh_due
from alertd.webhooks.retry import Outcome, Result, classify
from alertd.webhooks.settlement import Policy, Settled

BEGIN: Final = """
WITH leased AS (
  SELECT a.attempt_id, a.delivery_id, a.webhook_id, a.lease_id, a.started_at, a.lease_until
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
    AS a (attempt_id, delivery_id, webhook_id, lease_id, started_at, lease_until)
  JOIN tenant_webhooks w ON w.id = a.webhook_id AND w.lease_id = a.lease_id
  FOR NO KEY UPDATE OF w SKIP LOCKED
), extended AS (
  UPDATE tenant_webhooks w
  SET lease_until = leased.lease_until
  FROM leased
  WHERE w.id = leased.webhook_id
), taken AS (
  UPDATE webhook_deliveries d
  SET attempts = d.attempts + 1, next_attempt_at = leased.lease_until
  FROM leased
  WHERE d.id = leased.delivery_id AND d.webhook_id = leased.webhook_id AND d.state = 'pending'
  RETURNING leased.attempt_id, d.id, d.webhook_id, d.tenant_id, d.event_type, d.attempts,
            leased.lease_id, leased.started_at
)
INSERT INTO webhook_delivery_log (id, delivery_id, webhook_id, tenant_id, event_type, attempt, lease_id, started_at)
SELECT attempt_id, id, webhook_id, tenant_id, event_type, attempts, lease_id, started_at
FROM taken
RETURNING id, attempt
"""

# `again_at` NULL: it was a success. The due time of the endpoint is left to its release: until then it can only be
# too early, which does no harm.
SETTLE: Final = """
WITH ready AS (
  SELECT a.*
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[],
              $8::text[], $9::integer[], $10::text[], $11::text[], $12::integer[], $13::text[])
    AS a (attempt_id, delivery_id, webhook_id, lease_id, event_id, finished_at, again_at,
          outcome, status_code, error, address, duration_ms, response)
  JOIN tenant_webhooks w ON w.id = a.webhook_id AND w.lease_id = a.lease_id
  JOIN events e ON e.id = a.event_id
  WHERE w.circuit = 'closed' AND (w.consecutive_failures = 0 OR a.again_at IS NOT NULL)
  FOR NO KEY UPDATE OF w, e SKIP LOCKED
), closed AS (
  UPDATE webhook_delivery_log l
  SET finished_at = ready.finished_at,
      outcome = ready.outcome,
      status_code = ready.status_code,
      error = ready.error,
      address = ready.address,
      duration_ms = ready.duration_ms,
      response = ready.response
  FROM ready
  WHERE l.id = ready.attempt_id AND l.finished_at IS NULL
  RETURNING ready.attempt_id, ready.delivery_id, ready.event_id, ready.finished_at, ready.again_at
), delivered AS (
  UPDATE webhook_deliveries d
  SET state = 'delivered', next_attempt_at = NULL, finished_at = closed.finished_at
  FROM closed
  WHERE d.id = closed.delivery_id AND closed.again_at IS NULL
), waiting AS (
  UPDATE webhook_deliveries d
  SET next_attempt_at = closed.again_at
  FROM closed
  WHERE d.id = closed.delivery_id AND closed.again_at IS NOT NULL AND d.state = 'pending'
), accepted AS (
  UPDATE events e
  SET accepted_at = closed.finished_at
  FROM closed
  WHERE e.id = closed.event_id
    AND closed.again_at IS NULL
    AND e.accepted_at IS NULL
    AND e.tenant_id IS NOT NULL
  RETURNING e.check_id, e.accepted_at
), noted AS (
  UPDATE credential_health_checks c
  SET webhook_sent = true, webhook_sent_at = accepted.accepted_at
  FROM accepted
  WHERE c.id = accepted.check_id AND NOT c.webhook_sent
)
SELECT attempt_id
FROM closed
"""

RELEASE: Final = """
WITH ours AS (
  SELECT w.id, a.released_at
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS a (webhook_id, lease_id, released_at)
  JOIN tenant_webhooks w ON w.id = a.webhook_id AND w.lease_id = a.lease_id
  FOR NO KEY UPDATE OF w SKIP LOCKED
)
UPDATE tenant_webhooks w
SET lease_id = NULL, lease_until = ours.released_at
FROM ours
WHERE w.id = ours.id
RETURNING w.id
"""


@dataclass(frozen=True, slots=True)
class _Beginning:
    claimed: Claim
    delivery: Due
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Ending:
    attempt: Attempt
    outcome: Outcome
    now: datetime
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Release:
    claimed: Claim
    now: datetime


class Ledger:
    """`begin`, `settle` and `release` as in `leases` and `settlement`."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._beginnings = Gathering(self._begin_all)
        self._endings = Gathering(self._settle_all)
        self._releases = Gathering(self._release_all)

    async def begin(self, claimed: Claim, delivery: Due, *, now: datetime, lease: timedelta) -> Attempt | None:
        begun = await self._beginnings.put(_Beginning(claimed, delivery, now, now + lease))
        return begun or await leases.begin(self._db, claimed, delivery, now=now, lease=lease)

    async def settle(
        self, attempt: Attempt, outcome: Outcome, *, now: datetime, policy: Policy, jitter: Callable[[], float]
    ) -> Settled | None:
        again_at = None
        result = classify(outcome)
        if result is Result.AGAIN:
            again_at = settlement.again_at(attempt, outcome, now=now, policy=policy, jitter=jitter)
        usual = result is Result.DELIVERED or again_at is not None
        if usual and await self._endings.put(_Ending(attempt, outcome, now, again_at)):
            return Settled("delivered" if again_at is None else "pending")
        return await settlement.settle(self._db, attempt, outcome, now=now, policy=policy, jitter=jitter)

    async def release(self, claimed: Claim, *, now: datetime, until: datetime | None = None) -> None:
        if until is not None or not await self._releases.put(_Release(claimed, now)):
            await leases.release(self._db, claimed, now=now, until=until)

    async def _begin_all(self, batch: Sequence[_Beginning]) -> list[Attempt | None]:
        begun = {new_id(): one for one in batch}
        rows = await self._db.fetch(
            BEGIN,
            list(begun),
            [one.delivery.id for one in batch],
            [one.claimed.target.id for one in batch],
            [one.claimed.lease_id for one in batch],
            [one.now for one in batch],
            [one.until for one in batch],
        )
        numbers = {row["id"]: row["attempt"] for row in rows}
        return [_attempt(attempt_id, one, numbers.get(attempt_id)) for attempt_id, one in begun.items()]

    async def _settle_all(self, batch: Sequence[_Ending]) -> list[bool]:
        rows = await self._db.fetch(
            SETTLE,
            [one.attempt.id for one in batch],
            [one.attempt.delivery.id for one in batch],
            [one.attempt.webhook_id for one in batch],
            [one.attempt.lease_id for one in batch],
            [one.attempt.delivery.message.id for one in batch],
            [one.now for one in batch],
            [one.again_at for one in batch],
            [one.outcome.label for one in batch],
            [one.outcome.status for one in batch],
            [one.outcome.error for one in batch],
            [one.outcome.address for one in batch],
            [one.outcome.duration // timedelta(milliseconds=1) for one in batch],
            [settlement.storable(one.outcome.response) for one in batch],
        )
        settled = {row["attempt_id"] for row in rows}
        return [one.attempt.id in settled for one in batch]

    async def _release_all(self, batch: Sequence[_Release]) -> list[bool]:
        """The due times are worked out in a statement after the locks, or one that was just queued might be missed."""
        async with self._db.transaction() as tx:
            await tx.execute(UNHURRIED)
            rows = await tx.fetch(
                RELEASE,
                [one.claimed.target.id for one in batch],
                [one.claimed.lease_id for one in batch],
                [one.now for one in batch],
            )
            released = [row["id"] for row in rows]
            await refresh_due(tx, released)
        return [one.claimed.target.id in released for one in batch]


def _attempt(attempt_id: UUID, one: _Beginning, number: int | None) -> Attempt | None:
    if number is None:
        return None
    return Attempt(attempt_id, one.delivery, one.claimed.target.id, one.claimed.lease_id, number, one.now)
