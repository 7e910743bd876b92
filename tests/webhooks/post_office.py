"""Moves messages through the tables by hand: queue, take, begin, settle, and look."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alertd.db import Db, Row
from alertd.model import Event, EventType
from alertd.webhooks import outbox
from alertd.webhooks.claims import Attempt, Claim, Due, Harvest, begin, claim, release
from alertd.webhooks.message import new_event_id
from alertd.webhooks.retry import Fault, Outcome
from alertd.webhooks.settlement import Policy, Settled, settle

FAILED = EventType.CREDENTIAL_FAILED
RECOVERED = EventType.CREDENTIAL_RECOVERED
RISK = EventType.CREDENTIAL_RISK
EXPIRING = EventType.CREDENTIAL_EXPIRING

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
MAX_AGE = timedelta(hours=72)

FAST = Policy(waits=(SECOND, 2 * SECOND), ceiling=HOUR, threshold=3)
ONCE = Policy(waits=(), ceiling=HOUR, threshold=3)

OK = Outcome(status=200, response="ok")
ERROR = Outcome(status=500)
GONE = Outcome(status=410)
TIMEOUT = Outcome(error=Fault.TIMEOUT)


def event(
    kind: EventType = FAILED,
    *,
    tenant_id: UUID | None,
    subject: str = "key-1",
    at: datetime,
    check_id: UUID | None = None,
) -> Event:
    return Event(
        id=new_event_id(at),
        type=kind,
        tenant_id=tenant_id,
        at=at,
        subject=subject,
        fields={"subject": subject},
        check_id=check_id,
    )


async def queue(db: Db, queued: Event, *, window: timedelta | None = None, **narrowed: Any) -> int:
    """Enqueue as of the event's own time, in a transaction of its own."""
    async with db.transaction() as tx:
        return await outbox.enqueue(tx, queued, now=queued.at, window=window, **narrowed)


async def say(
    db: Db,
    kind: EventType,
    tenant_id: UUID | None,
    *,
    at: datetime,
    subject: str = "key-1",
    window: timedelta | None = None,
    **narrowed: Any,
) -> str:
    """Queue one event; answers its id."""
    queued = event(kind, tenant_id=tenant_id, subject=subject, at=at)
    await queue(db, queued, window=window, **narrowed)
    return queued.id


async def take(db: Db, now: datetime, *, limit: int = 100, max_age: timedelta = MAX_AGE) -> Harvest:
    return await claim(db, now=now, lease=LEASE, limit=limit, max_age=max_age)


async def taken(db: Db, now: datetime) -> tuple[Claim, ...]:
    return (await take(db, now)).claims


async def heads(db: Db, now: datetime) -> list[str]:
    """The event ids that a claim gives now; the claim is given back."""
    claims = await taken(db, now)
    for one in claims:
        await release(db, one, now=now)
    return [due.message.id for one in claims for due in one.deliveries]


async def attempt(db: Db, one: Claim, due: Due | None = None, *, now: datetime) -> Attempt:
    begun = await begin(db, one, due or one.deliveries[0], now=now, lease=LEASE)
    assert begun is not None
    return begun


async def finish(
    db: Db, one: Claim, outcome: Outcome, *, now: datetime, policy: Policy = FAST, due: Due | None = None
) -> Settled | None:
    """One attempt of a claimed delivery, from begin to settle."""
    begun = await attempt(db, one, due, now=now)
    return await settle(db, begun, outcome, now=now, policy=policy, jitter=lambda: 0.0)


async def send_all(db: Db, outcome: Outcome, *, now: datetime, policy: Policy = FAST) -> list[str]:
    """Claim once, answer everything with this outcome, give back; answers the event ids in order."""
    sent = []
    for one in await taken(db, now):
        for due in one.deliveries:
            sent.append(due.message.id)
            await finish(db, one, outcome, now=now, policy=policy, due=due)
        await release(db, one, now=now)
    return sent


async def deliveries(db: Db, *columns: str, order: str = "created_at, id") -> list[tuple[Any, ...]]:
    rows = await db.fetch(f"SELECT {', '.join(columns)} FROM webhook_deliveries ORDER BY {order}")
    return [tuple(row) for row in rows]


async def state_of(db: Db, event_id: str) -> str:
    state: str = await db.fetchval("SELECT state FROM webhook_deliveries WHERE event_id = $1", event_id)
    return state


async def delivery_of(db: Db, event_id: str) -> Row:
    row = await db.fetchrow("SELECT * FROM webhook_deliveries WHERE event_id = $1", event_id)
    assert row is not None
    return row


async def endpoint(db: Db, webhook_id: UUID) -> Row:
    row = await db.fetchrow("SELECT * FROM tenant_webhooks WHERE id = $1", webhook_id)
    assert row is not None
    return row


async def log_of(db: Db, event_id: str) -> Sequence[Row]:
    return await db.fetch(
        """
        SELECT l.*
        FROM webhook_delivery_log l
        JOIN webhook_deliveries d ON d.id = l.delivery_id
        WHERE d.event_id = $1
        ORDER BY l.started_at, l.id
        """,
        event_id,
    )
