"""Schedules switched on and off: kept, and what was owed is forgotten only when something changes."""

from datetime import datetime, timedelta

from alertd.alerts.switch_store import Switch, switch, switches, turn
from alertd.db import Db

HOUR = timedelta(hours=1)


async def test_a_schedule_that_was_never_seen_is_on_from_now(db: Db, now: datetime) -> None:
    assert await switches(db) == {}
    assert await switch(db, "probe", now) == Switch(enabled=True, since=now)
    assert await switch(db, "probe", now + HOUR) == Switch(enabled=True, since=now)


async def test_a_switch_is_kept_with_who_turned_it(db: Db, now: datetime) -> None:
    turned = await turn(db, "probe", enabled=False, by="ann", now=now)

    assert turned is True
    assert await switches(db) == {"probe": False}
    assert await db.fetchval("SELECT changed_by FROM schedules") == "ann"


async def test_turning_it_on_forgets_what_was_owed(db: Db, now: datetime) -> None:
    await turn(db, "probe", enabled=False, by="ann", now=now)
    await turn(db, "probe", enabled=True, by="ann", now=now + HOUR)

    assert await switch(db, "probe", now + 2 * HOUR) == Switch(enabled=True, since=now + HOUR)


async def test_turning_on_what_is_on_forgets_nothing(db: Db, now: datetime) -> None:
    await switch(db, "probe", now)

    turned = await turn(db, "probe", enabled=True, by="ann", now=now + HOUR)

    assert turned is False
    assert await switch(db, "probe", now + HOUR) == Switch(enabled=True, since=now)
