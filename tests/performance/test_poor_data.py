"""Data as it comes in life, taken in and judged by every check: what is poor is shown, and accuses nobody."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf, nan

import pytest

from alertd.alerts.observations import policy_of
from alertd.db import Db
from alertd.performance.checks import CHECKS
from alertd.performance.evaluation import Outside, evaluate
from alertd.performance.evaluation_store import latest_evaluations
from alertd.performance.findings import RAISED, Rule, Status
from alertd.performance.receiving import receive_equity, receive_flows, receive_returns
from alertd.performance.registering import Sending
from alertd.performance.returns import DailyReturn, Flow, Quality, Snapshot
from alertd.performance.rows import EquityRow, FlowRow, ReturnRow, SubjectName
from alertd.performance.watched import Watched
from tests import factories
from tests.performance import making, stored
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY

DAY = timedelta(days=1)
HEALTHY = making.daily(making.noise(120, seed=3, sd=0.005))


@dataclass(frozen=True)
class Sent:
    """What a platform sent, in this order, a state that must be seen afterwards, and what may be an alert."""

    rule: Rule
    status: Status
    raised: frozenset[Rule] = frozenset()
    equity: tuple[Snapshot, ...] = ()
    flows: tuple[Flow, ...] = ()
    days: tuple[DailyReturn, ...] = ()
    partial: tuple[Snapshot, ...] = ()


def account(*changes: tuple[float, float], until: float = 12) -> tuple[Snapshot, ...]:
    """Read every six hours for ten days; from each of these hours on its equity is multiplied by so much."""
    readings = []
    for hours in range(-240, int(until) + 1, 6):
        equity = 1000 * (1 + 0.001 * (hours % 5))
        for since, factor in changes:
            equity *= factor if hours >= since else 1
        readings.append(making.snapshot(hours, equity))
    return tuple(readings)


def without(days: Iterable[DailyReturn], *ago: int) -> tuple[DailyReturn, ...]:
    return tuple(day for day in days if (YESTERDAY - day.day).days not in ago)


POOR = {
    "nothing yet": Sent(Rule.DRIFT, Status.NO_DATA),
    "a single day": Sent(Rule.DRIFT, Status.NO_DATA, days=HEALTHY[-1:]),
    "a single reading": Sent(Rule.DRAWDOWN, Status.NO_DATA, equity=account()[-1:]),
    "gaps of one, two and three days": Sent(Rule.DRIFT, Status.OK, days=without(HEALTHY, 2, 10, 11, 30, 31, 32)),
    "a gap of a week": Sent(Rule.DRIFT, Status.OK, days=without(HEALTHY, *range(20, 27))),
    "yesterday has not come": Sent(Rule.DRIFT, Status.OK, days=without(HEALTHY, 0)),
    "days in any order, some twice": Sent(Rule.DRIFT, Status.OK, days=(*HEALTHY[60:], *HEALTHY[:70])),
    "a deposit of ten times the account": Sent(
        Rule.DRAWDOWN, Status.OK, equity=account((0, 11.0)), flows=(making.flow(-1, 10_000),)
    ),
    "a withdrawal of nearly everything": Sent(
        Rule.DRAWDOWN, Status.OK, equity=account((0, 0.05)), flows=(making.flow(-1, -950),)
    ),
    "an answer of nothing": Sent(Rule.EQUITY_READING, Status.NO_DATA, equity=account((12, 0.0))),
    "an answer of nothing for a day": Sent(
        Rule.EQUITY_READING, Status.NO_DATA, frozenset({Rule.FRESH_EQUITY}), equity=account((-6, 0.0))
    ),
    "nothing once": Sent(Rule.EQUITY_READING, Status.OK, equity=account((0, 0.0))[:-2] + account()[-1:]),
    "below nothing": Sent(Rule.EQUITY_READING, Status.NO_DATA, equity=account((12, -1.0))),
    "a read that failed": Sent(
        Rule.EQUITY_READING, Status.NO_DATA, equity=account(until=6), partial=(making.snapshot(12, 3.0),)
    ),
}


async def send(db: Db, watched: Watched, sent: Sent) -> None:
    name, sending = SubjectName(watched.tenant_id, watched.name), Sending("test", NOW, THRESHOLDS)
    async with db.transaction() as tx:
        if sent.equity:
            await receive_equity(tx, [EquityRow(name, s.at, s.equity, "USDT") for s in sent.equity], sending)
            await receive_flows(tx, [FlowRow(name, f.at, f.amount, f.at.isoformat()) for f in sent.flows], sending)
        for part in (sent.days[:60], sent.days[60:]):
            await receive_returns(tx, [ReturnRow(name, day.day, day.value) for day in part], sending)
    await stored.snapshots(db, watched, [Snapshot(s.at, s.equity, Quality.PARTIAL) for s in sent.partial])


async def judged(db: Db, watched: Watched) -> dict[Rule, Status]:
    """By every check."""
    outside = Outside(db=db, thresholds=THRESHOLDS, policy=policy_of(DAY), now=lambda: NOW)
    for check in CHECKS.values():
        await evaluate(outside, check, NOW)
    every = await latest_evaluations(db, [watched.id])
    return {finding.rule: finding.status for evaluation in every for finding in evaluation.findings}


@pytest.fixture
async def watched(db: Db) -> Watched:
    """With a year of reference, and a tenant who listens."""
    tenant = await factories.tenant(db)
    await factories.webhook(db, tenant)
    made = await stored.subject(db, tenant, returns_from=None)
    await stored.reference(db, made, making.reference(sd=0.005))
    return made


@pytest.mark.parametrize("sent", POOR.values(), ids=POOR)
async def test_poor_data_is_seen_and_accuses_nobody(db: Db, watched: Watched, sent: Sent) -> None:
    await send(db, watched, sent)

    found = await judged(db, watched)

    assert found[sent.rule] is sent.status
    assert {rule for rule, status in found.items() if status in RAISED} == sent.raised
    assert await db.fetchval("SELECT count(*) FROM events") == len(sent.raised)


@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, -7.0])
async def test_a_stored_value_that_is_no_return_accuses_nobody(db: Db, watched: Watched, value: float) -> None:
    await stored.days(db, watched, [*HEALTHY[:-1], replace(HEALTHY[-1], value=value)])

    found = await judged(db, watched)

    assert found[Rule.DRIFT] is Status.OK
    assert await db.fetchval("SELECT count(*) FROM events") == 0


async def test_a_fall_that_a_second_reading_confirms_is_an_alert(db: Db, watched: Watched) -> None:
    await send(db, watched, Sent(Rule.DRAWDOWN, Status.EMERGENCY, equity=account((0, 0.6))))

    found = await judged(db, watched)

    assert (found[Rule.DRAWDOWN], found[Rule.EQUITY_READING]) == (Status.EMERGENCY, Status.CRITICAL)
