"""The daemon's own sender on a real PostgreSQL that waits for the disk: claim, attempt row, POST, settle, log line."""

import asyncio
import math
import os
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.db import Db, apply_schema, new_id, open_db
from alertd.postgres import open_embedded
from alertd.process import configure_logging
from alertd.webhooks import endpoints, outbox
from alertd.webhooks.channels import Channel, open_channels
from alertd.webhooks.dns import Names
from alertd.webhooks.endpoints import Draft
from alertd.webhooks.guard import policy_of
from alertd.webhooks.post import open_poster
from alertd.webhooks.sender import Sender
from benchmarks.delivering.receiver import Receiver
from benchmarks.delivering.speed import Speed, timing
from benchmarks.delivering.ways import event

TIMEOUT = timedelta(seconds=2)
HEALTHY, DEAD, SLOW = 100, 20, 20
EACH_SECONDS = 0.5  # between two messages to one endpoint
LOOKS_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from commit to arrival at the healthy endpoints, and how many messages that were."""

    messages: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Core:
    """What a daemon needs to deliver."""

    db: Db
    cipher: Cipher
    sender: Sender


@asynccontextmanager
async def delivering(in_flight: int) -> AsyncIterator[Core]:
    """The sender as the daemon opens it, its log in a file; no breaker, so that who is dead stays in the way."""
    with TemporaryDirectory(prefix="alertd-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        settings = _settings(home, in_flight)
        with (home / "log").open("w") as log:
            configure_logging(level="INFO", format="json", stream=log)
            async with (
                open_embedded(home, attach=False) as dsn,
                open_db(dsn, pool_size=settings.database.pool_size) as db,
                open_poster(policy_of(settings.webhooks, frozenset()), Names(), timeout=TIMEOUT) as poster,
                open_channels(settings, poster) as channels,
            ):
                await apply_schema(db)
                cipher = Cipher([os.urandom(32)])
                yield Core(db, cipher, _sender(db, cipher, channels, settings))


def _sender(db: Db, cipher: Cipher, channels: Mapping[str, Channel], settings: Settings) -> Sender:
    return Sender(
        db,
        channels=channels,
        cipher=cipher,
        settings=settings,
        now=lambda: datetime.now(UTC),
        jitter=random.random,
    )


def _settings(home: Path, in_flight: int) -> Settings:
    return Settings(
        state_dir=home,
        webhooks={
            "allow_cidrs": ["127.0.0.0/8"],
            "allow_http": True,
            "ports": [],
            "concurrency": in_flight,
            "timeout_seconds": TIMEOUT.total_seconds(),
            "breaker_failures": 1_000_000,
        },
    )


async def throughput(core: Core, receiver: Receiver, *, tenants: int, each: int) -> Speed:
    """Deliver `each` messages to each of as many tenants' endpoints, all due at the start."""
    owners = [await _tenant(core, receiver.url(f"healthy/{number}")) for number in range(tenants)]
    queued = [await _announce(core, tenant, f"key-{place}") for place in range(each) for tenant in owners]
    await core.db.execute("VACUUM ANALYZE")
    receiver.arrivals()
    async with timing() as speed, _running(core):
        async with asyncio.timeout(120):
            while await core.db.fetchval("SELECT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')"):
                await asyncio.sleep(LOOKS_SECONDS)
        speed.deliveries = len(queued)
    assert set(receiver.arrivals()) == set(queued)
    return speed


class Traffic:
    """A steady trickle to 100 healthy endpoints, and to 20 dead and 20 slow ones beside them while they are on."""

    def __init__(self, core: Core, receiver: Receiver) -> None:
        self._core = core
        self._receiver = receiver
        self._healthy: list[UUID] = []
        self._bad: list[UUID] = []

    async def prepare(self) -> None:
        core, receiver = self._core, self._receiver
        closed = f"http://127.0.0.1:{receiver.closed_port}/"
        dead = [receiver.url("dead/") if number % 2 else closed for number in range(DEAD)]
        self._healthy = [await _tenant(core, receiver.url("healthy/")) for _ in range(HEALTHY)]
        self._bad = [await _tenant(core, url) for url in [*dead, *[receiver.url("slow/")] * SLOW]]

    async def run(self, *, seconds: float, disturbed: bool) -> Latency:
        """From commit to arrival, of each message to a healthy endpoint."""
        self._receiver.arrivals()
        committed: dict[str, float] = {}
        async with _running(self._core):
            streams = [self._stream(tenant, seconds, committed) for tenant in self._healthy]
            if disturbed:
                streams += [self._stream(tenant, seconds, {}) for tenant in self._bad]
            await asyncio.gather(*streams)
            await asyncio.sleep(1.0)
        await self._core.db.execute("DELETE FROM webhook_deliveries WHERE state = 'pending'")
        arrived = self._receiver.arrivals()
        return _latency([(arrived[event_id] - at) * 1000 for event_id, at in committed.items()])

    async def _stream(self, tenant: UUID, seconds: float, committed: dict[str, float]) -> None:
        """Each stream keeps its own beat, spread over the interval by its tenant's number."""
        number = (*self._healthy, *self._bad).index(tenant)
        await asyncio.sleep(EACH_SECONDS * number / (HEALTHY + DEAD + SLOW))
        for turn in range(round(seconds / EACH_SECONDS)):
            began = time.monotonic()
            event_id = await _announce(self._core, tenant, f"key-{turn}")
            committed[event_id] = time.monotonic()
            self._core.sender.wake()
            await asyncio.sleep(max(0.0, EACH_SECONDS - (time.monotonic() - began)))


def _latency(milliseconds: Sequence[float]) -> Latency:
    ordered = sorted(milliseconds)
    return Latency(len(ordered), ordered[len(ordered) // 2], ordered[math.ceil(len(ordered) * 0.99) - 1])


async def _tenant(core: Core, url: str) -> UUID:
    """A tenant with one endpoint."""
    tenant_id, now = new_id(), datetime.now(UTC)
    await core.db.execute("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", tenant_id, now)
    await endpoints.add(core.db, Draft(tenant_id, url), cipher=core.cipher, now=now)
    return tenant_id


async def _announce(core: Core, tenant_id: UUID, subject: str) -> str:
    queued = event(tenant_id, subject)
    async with core.db.transaction() as tx:
        await outbox.enqueue(tx, queued, now=queued.at, window=None)
    return queued.id


@asynccontextmanager
async def _running(core: Core) -> AsyncIterator[None]:
    stop = asyncio.Event()
    sender = asyncio.create_task(core.sender.run(stop))
    try:
        yield
    finally:
        stop.set()
        await sender
