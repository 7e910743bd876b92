"""Keeps what a check wants to be given again: tracks, projections, and references made of a subject's own days.

All of it follows from the subject's data, so nothing is lost or counted twice when a run breaks off and is repeated.
"""

from collections.abc import Sequence

from alertd.db import Db
from alertd.performance import equity_store
from alertd.performance.evaluation_store import TrackKept, keep_projections, keep_tracks
from alertd.performance.judging import Judged
from alertd.performance.registering import Sending, file_reference
from alertd.performance.store import references_of


async def remember(db: Db, judged: Sequence[Judged], sending: Sending) -> None:
    """Of a batch, as it was judged: in the order of ids, in which all lock subjects."""
    held = [each for each in judged if each.own is None or await _filed(db, each, sending)]
    tracks = [
        TrackKept(each.watched.id, each.reference.version, each.watched.revisions, each.judgement.track)
        for each in held
        if each.reference is not None and each.judgement.track is not None
    ]
    projections = {each.watched.id: each.judgement.projection for each in held if each.judgement.projection is not None}
    if tracks:
        await keep_tracks(db, tracks, sending.now)
    if projections:
        await keep_projections(db, projections, sending.now)


async def _filed(db: Db, judged: Judged, sending: Sending) -> bool:
    """False if another reference came meanwhile, and what was judged by this one does not count."""
    if judged.own is None:
        return False
    async with db.transaction() as tx:
        await equity_store.lock(tx, judged.watched.id)
        if await references_of(tx, [judged.watched.id]):
            return False
        await file_reference(tx, judged.watched, judged.own, f"own {judged.own.active_from}", sending)
    return True
