"""The delivery loop: claim endpoints, send to each its messages one after the other, settle every attempt.

The only place that posts. A process that dies here leaves leases that run out and attempts that
somebody closes as 'unknown'; a message is then sent twice, never not at all.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.db import Db
from alertd.errors import Refused, Transient
from alertd.webhooks.channels import Channel
from alertd.webhooks.claims import Claim, Due, claim, next_due
from alertd.webhooks.deliveries import OPEN_STATES, backlog
from alertd.webhooks.leases import Attempt
from alertd.webhooks.ledger import Ledger
from alertd.webhooks.message import Endpoint
from alertd.webhooks.retry import Fault, Outcome, waits
from alertd.webhooks.seals import open_endpoint
from alertd.webhooks.settlement import Policy, Settled

log = structlog.get_logger(__name__)

POLL: Final = timedelta(seconds=1)
MARGIN: Final = timedelta(seconds=15)  # a lease outlives the longest attempt by this much
DATABASE_WAIT: Final = timedelta(seconds=2)
SETTLE_WAIT_SECONDS: Final = 0.25
UNUSABLE_WAIT: Final = timedelta(minutes=5)  # for an endpoint that only an operator can mend
LONGEST_DRAIN: Final = timedelta(seconds=20)  # below what supervision and systemd allow us
GAUGES_SECONDS: Final = 10.0
# An endpoint that is served for longer than this mostly keeps us waiting, which costs little: it takes no slot from
# the others, up to so many times the slots. Else a hundred dead endpoints would delay every other one.
LINGERING_SECONDS: Final = 1.0
CROWD: Final = 5
NOTHING: Final = timedelta(0)


class Sender:
    """Any number of these may work on one database, in one process or in many."""

    def __init__(
        self,
        db: Db,
        *,
        channels: Mapping[str, Channel],
        cipher: Cipher,
        settings: Settings,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._channels = channels
        self._cipher = cipher
        self._now = now
        self._jitter = jitter
        self._awake = asyncio.Event()
        self._serving: dict[asyncio.Task[None], float] = {}  # and when it began
        self._stopping = False
        self._database_down = False
        self._gauges_at = float("-inf")
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Use these settings from the next claim on; whoever opened the channels and their poster tells those."""
        chosen = settings.webhooks
        self._concurrency = chosen.concurrency
        self._timeout = timedelta(seconds=chosen.timeout_seconds)
        self._max_age = timedelta(hours=chosen.max_age_hours)
        self._policy = Policy(
            waits=waits(chosen.profile, chosen.retry_attempts, timedelta(seconds=chosen.retry_backoff_base)),
            ceiling=timedelta(seconds=chosen.retry_after_ceiling_seconds),
            threshold=chosen.breaker_failures,
        )

    @property
    def _lease(self) -> timedelta:
        return self._timeout + MARGIN

    def wake(self) -> None:
        """Look at the database now: something was committed."""
        self._awake.set()

    async def run(self, stop: asyncio.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Deliver until `stop` is set, then let what is in flight end. `beat` is called once in each turn."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self.wake())
        try:
            while not stop.is_set():
                beat()
                self._awake.clear()
                wait = await self._guarded_turn()
                if wait > NOTHING:
                    await self._rest(wait)
        finally:
            stopping.cancel()
            await self._drain()

    async def flush(self, within: timedelta) -> None:
        """Deliver what is due, and what becomes due `within` this time, then return. Raises Transient."""
        until = self._now() + within
        try:
            while True:
                self._awake.clear()
                idle = not self._serving  # asked first: who ends during the turn may leave something due
                wait = await self._turn()
                through = wait is None or (wait > NOTHING and self._now() + wait > until)
                if idle and through:
                    return
                await self._rest(POLL if wait is None else min(wait, POLL))
        finally:
            await self._drain()

    async def _guarded_turn(self) -> timedelta:
        """One turn, and how long to rest after it; a database that is away is waited for."""
        try:
            wait = await self._turn()
            await self._show_backlog()
        except Transient as exc:
            self._note_database(exc)
            return DATABASE_WAIT
        self._note_database(None)
        return POLL if wait is None else min(wait, POLL)

    async def _turn(self) -> timedelta | None:
        """Start on everything that is due and fits; answers when to look again, None: nothing is queued."""
        free = self._free_slots()
        if free <= 0:
            return POLL
        now = self._now()
        harvest = await claim(self._db, now=now, lease=self._lease, limit=free, max_age=self._max_age)
        if harvest.interrupted:
            log.warning("Attempts of a process that died are sent again", attempts=harvest.interrupted)
        if harvest.held:
            log.warning("Messages too old to send are held for a person", messages=harvest.held)
        for one in harvest.claims:
            task = asyncio.create_task(self._serve(one), name=f"endpoint {one.target.id}")
            self._serving[task] = asyncio.get_running_loop().time()
            task.add_done_callback(self._served)
        if harvest.claims:
            return NOTHING
        due = await next_due(self._db, now)
        return None if due is None else max(due - now, NOTHING)

    def _free_slots(self) -> int:
        lingering = asyncio.get_running_loop().time() - LINGERING_SECONDS
        busy = sum(began > lingering for began in self._serving.values())
        return min(self._concurrency - busy, self._concurrency * CROWD - len(self._serving))

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.pop(task, None)
        self.wake()
        if not task.cancelled() and task.exception() is not None:
            log.error("Serving an endpoint failed", exc_info=task.exception())

    async def _rest(self, wait: timedelta) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), wait.total_seconds())

    async def _drain(self) -> None:
        """In-flight attempts end and are settled; what takes too long is left to the lease."""
        self._stopping = True
        if self._serving:
            within = min(self._timeout + MARGIN, LONGEST_DRAIN)
            await asyncio.wait(self._serving, timeout=within.total_seconds())
        left = set(self._serving)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._stopping = False

    async def _serve(self, claimed: Claim) -> None:
        """Send to one endpoint until its messages are through or one fails, and give it back.

        After a database error it is not given back: whether an attempt is on record is then for the
        end of the lease to find out.
        """
        until = None
        try:
            endpoint = await open_endpoint(self._db, claimed.target, self._cipher)
            channel = self._channel(claimed)
            for due in claimed.deliveries:
                if self._stopping or not await self._deliver(claimed, endpoint, channel, due):
                    break
        except Refused as exc:
            log.warning("An endpoint cannot be used", webhook_id=str(claimed.target.id), problem=str(exc))
            until = self._now() + UNUSABLE_WAIT
        except Transient as exc:
            self._note_database(exc)
            return
        with suppress(Transient):
            await self._ledger.release(claimed, now=self._now(), until=until)

    def _channel(self, claimed: Claim) -> Channel:
        channel = self._channels.get(claimed.target.channel)
        if channel is None:
            raise Refused(f"there is no channel {claimed.target.channel}")
        return channel

    async def _deliver(self, claimed: Claim, endpoint: Endpoint, channel: Channel, due: Due) -> bool:
        """One attempt; True: the endpoint took it, so the next message may follow."""
        attempt = await self._ledger.begin(claimed, due, now=self._now(), lease=self._lease)
        if attempt is None:
            return False
        outcome = await self._send(endpoint, channel, attempt)
        settled = await self._settle(attempt, outcome)
        _count(attempt, outcome)
        _say(claimed, attempt, outcome, settled)
        return outcome.label == "success" and settled is not None

    async def _send(self, endpoint: Endpoint, channel: Channel, attempt: Attempt) -> Outcome:
        try:
            return await channel.send(attempt.delivery.message, endpoint, attempt.started_at)
        except Exception:  # around a delivery: the others go on
            log.exception("A delivery failed by our own fault", event_id=attempt.delivery.message.id)
            return Outcome(error=Fault.INTERNAL)

    async def _settle(self, attempt: Attempt, outcome: Outcome) -> Settled | None:
        """Insists while the lease lasts: an answer that is not written down is a message sent twice."""
        until = attempt.started_at + self._lease
        while True:
            try:
                now = self._now()
                return await self._ledger.settle(attempt, outcome, now=now, policy=self._policy, jitter=self._jitter)
            except Transient:
                if self._now() >= until:
                    raise
                await asyncio.sleep(SETTLE_WAIT_SECONDS)

    async def _show_backlog(self) -> None:
        clock = asyncio.get_running_loop().time()
        if clock - self._gauges_at < GAUGES_SECONDS:
            return
        self._gauges_at = clock
        now = self._now()
        waiting = await backlog(self._db, now)
        late = NOTHING if waiting.oldest_due_at is None else now - waiting.oldest_due_at
        metrics.OLDEST_DUE_DELIVERY.set(late.total_seconds())
        metrics.OPEN_CIRCUITS.set(waiting.open_circuits)
        for state in OPEN_STATES:
            metrics.DELIVERIES.labels(state=state).set(waiting.states[state])

    def _note_database(self, fault: Transient | None) -> None:
        """Log the edges only."""
        if fault is not None and not self._database_down:
            log.warning("Deliveries wait for the database", problem=str(fault))
        if fault is None and self._database_down:
            log.info("Deliveries go on")
        self._database_down = fault is not None


