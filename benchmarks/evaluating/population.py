"""Subjects with a year behind them: strategies whose returns are pushed, and accounts read four times a day."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from alertd.db import Db
from alertd.performance.days import DAY
from alertd.performance.reference import Reference, ReferenceKind
from alertd.performance.returns import DailyReturn, Flow, Snapshot
from alertd.performance.stats.expectation import measure
from alertd.performance.stats.numbers import Floats
from alertd.performance.watched import Kind, ReturnsFrom
from tests import factories
from tests.performance import stored

LIVE_DAYS: Final = 365
REFERENCE_DAYS: Final = 365
READINGS_A_DAY: Final = 4
ACCOUNTS: Final = 0.3  # of all subjects
TENANTS: Final = 50


async def populate(db: Db, count: int, today: datetime, *, seed: int) -> None:
    """All of them healthy, but one in twenty."""
    chance = np.random.default_rng(seed)
    tenants = [await factories.tenant(db, name=f"tenant {number}") for number in range(TENANTS)]
    for number in range(count):
        is_account = number < ACCOUNTS * count
        await _add(db, tenants[number % TENANTS], f"subject {number}", chance, today, is_account=is_account)
    await db.execute("ANALYZE")


async def _add(
    db: Db, tenant_id: UUID, name: str, chance: np.random.Generator, today: datetime, *, is_account: bool
) -> None:
    reference = _returns(chance, REFERENCE_DAYS, sharpe=2.0)
    live = _returns(chance, LIVE_DAYS, sharpe=-4.0 if chance.random() < 0.05 else 2.0)
    first = (today - LIVE_DAYS * DAY).date()
    watched = await stored.subject(
        db,
        tenant_id,
        name=name,
        kind=Kind.ACCOUNT if is_account else Kind.STRATEGY,
        returns_from=ReturnsFrom.EQUITY if is_account else ReturnsFrom.PUSHED,
        equity_every=DAY / READINGS_A_DAY if is_account else None,
    )
    known = Reference(1, ReferenceKind.BACKTEST, first, measure(reference), reference)
    await stored.reference(db, watched, known)
    await stored.days(
        db, watched, [DailyReturn(first + day * DAY, float(np.expm1(value))) for day, value in enumerate(live)]
    )
    if is_account:
        await stored.snapshots(db, watched, _readings(live, chance, today))
        await stored.flows(db, watched, [Flow(today - month * 30 * DAY, 500.0) for month in range(1, 13)])


def _returns(chance: np.random.Generator, days: int, *, sharpe: float) -> Floats:
    sd = 0.02
    drawn = chance.standard_t(5, days) * (3 / 5) ** 0.5
    return drawn * sd + sharpe * sd / 365**0.5


def _readings(live: Floats, chance: np.random.Generator, today: datetime) -> list[Snapshot]:
    """The latest an hour before noon."""
    steps = np.repeat(live / READINGS_A_DAY, READINGS_A_DAY) + chance.normal(0, 0.004, len(live) * READINGS_A_DAY)
    equity = 100_000 * np.exp(np.cumsum(steps))
    last = today.replace(hour=11, minute=0)
    every = timedelta(days=1) / READINGS_A_DAY
    count = len(equity)
    return [Snapshot(last - (count - 1 - place) * every, float(value)) for place, value in enumerate(equity)]
