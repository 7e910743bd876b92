"""One sweep on demand: discover, check everything in scope whether due or not, show how far it is.

Accusations are recorded when the sweep has come to its end: a store that is sealed, gone, or refuses us
in the middle fails the sweep, and a failed sweep moves no streak.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from alertd import metrics
from alertd.alerts.lifecycle import about_to_fire
from alertd.credentials import store, sweep_store
from alertd.credentials.leases import LEASE, keep
from alertd.credentials.look import Looked
from alertd.credentials.mass import Share
from alertd.credentials.packed import PackedIds
from alertd.credentials.recorder import Recorded
from alertd.credentials.store import Claim
from alertd.credentials.sweep_store import Origin, Sweep, SweepState, Tally
from alertd.credentials.sweeper import Sweeper
from alertd.errors import StoreDown, StoreFault, Transient
from alertd.model import Reason, Verdict
from alertd.process import beside

log = structlog.get_logger(__name__)

REPORT_EVERY: Final = timedelta(seconds=1)
# Of each exchange: more under way than this would only make the admin port wait, as all share one loop.
WORKERS: Final = 10
CHUNK: Final = 6  # claimed by one worker at a time
RECORDED_AT_ONCE: Final = 200  # of the accusations at the end; tasks for all of them would stall the loop
HELD_ELSEWHERE_WAIT: Final = timedelta(seconds=1)
HELD_ELSEWHERE_ROUNDS: Final = 5  # then a credential that another process is checking counts as skipped

_INTERRUPTED: Final[tuple[SweepState, str | None]] = (SweepState.FAILED, "interrupted")
OnCheck = Callable[[Recorded, int], None]  # what was recorded, and how many there are in all


@dataclass(frozen=True, slots=True)
class Scope:
    """Which credentials a sweep covers; None means all."""

    tenant_id: UUID | None = None
    exchange: str | None = None

    def covers(self, path: str) -> bool:
        """Whether the sweep would have looked at this path of the store, had it been a credential."""
        parts = path.split("/")
        right_tenant = self.tenant_id is None or parts[0] == str(self.tenant_id)
        return right_tenant and (self.exchange is None or parts[2:3] == [self.exchange])


@dataclass(slots=True)
class _Run:
    """A sweep under way. `refused` and `accusing` are looked at and not recorded yet; their claims are kept.

    Whatever is claimed stands in one of the three until it is recorded, and is given back if the sweep breaks off.
    """

    id: UUID
    on_check: OnCheck
    tally: Tally = field(default_factory=Tally)
    under_way: dict[UUID, Claim] = field(default_factory=dict)
    refused: list[tuple[Claim, Looked]] = field(default_factory=list)
    accusing: list[tuple[Claim, Looked]] = field(default_factory=list)
    by_exchange: Mapping[str, int] = field(default_factory=dict)  # how many keys it covers
    readable: bool = False  # at least one secret could be read

    def held(self) -> list[Claim]:
        return [*(claim for claim, _ in (*self.refused, *self.accusing)), *self.under_way.values()]


class Cancelled(Exception):
    """A person cancelled the sweep, or another process took it for dead."""


async def begin(sweeper: Sweeper, *, origin: Origin, requested_by: str | None, scope: Scope) -> UUID:
    """Register the sweep. Raises Busy while another one runs."""
    return await sweep_store.begin(
        sweeper.outside.db,
        origin=origin,
        requested_by=requested_by,
        tenant_id=scope.tenant_id,
        exchange=scope.exchange,
        now=sweeper.outside.now(),
    )


async def run(
    sweeper: Sweeper, sweep_id: UUID, scope: Scope, *, on_check: OnCheck = lambda _recorded, _total: None
) -> Sweep:
    """Carry out a registered sweep to its end; `on_check` sees each."""
    current = _Run(sweep_id, on_check)
    db, now = sweeper.outside.db, sweeper.outside.now
    metrics.SWEEP_RUNNING.set(1)
    state, error = _INTERRUPTED
    try:
        state, error = await _outcome(sweeper, current, scope)
    finally:
        metrics.SWEEP_RUNNING.set(0)
        await sweep_store.finish(db, sweep_id, state, current.tally, error=error, now=now())
    if state is SweepState.COMPLETED:
        metrics.SWEEP_AGE.set(0)
    log.info("Sweep finished", sweep_id=str(sweep_id), state=str(state), error=error, **_counts(current.tally))
    done = await sweep_store.get(db, sweep_id)
    assert done is not None  # noqa: S101 - it was just finished
    return done


async def _outcome(sweeper: Sweeper, current: _Run, scope: Scope) -> tuple[SweepState, str | None]:
    try:
        found = await sweeper.inventory.discover(sweeper.outside.now())
        await sweeper.watch.found()
        current.tally.skipped = sum(scope.covers(path) for path in found.skipped)
        await _check_all(sweeper, current, scope)
    except StoreDown as exc:
        await sweeper.watch.lost(exc)
        return SweepState.FAILED, str(exc)
    except Cancelled:
        return SweepState.CANCELLED, None
    return SweepState.COMPLETED, None


async def _check_all(sweeper: Sweeper, current: _Run, scope: Scope) -> None:
    """Every exchange in its own flow; the first StoreDown, Cancelled or Transient ends them all."""
    targets = await store.in_scope(sweeper.outside.db, tenant_id=scope.tenant_id, exchange=scope.exchange)
    current.by_exchange = {exchange: len(ids) for exchange, ids in targets.items()}
    current.tally.total = sum(current.by_exchange.values())
    failure: BaseException | None = None
    try:
        async with (
            beside(keep(sweeper.outside.db, current.held, sweeper.outside.now)),
            beside(_report(sweeper, current)),
        ):
            async with asyncio.TaskGroup() as flows:
                for ids in targets.values():
                    flows.create_task(_flow(sweeper, current, ids))
            await sweeper.outside.secrets.health()  # lost after the last secret was read is lost in the middle
            await _settle(sweeper, current)
    except* (StoreDown, Cancelled, Transient) as failures:
        failure = _first(failures)
    finally:
        await store.release(sweeper.outside.db, current.held())
    if failure is not None:
        raise failure


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first plain exception in a nest of groups."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _report(sweeper: Sweeper, current: _Run) -> None:
    """Show progress and keep the sweep's lease; ends with Cancelled when it is no longer ours."""
    db, now = sweeper.outside.db, sweeper.outside.now
    while True:
        await asyncio.sleep(REPORT_EVERY.total_seconds())
        metrics.SWEEP_PROGRESS.set(current.tally.checked / max(1, current.tally.total))
        if not await sweep_store.progress(db, current.id, current.tally, now()):
            raise Cancelled


