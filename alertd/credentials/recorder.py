"""Writes the results of checks: unremarkable ones in batches, remarkable ones through the alert pipeline.

Recording is what makes a check count. A result whose lease was lost is dropped: another process has
the credential now and will see for itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from alertd import metrics
from alertd.alerts import pipeline
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign, about_to_fire, restarted
from alertd.alerts.pipeline import Finding, Speech
from alertd.credentials import advice, check_store, notices, store
from alertd.credentials.advice import Told, advise
from alertd.credentials.check_store import Check
from alertd.credentials.mass import MassWatch
from alertd.credentials.unknown import UnknownAnswers
from alertd.db import Db, Tx
from alertd.model import Event, EventType, Severity, Verdict
from alertd.webhooks import outbox
from alertd.webhooks.message import new_event_id

log = structlog.get_logger(__name__)

CHECK_NAME: Final = "credential_health_check"
RULE: Final = "credential"
BATCH: Final = 200
GATHER_SECONDS: Final = 0.01  # how long the first result of a batch waits for company

SIGNS: Final = {Verdict.VALID: Sign.GOOD, Verdict.INVALID: Sign.BAD, Verdict.INCONCLUSIVE: Sign.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Rules:
    """How results turn into messages; from the settings."""

    policy: Policy
    window: timedelta
    aloud: bool
    max_tenants: int
    expiry_warning_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a check: the memory now, and whether the lease still held."""

    check: Check
    memory: Memory
    held: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    check: Check
    recorded: asyncio.Future[Recorded]


