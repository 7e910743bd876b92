"""The scheduled side of checking: the pass that begins each interval, and discovery in between."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from alertd.credentials import sweep, sweep_store
from alertd.credentials.inventory import Discovery
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Origin, SweepState
from alertd.credentials.sweeper import Sweeper
from alertd.errors import Refused, StoreDown, Transient
from alertd.process import pause

log = structlog.get_logger(__name__)

GLANCE: Final = timedelta(seconds=5)  # how soon a shorter interval is noticed


async def begin_pass(sweeper: Sweeper, at: datetime) -> Mapping[str, Any]:
    """Begin the scheduled pass of `at`: discover, close the pass before, count anew. Raises StoreDown.

    The checks themselves need no push: each credential is due at its own phase of the interval.
    """
    now = sweeper.outside.now()
    try:
        found = await discover(sweeper)
    except StoreDown as exc:
        await sweep_store.fail_pass(sweeper.outside.db, now, str(exc))
        raise
    async with sweeper.outside.db.transaction() as tx:
        pass_id = await sweep_store.turn_pass(tx, at, now)
    return {"sweep_id": str(pass_id), "listed": found.listed, "added": found.added, "retired": found.retired}


async def sweep_now(sweeper: Sweeper, requested_by: str) -> Mapping[str, Any]:
    """A sweep of everything, to its end. Raises Busy while another runs, Transient or Refused if it breaks off."""
    sweep_id = await sweep.begin(sweeper, origin=Origin.API, requested_by=requested_by, scope=Scope())
    done = await sweep.run(sweeper, sweep_id, Scope())
    if done.state is SweepState.CANCELLED:
        raise Refused("the sweep was cancelled")
    if done.state is not SweepState.COMPLETED:
        raise Transient(f"the sweep failed: {done.error}")
    return {"sweep_id": str(sweep_id), **asdict(done.tally)}


async def rehearse(sweeper: Sweeper) -> Mapping[str, Any]:
    """What a sweep would look at: the store is listed, no exchange is asked, nothing is stored. Raises StoreDown."""
    listing = await sweeper.outside.secrets.list_refs()
    return {"would_check": len(listing.paths), "skipped": len(listing.skipped)}


async def discover(sweeper: Sweeper) -> Discovery:
    """Bring the table of credentials up to date and check what is new. Raises StoreDown."""
    try:
        found = await sweeper.inventory.discover(sweeper.outside.now())
    except StoreDown as exc:
        await sweeper.watch.lost(exc)
        raise
    await sweeper.watch.found()
    if found.added or found.retired:
        log.info("Credentials discovered", listed=found.listed, added=found.added, retired=found.retired)
    sweeper.wake()
    return found


async def keep_discovering(
    sweeper: Sweeper, every: Callable[[], timedelta], stop: asyncio.Event, beat: Callable[[], None] = lambda: None
) -> None:
    """Discover at once and then every so often, until `stop`; also notices replaced secrets. `every` may change."""
    while not stop.is_set():
        beat()
        try:
            await discover(sweeper)
            if await sweeper.inventory.notice_changed_secrets(sweeper.outside.now()):
                sweeper.wake()
        except StoreDown:
            log.debug("Discovery waits for the secret store")
        except Transient as exc:
            log.debug("Discovery waits for the database", error=str(exc))
        await _rest(every, stop)


async def _rest(every: Callable[[], timedelta], stop: asyncio.Event) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    while not stop.is_set() and (left := every() - timedelta(seconds=clock() - began)) > timedelta():
        await pause(stop, min(left, GLANCE))