async def _flow(sweeper: Sweeper, current: _Run, left: PackedIds) -> None:
    """Check these credentials of one exchange, a bounded number at a time."""
    for _ in range(HELD_ELSEWHERE_ROUNDS):
        elsewhere: list[UUID] = []
        chunks = left.chunks(CHUNK)
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(_work(sweeper, current, chunks, elsewhere))
        if not elsewhere:
            return
        left = PackedIds.of(elsewhere)
        await asyncio.sleep(HELD_ELSEWHERE_WAIT.total_seconds())
    current.tally.skipped += len(left)


async def _work(sweeper: Sweeper, current: _Run, chunks: Iterator[Sequence[UUID]], elsewhere: list[UUID]) -> None:
    """Take chunk after chunk; one that waits for a flaky key holds up only this worker."""
    for ids in chunks:
        claims = await _claim(sweeper, ids)
        mine = {claim.id: claim for claim in claims}
        current.under_way |= mine
        elsewhere.extend(i for i in ids if i not in mine)
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(_attend(sweeper, current, claim))


async def _claim(sweeper: Sweeper, ids: Sequence[UUID]) -> list[Claim]:
    """What a worker claims while it is being cancelled is given back: nobody else would."""
    db, now = sweeper.outside.db, sweeper.outside.now()
    claiming = asyncio.ensure_future(store.claim_these(db, ids, now=now, lease=LEASE))
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        await store.release(db, await claiming)
        raise


async def _attend(sweeper: Sweeper, current: _Run, claim: Claim) -> None:
    looked = await sweeper.look_at(claim)
    if looked is None:
        current.tally.skipped += 1
    elif looked.result.reason is Reason.SECRET_STORE:
        current.refused.append((current.under_way.pop(claim.id), looked))
        return
    elif looked.result.verdict is Verdict.INVALID:
        current.accusing.append((current.under_way.pop(claim.id), looked))
        _count(current.tally, looked)
    else:
        await _record(sweeper, current, claim, looked)
        _count(current.tally, looked)
    current.readable = True
    current.under_way.pop(claim.id, None)


async def _settle(sweeper: Sweeper, current: _Run) -> None:
    """Record what waited for the end. If no secret at all could be read, the store refuses us."""
    if current.refused and not current.readable:
        raise StoreDown(
            StoreFault.FORBIDDEN,
            f"the secret store lists {len(current.refused)} credentials and lets us read none of them; "
            "grant the daemon 'read' on their paths",
        )
    for _, looked in current.refused:
        _count(current.tally, looked)
    held = _too_many(sweeper, current)
    waiting = (*current.refused, *current.accusing)
    for start in range(0, len(waiting), RECORDED_AT_ONCE):
        some = waiting[start : start + RECORDED_AT_ONCE]
        await asyncio.gather(
            *(_record(sweeper, current, claim, looked, held=claim.ref.exchange in held) for claim, looked in some)
        )
    current.refused.clear()
    current.accusing.clear()


def _too_many(sweeper: Sweeper, current: _Run) -> set[str]:
    """Exchanges of which so many keys would be announced as failed that a person should look first."""
    recorder = sweeper.recorder
    firing = Counter(
        claim.ref.exchange for claim, _ in current.accusing if about_to_fire(claim.memory, recorder.rules.policy)
    )
    return {
        exchange
        for exchange, count in firing.items()
        if recorder.mass.too_many(Share(count, current.by_exchange[exchange]))
    }


async def _record(sweeper: Sweeper, current: _Run, claim: Claim, looked: Looked, *, held: bool = False) -> None:
    recorded = await sweeper.record(claim, looked, current.id, held=held)
    if recorded is not None:
        current.on_check(recorded, current.tally.total)


def _count(tally: Tally, looked: Looked) -> None:
    name = str(looked.result.verdict)
    tally.checked += 1
    setattr(tally, name, getattr(tally, name) + 1)


def _counts(tally: Tally) -> dict[str, int]:
    return {
        "total": tally.total,
        "checked": tally.checked,
        "valid": tally.valid,
        "invalid": tally.invalid,
        "inconclusive": tally.inconclusive,
        "skipped": tally.skipped,
    }