class Recorder:
    """Collects finished checks and commits them; `put` returns when its check is committed."""

    def __init__(self, db: Db, rules: Rules, mass: MassWatch, *, announced: Callable[[], None] = lambda: None) -> None:
        self._db = db
        self._announced = announced
        self.rules = rules
        self.mass = mass
        self._unknown = UnknownAnswers(db)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def put(self, check: Check) -> Recorded:
        """Record one check. Raises Transient when the database is gone."""
        waiting = _Waiting(check, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.recorded

    async def run(self) -> None:
        """Commit batches until cancelled."""
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._commit(batch)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        quiet: list[_Waiting] = []
        loud: list[_Waiting] = []
        for waiting in batch:
            (quiet if self._unremarkable(waiting.check) else loud).append(waiting)
        try:
            kept = await check_store.record_quiet(self._db, [w.check for w in quiet]) if quiet else set()
        except Exception as exc:  # noqa: BLE001 - handed to whoever waits for it
            _fail(quiet, exc)
        else:
            for waiting in quiet:
                self._settle(waiting, waiting.check.claim.memory, held=waiting.check.id in kept)
                await self._unknown.note(waiting.check)
        for waiting in loud:
            await self._commit_loud(waiting)

    async def _commit_loud(self, waiting: _Waiting) -> None:
        try:
            memory = await self._record_loud(waiting.check)
        except Exception as exc:  # noqa: BLE001 - handed to whoever waits for it
            _fail([waiting], exc)
        else:
            self._settle(waiting, memory or waiting.check.claim.memory, held=memory is not None)
            await self._unknown.note(waiting.check)

    def _settle(self, waiting: _Waiting, memory: Memory, *, held: bool) -> None:
        if held:
            _count(waiting.check, self.rules.max_tenants)
            _log(waiting.check, memory)
        else:
            metrics.LATE_SETTLES.inc()
        if not waiting.recorded.done():
            waiting.recorded.set_result(Recorded(waiting.check, memory, held))

    async def _record_loud(self, check: Check) -> Memory | None:
        """The memory that follows; None when the lease was lost."""
        claim = check.claim
        held = await self._held(check)
        async with self._db.transaction() as tx:
            if not await store.lock_claim(tx, claim):
                return None
            applied = await pipeline.apply(
                tx,
                self._finding(check),
                _memory(check),
                policy=self.rules.policy,
                speech=self._speech(check, held=held),
                now=check.checked_at,
            )
            advised = await self._advise(tx, check)
            await check_store.insert_check(tx, check, applied.memory)
            await check_store.record(tx, check, applied.memory, notices=advised.as_json())
        self._announced()
        return applied.memory

    async def _advise(self, tx: Tx, check: Check) -> Told:
        """Tell of risky rights and a near end of a key that works; in quiet mode nothing was told."""
        told = Told.of(check.claim.notices)
        if not self.rules.aloud:
            return told
        after, events = self._advice(check)
        for event_type in events:
            event = Event(
                id=new_event_id(check.checked_at),
                type=event_type,
                tenant_id=check.claim.ref.tenant_id,
                at=check.checked_at,
                subject=str(check.claim.id),
                fields=advice.fields(check.claim.ref, check.result, event_type, check.checked_at),
                check_id=check.id,
            )
            await outbox.enqueue(tx, event, now=check.checked_at, window=self.rules.window)
        return after

    def _advice(self, check: Check) -> tuple[Told, tuple[EventType, ...]]:
        return advise(
            Told() if _replaced(check) else Told.of(check.claim.notices),
            check.result,
            now=check.checked_at,
            expiry_warning_days=self.rules.expiry_warning_days,
        )

    def _unremarkable(self, check: Check) -> bool:
        """Whether this result moves neither streak nor alert, and there is no advice about it."""
        if check.result.verdict is Verdict.INCONCLUSIVE:
            return not _replaced(check)
        memory = check.claim.memory
        if check.result.verdict is Verdict.INVALID or memory.streak or memory.alerting:
            return False
        return not self.rules.aloud or self._advice(check) == (Told.of(check.claim.notices), ())

    def _finding(self, check: Check) -> Finding:
        ref, result = check.claim.ref, check.result
        return Finding(
            identity=Identity(ref.tenant_id, CHECK_NAME, str(check.claim.id), RULE),
            sign=_sign(check),
            severity=Severity.CRITICAL,
            details={"exchange": ref.exchange, "leaf": ref.leaf, "reason": str(result.reason)},
            check_id=check.id,
            exchange=ref.exchange,
        )

    async def _held(self, check: Check) -> bool:
        """Whether the message waits for a person, because too many keys fail at once."""
        memory = _memory(check)
        if _sign(check) is not Sign.BAD or not about_to_fire(memory, self.rules.policy):
            return False
        exchange = check.claim.ref.exchange
        held = check.held or await self.mass.suspicious(exchange, memory.first_bad_at or check.checked_at)
        if held and self.rules.aloud:
            await self.mass.ask_a_person(exchange, now=check.checked_at)
        return held

    def _speech(self, check: Check, *, held: bool) -> Speech:
        return Speech(
            fires=EventType.CREDENTIAL_FAILED,
            resolves=EventType.CREDENTIAL_RECOVERED,
            fields=lambda step, before, after: notices.fields(check.claim.ref, check.result, step, before, after),
            window=self.rules.window,
            aloud=self.rules.aloud,
            held=held,
        )


def _sign(check: Check) -> Sign:
    """What the streak hears of this check; a look that may not lengthen it says nothing bad."""
    sign = SIGNS[check.result.verdict]
    return Sign.UNKNOWN if sign is Sign.BAD and not check.lengthens else sign


def _memory(check: Check) -> Memory:
    """What is remembered of this key; a new secret starts a new streak."""
    return restarted(check.claim.memory) if _replaced(check) else check.claim.memory


def _replaced(check: Check) -> bool:
    """Whether the secret is another one than at the last check: its streak starts anew."""
    return check.claim.secret_version not in ("", check.secret_version) and check.secret_version != ""


def _fail(batch: Sequence[_Waiting], exc: Exception) -> None:
    for waiting in batch:
        if not waiting.recorded.done():
            waiting.recorded.set_exception(exc)


def _count(check: Check, max_tenants: int) -> None:
    results = {Verdict.VALID: "success", Verdict.INVALID: "failure", Verdict.INCONCLUSIVE: "inconclusive"}
    ref = check.claim.ref
    metrics.CREDENTIAL_CHECKS.labels(
        metrics.tenant_label(str(ref.tenant_id), max_tenants), ref.exchange, results[check.result.verdict]
    ).inc()
    metrics.CHECK_DURATION.labels(ref.exchange).observe(check.result.exchange_seconds)


def _log(check: Check, memory: Memory) -> None:
    """The published line: the first failure of a streak warns, later ones are errors."""
    failed = check.result.verdict is Verdict.INVALID
    say = (log.warning if memory.streak <= 1 else log.error) if failed else log.info
    say(
        "Credential health check completed",
        tenant_id=str(check.claim.ref.tenant_id),
        exchange=check.claim.ref.exchange,
        credential=check.claim.ref.leaf,
        is_valid=check.result.verdict is Verdict.VALID,
        error=None if check.result.verdict is Verdict.VALID else str(check.result.reason),
        duration_ms=round(check.result.exchange_seconds * 1000),
    )