def _count(attempt: Attempt, outcome: Outcome) -> None:
    kind = attempt.delivery.message.type
    metrics.WEBHOOK_DELIVERIES.labels(event_type=kind, status=outcome.label).inc()
    if outcome.error is Fault.REFUSED_ADDRESS:
        metrics.REFUSED_ADDRESSES.inc()


def _say(claimed: Claim, attempt: Attempt, outcome: Outcome, settled: Settled | None) -> None:
    bound = log.bind(
        event_id=attempt.delivery.message.id,
        event_type=str(attempt.delivery.message.type),
        tenant_id=None if claimed.target.tenant_id is None else str(claimed.target.tenant_id),
        webhook_id=str(attempt.webhook_id),
        attempt=attempt.number,
        status=outcome.status,
        error=outcome.error,
        duration_ms=outcome.duration // timedelta(milliseconds=1),
    )
    if settled is None:
        metrics.LATE_SETTLES.inc()
        bound.warning("An answer came after its lease had run out")
        return
    match settled.state:
        case "delivered":
            bound.info("Message delivered")
        case "pending":
            bound.info("Message was not accepted, retry")
        case "parked":
            bound.info("Message was not accepted, parked")
        case _:
            bound.warning("Message was given up")
    if settled.opened:
        bound.warning("Circuit opened: the endpoint is left alone")
    if settled.closed:
        bound.info("Circuit closed: the endpoint answers again")
