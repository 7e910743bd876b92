"""A look at some keys because a person asks: one try each, answered at once, and never a strike.

It records history and may end a streak. It never lengthens one: whoever presses a button five times
has not seen five failures.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from alertd.credentials import store
from alertd.credentials.leases import LEASE, keep
from alertd.credentials.recorder import Recorded
from alertd.credentials.store import Claim
from alertd.credentials.sweeper import Sweeper, finished
from alertd.errors import Busy, StoreDown
from alertd.process import beside


async def check_now(sweeper: Sweeper, ids: Sequence[UUID]) -> list[Recorded]:
    """Check these credentials now. Raises Busy if one of them is being checked, StoreDown, Transient."""
    outside = sweeper.outside
    claims = await store.claim_these(outside.db, ids, now=outside.now(), lease=LEASE)
    try:
        if len(claims) < len(ids):
            raise Busy("a check of this credential is under way; ask again in a moment")
        async with beside(keep(outside.db, lambda: claims, outside.now)):
            # All end before the claims are given back, also when one of them breaks off.
            found = await asyncio.gather(*(_check(sweeper, claim) for claim in claims), return_exceptions=True)
    finally:
        await store.release(outside.db, claims)
    recorded = []
    for one in found:
        if isinstance(one, StoreDown):
            await sweeper.watch.lost(one)
        if isinstance(one, BaseException):
            raise one
        if one is not None:
            recorded.append(one)
    return recorded


async def _check(sweeper: Sweeper, claim: Claim) -> Recorded | None:
    """None when the secret was deleted meanwhile, or the lease was lost."""
    looked = await sweeper.look_at(claim, patience=replace(sweeper.pace.patience, tries=1))
    if looked is None:
        return None
    check = finished(claim, looked, sweeper.outside.now(), claim.next_check_at, None, lengthens=False)
    recorded = await sweeper.recorder.put(check)
    return recorded if recorded.held else None
