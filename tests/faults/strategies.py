"""Tenants' strategies that begin, break and recover, and the scheduled checks that must notice, once each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from alertd.config import PerformanceSettings
from alertd.db import Db, Tx
from alertd.demo.strategies import STRATEGIES, Strategy, live_since
from alertd.performance.receiving import receive_references, receive_returns
from alertd.performance.registering import Sending
from alertd.performance.rows import ReferenceRow, ReturnRow, SubjectName
from tests.faults.plan import Kind, kind_of

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
LONG_AGO: Final = timedelta(minutes=30)  # for every daemon, however wrong its clock is
ON: Final = ("daily_pnl_check", "performance_threshold_check")
OFF: Final = ("weekly_stability_check", "monthly_forward_test_update", "evening_performance_check")
MOMENTUM, CARRY, _GRID, BASIS = STRATEGIES
EARNING: Final[Mapping[Kind, Strategy]] = {
    Kind.HEALTHY: MOMENTUM,
    Kind.DECAYING: CARRY,
    Kind.SILENT: replace(MOMENTUM, silent_days=BASIS.silent_days, hears=BASIS.hears),
}


@dataclass
class Strategies:
    """`slots` are the times for which the checks were scheduled so far; all lie in the past, a minute apart."""

    settings: Path
    tenants: Sequence[UUID] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    slots: list[datetime] = field(default_factory=list)

    async def settle(self, db: Db) -> None:
        """Of the scheduled checks only those run that are moved."""
        switches = [(name, name in ON, self.now - timedelta(hours=1)) for name in ON + OFF]
        await db.executemany("INSERT INTO schedules (name, enabled, changed_at) VALUES ($1, $2, $3)", switches)
        self.move()

    def move(self) -> None:
        """The checks are due at the next minute, which counts as soon as the settings are read again."""
        self.slots.append(self.now.replace(second=0, microsecond=0) - LONG_AGO + len(self.slots) * MINUTE)
        at = f"{self.slots[-1]:%H:%M}"
        self.settings.write_text(f'[alerts]\ndaily_pnl_time = "{at}"\nthreshold_time_1 = "{at}"\n')

    async def begin(self, tx: Tx, numbers: Sequence[int]) -> None:
        """They go live with a backtest, and have earned what their kind earns."""
        for number in numbers:
            strategy = EARNING[kind_of(number)]
            row = ReferenceRow(self._name(number), returns=strategy.backtest(), active_from=live_since(self._yesterday))
            await receive_references(tx, [row], _sending())
            await self._send_returns(tx, number, strategy)

    async def mend(self, tx: Tx, numbers: Sequence[int]) -> None:
        """Their days are corrected: nothing was ever wrong with them."""
        for number in numbers:
            await self._send_returns(tx, number, replace(EARNING[kind_of(number)], decay=0.0, silent_days=0))

    @property
    def _yesterday(self):
        return (self.now - LONG_AGO).date() - DAY

    async def _send_returns(self, tx: Tx, number: int, strategy: Strategy) -> None:
        days = strategy.live(self._yesterday)
        await receive_returns(tx, [ReturnRow(self._name(number), day, each) for day, each in days.items()], _sending())

    def _name(self, number: int) -> SubjectName:
        return SubjectName(self.tenants[number % len(self.tenants)], name_of(number))


def name_of(number: int) -> str:
    return f"s{number}"


def rules_of(number: int) -> list[str]:
    """What its tenant must hear of it."""
    return [rule for _, rule in EARNING[kind_of(number)].hears]


async def wrong_runs(db: Db, slots: Sequence[datetime]) -> list[str]:
    """Each check must have run once for each of its times, and to the end."""
    rows = await db.fetch(
        """
        SELECT schedule, scheduled_at, state
        FROM occurrences
        WHERE schedule = ANY ($1)
        """,
        list(ON),
    )
    ran = sorted((row["schedule"], row["scheduled_at"], row["state"]) for row in rows)
    due = sorted((name, slot, "succeeded") for name in ON for slot in slots)
    lines = [f"did not run: {name} of {at}" for name, at, state in due if (name, at, state) not in ran]
    return lines + [f"ran, or {state}: {name} of {at}" for name, at, state in ran if (name, at, state) not in due]


def _sending() -> Sending:
    return Sending("platform", datetime.now(UTC), PerformanceSettings())
