"""Moves messages through the tables, by hand (queue, take, begin, settle) or with a real sender, and looks."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.db import Db, Row, new_id
from alertd.model import Event, EventType
from alertd.webhooks import outbox
from alertd.webhooks.channels import Channel, open_channels
from alertd.webhooks.claims import Claim, Due, Harvest, claim
from alertd.webhooks.dns import Names
from alertd.webhooks.leases import Attempt, begin, release
from alertd.webhooks.message import new_event_id
from alertd.webhooks.post import open_poster
from alertd.webhooks.retry import Fault, Outcome
from alertd.webhooks.sender import Sender
from alertd.webhooks.settlement import Policy, Settled, settle
from tests.factories import tenant, webhook
from tests.webhooks.receivers import LOOPBACK, Receiver

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
PATIENT_BREAKER = Policy(waits=(), ceiling=HOUR, threshold=1000)

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


async def say_many(db: Db, kind: EventType, tenant_id: UUID | None, *, at: datetime, messages: int) -> list[str]:
    """Queue as many events, each of a subject of its own; answers their ids."""
    return [await say(db, kind, tenant_id, at=at, subject=f"key-{number}") for number in range(messages)]


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


async def history_row(db: Db, tenant_id: UUID, now: datetime) -> UUID:
    """A failed check of a key of its own."""
    credential_id, check_id = new_id(), new_id()
    await db.execute(
        """
        INSERT INTO credentials (id, tenant_id, exchange, credential_type, phase, next_check_at, created_at)
        VALUES ($1, $2, 'binance', 'trading', 0.5, $3, $3)
        """,
        credential_id,
        tenant_id,
        now,
    )
    await db.execute(
        """
        INSERT INTO credential_health_checks (id, credential_id, tenant_id, exchange, credential_type,
                                              check_timestamp, is_valid, verdict, reason, created_at)
        VALUES ($1, $2, $3, 'binance', 'trading', $4, false, 'invalid', 'invalid_key', $4)
        """,
        check_id,
        credential_id,
        tenant_id,
        now,
    )
    return check_id


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


# --- With a real sender ----------------------------------------------------------------------


class Clock:
    """Time that stands still until it is moved; `real` adds what has passed since."""

    def __init__(self, start: datetime, *, real: bool = False) -> None:
        self.start = start
        self._began = time.monotonic()
        self._real = real

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self._began if self._real else 0)

    def move(self, by: timedelta) -> None:
        self.start += by


CIPHER = Cipher([b"k" * 32])


def settings_for(state_dir: Path, **webhooks: Any) -> Settings:
    """Receivers on loopback, over plain HTTP, and retries that come soon."""
    chosen = {
        "allow_cidrs": ["127.0.0.0/8"],
        "allow_http": True,
        "ports": [],
        "retry_backoff_base": 0.05,
        "timeout_seconds": 2.0,
        **webhooks,
    }
    return Settings(state_dir=state_dir, webhooks=chosen)


@asynccontextmanager
async def a_sender(
    db: Db,
    now: Callable[[], datetime],
    *,
    wrap: Callable[[Channel], Channel] = lambda channel: channel,
    **webhooks: Any,
) -> AsyncIterator[Sender]:
    """A sender that posts for real; `wrap` may stand between it and its channels."""
    settings = settings_for(Path("/nonexistent"), **webhooks)
    timeout = timedelta(seconds=settings.webhooks.timeout_seconds)
    async with (
        open_poster(LOOPBACK, Names(), timeout=timeout) as poster,
        open_channels(settings, poster) as channels,
    ):
        channels = {name: wrap(channel) for name, channel in channels.items()}
        yield Sender(db, channels=channels, cipher=CIPHER, settings=settings, now=now, jitter=lambda: 0.0)


@asynccontextmanager
async def running(sender: Sender) -> AsyncIterator[asyncio.Event]:
    """The sender's loop; it is told to stop at the end, and waited for."""
    stop = asyncio.Event()
    task = asyncio.create_task(sender.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.02)


async def all_finished(db: Db) -> bool:
    left = await db.fetchval("SELECT count(*) FROM webhook_deliveries WHERE finished_at IS NULL")
    return bool(left == 0)


def header(request: bytes, name: str) -> str | None:
    """One header of a raw request, by its name in any case."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    found = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return found.get(name.lower())


def ids(receiver: Receiver) -> list[str | None]:
    """The webhook-ids that arrived, in their order, repetitions included."""
    return [header(request, "webhook-id") for request in receiver.requests]


async def tenants_with_messages(db: Db, receiver: Receiver, *, tenants: int, messages: int, at: datetime) -> list[str]:
    """As many tenants with one endpoint each, and messages for it; answers the event ids."""
    queued = []
    for _ in range(tenants):
        owner = await tenant(db)
        await webhook(db, owner, url=receiver.url())
        queued += await say_many(db, FAILED, owner, at=at, messages=messages)
    return queued
