"""A shorter interval counts for keys that were checked under the longer one."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from alertd.credentials.timetable import next_due
from alertd.credentials.timetable_store import hasten
from alertd.db import Db
from tests import factories

HOUR = timedelta(hours=1)


async def key(db: Db, *, due: datetime, phase: float = 0.0) -> UUID:
    credential_id = await factories.credential(db, await factories.tenant(db), at=due)
    await db.execute("UPDATE credentials SET phase = $2 WHERE id = $1", credential_id, phase)
    return credential_id


async def due_of(db: Db, credential_id: UUID) -> datetime:
    due: datetime = await db.fetchval("SELECT next_check_at FROM credentials WHERE id = $1", credential_id)
    return due


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.999])
@pytest.mark.parametrize("spread", [True, False])
async def test_a_key_put_off_too_long_is_due_at_its_phase(db: Db, now: datetime, phase: float, spread: bool) -> None:
    late = await key(db, due=now + 5 * HOUR, phase=phase)

    assert await hasten(db, interval=HOUR, spread=spread, now=now + timedelta(minutes=7)) == 1

    expected = next_due(now + timedelta(minutes=7), HOUR, phase if spread else 0.0)
    assert abs(await due_of(db, late) - expected) < timedelta(milliseconds=1)


@pytest.mark.parametrize("due", [timedelta(minutes=-5), timedelta(minutes=5), HOUR])
async def test_what_is_due_within_the_interval_stays(db: Db, now: datetime, due: timedelta) -> None:
    soon = await key(db, due=now + due)

    assert await hasten(db, interval=HOUR, spread=True, now=now) == 0
    assert await due_of(db, soon) == now + due


async def test_retired_keys_are_left_alone(db: Db, now: datetime) -> None:
    gone = await key(db, due=now + 5 * HOUR)
    await db.execute("UPDATE credentials SET retired_at = $2 WHERE id = $1", gone, now)

    assert await hasten(db, interval=HOUR, spread=True, now=now) == 0
