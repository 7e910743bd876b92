"""Claims credentials, looks at each, records what was seen: all the time, and in sweeps on demand.

Each exchange has its own flow with its own bound, so that a slow or dead exchange delays no other. A
killed process leaves leases that run out; nothing else has to be repaired.
"""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from alertd import metrics
from alertd.credentials import store
from alertd.credentials.check_store import Check
from alertd.credentials.inventory import Inventory
from alertd.credentials.leases import LEASE, keep
from alertd.credentials.look import Ask, Looked, Patience, look
from alertd.credentials.notices import error
from alertd.credentials.recorder import Recorded, Recorder
from alertd.credentials.store import Claim
from alertd.credentials.timetable import confirmation, next_due
from alertd.credentials.watch import StoreWatch
from alertd.db import Db, new_id
from alertd.errors import Absent, StoreDown, Transient
from alertd.model import CheckResult, Reason, Verdict
from alertd.process import beside, first_of, pause
from alertd.secretstore import SecretStore

log = structlog.get_logger(__name__)

IN_FLIGHT: Final = 200  # of one exchange at a time, those that wait for another try included
POLL: Final = timedelta(seconds=1)
GRACE: Final = timedelta(seconds=12)  # for looks under way when we stop: longer than one request
DATABASE_WAIT: Final = timedelta(seconds=2)
# Its secret is missing together with many others, so this says nothing about the key.
GONE: Final = Looked(CheckResult(Reason.SECRET_STORE, code="absent"), "")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how patiently credentials are checked; from the settings."""

    interval: timedelta
    spread: bool
    confirm_delays: tuple[timedelta, ...]
    patience: Patience

    def next_check(self, claim: Claim, looked: Looked, now: datetime) -> datetime:
        """When this credential is due after this look."""
        due = next_due(now, self.interval, claim.phase if self.spread else 0.0)
        if looked.result.verdict is Verdict.INVALID:
            soon = confirmation(now, self.confirm_delays, claim.memory.streak + 1)
            return due if soon is None else min(due, soon)
        return due


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that a look reaches for."""

    db: Db
    secrets: SecretStore
    ask: Ask
    now: Callable[[], datetime]


class Sweeper:
    """The checking loop, and what it shares with sweeps on demand."""

    def __init__(
        self, outside: Outside, *, pace: Pace, recorder: Recorder, inventory: Inventory, watch: StoreWatch
    ) -> None:
        self.outside = outside
        self.pace = pace
        self.recorder = recorder
        self.inventory = inventory
        self.watch = watch
        self._in_flight: dict[str, int] = {}
        self._hungry: set[str] = set()  # exchanges with more due than was claimed
        self._woken = asyncio.Event()
        self._database_lost = False

    def wake(self) -> None:
        """Something became due: do not wait for the next poll."""
        self._woken.set()

    async def run(self, stop: asyncio.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Check whatever is due until `stop`; then let looks under way end and give the rest back."""
        tasks: dict[asyncio.Task[None], Claim] = {}
        async with beside(keep(self.outside.db, lambda: list(tasks.values()), self.outside.now)):
            while not stop.is_set():
                beat()
                try:
                    await self._round(tasks)
                    self._database_found()
                except Transient as exc:
                    self._database_gone(exc)
                    await pause(stop, DATABASE_WAIT)
                await first_of(stop, self._woken, within=POLL)
                self._woken.clear()
            await drain(tasks.keys(), GRACE)

    async def _round(self, tasks: dict[asyncio.Task[None], Claim]) -> None:
        now = self.outside.now()
        if not self.watch.usable and not await self.watch.ask_again():
            return
        due = await store.due_exchanges(self.outside.db, now)
        metrics.OLDEST_DUE_CHECK.set(max(((now - at).total_seconds() for at in due.values()), default=0.0))
        for exchange in due:
            room = IN_FLIGHT - self._in_flight.get(exchange, 0)
            if room <= 0:
                continue
            claims = await store.claim_due(self.outside.db, exchange, now=now, lease=LEASE, limit=room)
            (self._hungry.add if len(claims) == room else self._hungry.discard)(exchange)
            for claim in claims:
                self._in_flight[exchange] = self._in_flight.get(exchange, 0) + 1
                task = asyncio.create_task(self._attend(claim))
                tasks[task] = claim
                task.add_done_callback(tasks.pop)

    async def _attend(self, claim: Claim) -> None:
        """Check one due credential; whatever happens to it stays with it."""
        try:
            looked = await self.look_at(claim)
            if looked is not None:
                await self.record(claim, looked)
        except StoreDown as exc:
            await self._give_back(claim)
            await self.watch.lost(exc)
        except Transient as exc:
            self._database_gone(exc)
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise
        except Exception:  # around one credential: its lease runs out, and it is tried again
            log.exception("Credential could not be recorded", credential_id=str(claim.id))
        finally:
            self._left(claim.ref.exchange)

    def _left(self, exchange: str) -> None:
        """One look fewer under way; claim more once half the room is free and more was due."""
        self._in_flight[exchange] -= 1
        if exchange in self._hungry and self._in_flight[exchange] <= IN_FLIGHT // 2:
            self._woken.set()

    async def look_at(self, claim: Claim, *, patience: Patience | None = None) -> Looked | None:
        """Look at one credential; None when its secret was deleted, and then it is retired."""
        outside = self.outside
        try:
            return await look(claim, secrets=outside.secrets, ask=outside.ask, patience=patience or self.pace.patience)
        except Absent:
            retired = await self.inventory.retire_deleted(claim.id, claim.ref, outside.now())
            return None if retired else GONE

    async def record(
        self, claim: Claim, looked: Looked, sweep_id: UUID | None = None, *, held: bool = False
    ) -> Recorded | None:
        """Record what was seen; None when the lease was lost meanwhile. `held`: its message waits for a person."""
        now = self.outside.now()
        check = replace(finished(claim, looked, now, self.pace.next_check(claim, looked, now), sweep_id), held=held)
        recorded = await self.recorder.put(check)
        return recorded if recorded.held else None

    async def _give_back(self, claim: Claim) -> None:
        try:
            await store.release(self.outside.db, [claim])
        except Transient:
            log.debug("Lease left to run out", credential_id=str(claim.id))

    def _database_gone(self, exc: Transient) -> None:
        if not self._database_lost:
            log.warning("Checks wait for the database", error=str(exc))
        self._database_lost = True

    def _database_found(self) -> None:
        if self._database_lost:
            log.info("Database recovered, checks go on")
        self._database_lost = False


def finished(
    claim: Claim,
    looked: Looked,
    now: datetime,
    next_check_at: datetime,
    sweep_id: UUID | None,
    *,
    lengthens: bool = True,
) -> Check:
    """The look as it will be recorded."""
    return Check(
        id=new_id(),
        claim=claim,
        result=looked.result,
        error=None if looked.result.verdict is Verdict.VALID else error(claim.ref, looked.result),
        secret_version=looked.version or claim.secret_version,
        checked_at=now,
        sweep_id=sweep_id,
        next_check_at=next_check_at,
        lengthens=lengthens,
    )


async def drain(tasks: Set[asyncio.Task[None]], grace: timedelta) -> None:
    """Wait for what is under way, then cancel the rest."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=grace.total_seconds())
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
