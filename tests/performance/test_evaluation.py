"""A run of a check, through the database: what was stored is judged, remembered and told, once."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import inf, nan
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from structlog.testing import capture_logs

from alertd import metrics
from alertd.alerts.observations import policy_of
from alertd.config import PerformanceSettings
from alertd.db import Db
from alertd.performance.checks import CHECKS, Check, Judgement
from alertd.performance.evaluation import NotJudged, Outside, evaluate, rehearse
from alertd.performance.evaluation_store import latest_evaluations
from alertd.performance.findings import Finding, Rule, Status
from alertd.performance.judging import hear
from alertd.performance.receiving import receive_returns
from alertd.performance.reference import ReferenceKind
from alertd.performance.registering import Sending
from alertd.performance.remembering import remember
from alertd.performance.returns import DailyReturn, Snapshot
from alertd.performance.rows import ReturnRow, SubjectName
from alertd.performance.selection import select
from alertd.performance.store import days_of, memories_of, references_of
from alertd.performance.subject import Subject
from alertd.performance.vigil import Vigil
from alertd.performance.watched import ReturnsFrom, Watched
from tests import factories
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAILY = CHECKS["daily_pnl_check"]
NOON = CHECKS["performance_threshold_check"]
EVENING = CHECKS["evening_performance_check"]
HEALTHY = making.daily(making.noise(60, seed=2))
DECAYED = making.daily(making.noise(60, seed=2) - 0.01)


BROKEN = 0.0123


def outside(db: Db, now: datetime = NOW) -> Outside:
    return Outside(db=db, thresholds=PerformanceSettings(), policy=policy_of(HOUR), now=lambda: now)


async def run(db: Db, check: Check = DAILY, at: datetime = NOW) -> Mapping[str, Any]:
    return await evaluate(outside(db, at), check, at)


async def messages(db: Db) -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT body FROM events WHERE tenant_id IS NOT NULL ORDER BY created_at, id")
    return [json.loads(row["body"]) for row in rows]


async def said(db: Db) -> list[tuple[str, str, str]]:
    return [(body["event"], body["rule"], body["severity"]) for body in await messages(db)]


async def statuses(db: Db, watched: Watched) -> Mapping[Rule, Status]:
    """How the subject stands."""
    every = await latest_evaluations(db, [watched.id])
    return {finding.rule: finding.status for evaluation in every for finding in evaluation.findings}


async def strategy(
    db: Db, days: Sequence[DailyReturn] = (), *, tenant: UUID | None = None, name: str = "alpha"
) -> Watched:
    """With a year of reference."""
    watched = await stored.subject(db, tenant, name=name)
    await stored.reference(db, watched, making.reference())
    await stored.days(db, watched, days)
    return watched


# --- What is told ------------------------------------------------------------------------------


async def test_decay_is_told_to_its_tenant(db: Db) -> None:
    tenant = await factories.tenant(db)
    await factories.webhook(db, tenant)
    await strategy(db, DECAYED, tenant=tenant, name="carry")

    result = await run(db)

    [body] = await messages(db)
    assert result["alerts"] == {"fire": 1}
    assert (body["event"], body["tenant_id"], body["check"]) == ("performance.alert", str(tenant), "daily_pnl_check")
    assert (body["subject"], body["rule"], body["severity"]) == ("carry", "drift", "critical")
    assert body["current_value"] < 0 < body["expected_value"]
    assert body["details"]["statistic"] > body["details"]["threshold"] == 17.5
    assert await db.fetchval("SELECT count(*) FROM webhook_deliveries") == 1


async def test_health_is_told_to_nobody(db: Db) -> None:
    watched = await strategy(db, HEALTHY)

    result = await run(db)

    assert (result["outcome"], result["subjects"], result["raised"]) == ("judged", 1, 0)
    assert await said(db) == []
    assert (await statuses(db, watched))[Rule.DRIFT] is Status.OK


async def test_what_decayed_and_came_back_is_resolved(db: Db) -> None:
    watched = await strategy(db, DECAYED)
    await run(db)
    await stored.days(db, watched, making.daily([0.03] * 20, last=YESTERDAY + 20 * DAY))

    await run(db, at=NOW + 20 * DAY)

    assert await said(db) == [("performance.alert", "drift", "critical"), ("performance.resolved", "drift", "critical")]


async def test_the_evening_closes_what_noon_opened(db: Db) -> None:
    watched = await stored.subject(db, equity_every=timedelta(hours=6))
    await stored.snapshots(db, watched, [making.snapshot(0, 100), making.snapshot(6, 90), making.snapshot(12, 90)])
    await run(db, NOON)
    await stored.snapshots(db, watched, [making.snapshot(18, 99), making.snapshot(21, 99)])

    await run(db, EVENING, NOW + 10 * HOUR)

    # The drawdown of the same fall is a warning, and not worth a message beside it.
    assert await said(db) == [
        ("performance.alert", "daily_loss", "emergency"),
        ("performance.resolved", "daily_loss", "emergency"),
    ]


async def test_a_paused_tenant_is_left_alone(db: Db) -> None:
    await strategy(db, DECAYED, tenant=await factories.tenant(db, paused=True))

    assert (await run(db))["subjects"] == 0


# --- Too little data -----------------------------------------------------------------------------


async def test_without_subjects_there_is_no_data(db: Db) -> None:
    assert (await run(db))["outcome"] == "no_data"


async def test_too_little_says_of_whom_and_how_much_there_is(db: Db) -> None:
    watched = await strategy(db, HEALTHY[:0], name="new")
    await stored.days(db, watched, HEALTHY[-4:])

    result = await run(db, CHECKS["weekly_stability_check"])

    assert (result["outcome"], result["no_data"]) == ("no_data", 1)
    assert result["waiting"] == [
        {
            "tenant_id": str(watched.tenant_id),
            "subject": "new",
            "rule": "stability",
            "message": "Not judged yet: 4 of 90 live days.",
            "have": 4,
            "need": 90,
        }
    ]


async def test_one_that_can_be_judged_makes_the_run_a_success(db: Db) -> None:
    await strategy(db, HEALTHY, name="old")
    await strategy(db, name="new")

    result = await run(db)

    assert (result["outcome"], result["subjects"], result["no_data"]) == ("judged", 2, 1)


async def test_subjects_are_counted_by_how_they_stand(db: Db) -> None:
    await strategy(db, DECAYED, name="old")
    await strategy(db, name="new")

    await run(db)

    counted = {
        status: metrics.REGISTRY.get_sample_value(
            "alertd_performance_subjects", {"check": "daily_pnl_check", "status": status}
        )
        for status in ("ok", "no_data", "critical")
    }
    assert counted == {"ok": 0, "no_data": 1, "critical": 1}


async def test_without_a_reference_the_first_sixty_days_become_one(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.days(db, watched, making.daily(making.noise(70)))

    await run(db)

    reference = (await references_of(db, [watched.id]))[watched.id]
    memory = (await memories_of(db, [watched.id]))[watched.id]
    assert (reference.kind, reference.days, reference.version) == (ReferenceKind.SELF, 60, 1)
    assert reference.active_from == YESTERDAY - 9 * DAY
    assert (memory.reference_version, memory.track and memory.track.observed) == (1, 10)


async def test_fifty_nine_days_are_no_reference(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.days(db, watched, making.daily(making.noise(59)))

    await run(db)

    assert await references_of(db, [watched.id]) == {}
    assert (await statuses(db, watched))[Rule.DRIFT] is Status.NO_DATA


# --- Once ------------------------------------------------------------------------------------------


async def test_a_run_that_is_repeated_says_nothing_twice(db: Db) -> None:
    await strategy(db, DECAYED)
    await run(db)

    again = await evaluate(outside(db, NOW + 2 * HOUR), DAILY, NOW)

    assert (again["alerts"], again["raised"]) == ({}, 1)
    assert len(await messages(db)) == 1


async def test_two_processes_at_once_say_it_once(db: Db) -> None:
    await strategy(db, DECAYED)

    await asyncio.gather(run(db), run(db))

    assert len(await messages(db)) == 1


async def test_a_run_made_up_for_too_late_has_no_news(db: Db) -> None:
    watched = await stored.subject(db, equity_every=timedelta(hours=6))
    await stored.snapshots(db, watched, [making.snapshot(0, 100), making.snapshot(6, 80), making.snapshot(12, 80)])
    await stored.snapshots(db, watched, [making.snapshot(18, 100), making.snapshot(21, 100)])
    await run(db, EVENING, NOW + 10 * HOUR)

    await evaluate(outside(db, NOW + 11 * HOUR), NOON, NOW)

    assert await said(db) == []


async def test_a_run_that_broke_off_is_repeated_as_if_it_had_not(db: Db) -> None:
    watched = await strategy(db, DECAYED)
    await db.execute("ALTER TABLE performance_evaluations RENAME TO elsewhere")
    with pytest.raises(Exception, match="performance_evaluations"):
        await run(db)
    await db.execute("ALTER TABLE elsewhere RENAME TO performance_evaluations")
    broken_off = (await memories_of(db, [watched.id]))[watched.id]

    await run(db)

    assert (await memories_of(db, [watched.id]))[watched.id] == broken_off
    assert await said(db) == [("performance.alert", "drift", "critical")]


async def test_day_by_day_comes_to_the_same_as_all_at_once(db: Db) -> None:
    watched = await strategy(db)
    for day in DECAYED[-10:]:
        await stored.days(db, watched, [day])
        await run(db, at=NOW - DAY * (YESTERDAY - day.day).days)
    other = await strategy(db, DECAYED[-10:], name="other")

    await run(db, at=NOW + HOUR)

    memories = await memories_of(db, [watched.id, other.id])
    assert memories[watched.id].track == memories[other.id].track


async def test_a_limit_forgets_nothing_when_a_reference_comes(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.days(db, watched, making.daily([0.0, -0.3, 0.0, 0.0]))
    await run(db, NOON)
    await stored.reference(db, watched, making.reference(), active_from=YESTERDAY)

    await run(db, NOON, NOW + HOUR)

    assert (await statuses(db, watched))[Rule.DRAWDOWN] is Status.EMERGENCY


async def test_a_limit_forgets_what_was_before_it_counts(db: Db) -> None:
    watched = await stored.subject(db, counts_from=making.MIDNIGHT - DAY)
    await stored.days(db, watched, making.daily([0.0, -0.3, 0.0, 0.0]))

    await run(db, NOON)

    assert (await statuses(db, watched))[Rule.DRAWDOWN] is Status.OK


# --- Revisions -------------------------------------------------------------------------------------


async def test_a_crash_that_was_a_mistake_is_taken_back_when_the_day_is_corrected(db: Db) -> None:
    watched = await strategy(db, [*HEALTHY[:-1], replace(HEALTHY[-1], value=-0.5)])
    await run(db)
    name = SubjectName(watched.tenant_id, watched.name)
    async with db.transaction() as tx:
        row = ReturnRow(name, HEALTHY[-1].day, HEALTHY[-1].value)
        await receive_returns(tx, [row], Sending("ann", NOW + HOUR, PerformanceSettings()))

    await run(db, at=NOW + 2 * HOUR)

    assert await said(db) == [
        ("performance.alert", "day_tail", "critical"),
        ("performance.resolved", "day_tail", "critical"),
    ]


async def live_through(db: Db, watched: Watched, chance: random.Random) -> dict[date, float]:
    """Days come in any order, are corrected, and are judged in between; answers how they stand in the end."""
    name, said = SubjectName(watched.tenant_id, watched.name), {}
    for step, day in enumerate(chance.sample([day.day for day in HEALTHY[-20:]] * 2, 40)):
        said[day] = chance.gauss(-0.005, 0.02)
        async with db.transaction() as tx:
            sending = Sending("ann", NOW, PerformanceSettings())
            await receive_returns(tx, [ReturnRow(name, day, said[day])], sending)
        if chance.random() < 0.3:
            await run(db, at=NOW + timedelta(seconds=step))
    return said


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_order_of_days_corrections_and_runs_the_memory_is_the_same(db: Db, seed: int) -> None:
    watched = await strategy(db)
    days = await live_through(db, watched, random.Random(seed))
    other = await strategy(db, [DailyReturn(day, value) for day, value in days.items()], name="other")

    await run(db, at=NOW + HOUR)

    memories = await memories_of(db, [watched.id, other.id])
    assert memories[watched.id].track == memories[other.id].track


async def test_a_reference_that_came_while_days_were_judged_by_their_own_counts(db: Db) -> None:
    watched = await stored.subject(db)
    await stored.days(db, watched, making.daily(making.noise(70)))
    [batch] = [selected async for selected in select(db, DAILY.name, NOW)]
    heard = hear(DAILY, batch, PerformanceSettings(), NOW)
    await stored.reference(db, watched, making.reference())

    await remember(db, heard.judged, Sending("alertd", NOW, PerformanceSettings()))

    assert (await references_of(db, [watched.id]))[watched.id].kind is ReferenceKind.BACKTEST
    assert await memories_of(db, [watched.id]) == {}


async def test_days_that_ended_since_the_last_reading_are_derived_before_they_are_judged(db: Db) -> None:
    watched = await stored.subject(db, returns_from=ReturnsFrom.EQUITY, equity_every=timedelta(hours=6))
    await stored.snapshots(db, watched, [making.snapshot(hours, 100 + hours / 24) for hours in range(-72, 0, 6)])

    await run(db)

    [closed, last] = (await days_of(db, {watched.id: YESTERDAY - DAY}, until=YESTERDAY))[watched.id]
    assert (closed.day, last.day) == (YESTERDAY - DAY, YESTERDAY)


# --- What breaks -----------------------------------------------------------------------------------


def judge_with_a_bug(subject: Subject, thresholds: PerformanceSettings, now: datetime) -> Judgement:
    """It only shows in one subject."""
    if subject.days[-1].value == BROKEN:
        raise ZeroDivisionError
    return DAILY.judge(subject, thresholds, now)


BUGGY = replace(DAILY, judge=judge_with_a_bug)


async def test_a_subject_that_meets_a_bug_of_ours_costs_only_itself(db: Db) -> None:
    await strategy(db, DECAYED, name="told")
    broken = await strategy(db, [*HEALTHY[:-1], replace(HEALTHY[-1], value=BROKEN)], name="broken")

    with capture_logs() as logs, pytest.raises(NotJudged, match=r"1 of 2 subjects .*: broken"):
        await run(db, BUGGY)

    assert [body["subject"] for body in await messages(db)] == ["told"]
    assert [(entry["subject"], entry["log_level"]) for entry in logs] == [("broken", "error")]
    assert await statuses(db, broken) == {}


async def test_the_next_attempt_judges_what_was_left(db: Db) -> None:
    await strategy(db, DECAYED, name="told")
    broken = await strategy(db, [*HEALTHY[:-1], replace(HEALTHY[-1], value=BROKEN)], name="broken")
    with pytest.raises(NotJudged):
        await run(db, BUGGY)

    await run(db)

    assert (await statuses(db, broken))[Rule.DRIFT] is Status.OK
    assert len(await messages(db)) == 1


async def test_numbers_are_stored_and_told_as_people_have_them(db: Db) -> None:
    details = {"y": nan, "z": 19.999999999999996}
    finding = Finding(rule=Rule.DRIFT, status=Status.WARNING, message="x", value=inf, details=details)
    watched = await strategy(db, HEALTHY)

    await run(db, replace(DAILY, judge=lambda *_: Judgement((finding,))))

    [evaluation] = await latest_evaluations(db, [watched.id])
    [body] = await messages(db)
    assert (evaluation.findings[0].value, evaluation.findings[0].details) == (None, {"y": None, "z": 20.0})
    assert (body["current_value"], body["details"]) == (None, {"y": None, "z": 20.0})


async def test_when_most_data_stops_operators_hear_of_it_and_no_tenant(db: Db) -> None:
    for number in range(20):
        await strategy(db, making.daily([0.01] * 9, last=YESTERDAY - 4 * DAY), name=f"s{number}")

    await run(db)

    alerts = await db.fetch("SELECT check_name, rule, state FROM alerts WHERE tenant_id IS NULL")
    assert [tuple(row) for row in alerts] == [("platform", "performance_data", "firing")]
    assert await said(db) == []


async def test_when_data_comes_again_operators_hear_of_that(db: Db) -> None:
    every = [await strategy(db, making.daily([0.01] * 9, last=YESTERDAY - 4 * DAY), name=f"s{n}") for n in range(20)]
    await run(db)
    await stored.days(db, every[0], making.daily([0.01]))
    await run(db, at=NOW + HOUR)
    states = [row["state"] for row in await db.fetch("SELECT state FROM alerts WHERE tenant_id IS NULL")]

    assert states == ["resolved"]


# --- New equity between the scheduled times --------------------------------------------------------


async def account(db: Db, *readings: Snapshot) -> Watched:
    watched = await stored.subject(db, equity_every=timedelta(hours=6))
    await stored.snapshots(db, watched, readings)
    return watched


async def test_new_equity_is_looked_at_at_once(db: Db) -> None:
    await account(db, making.snapshot(0, 100), making.snapshot(6, 70), making.snapshot(11, 70))

    await Vigil(lambda: outside(db)).look()

    assert ("performance.alert", "drawdown", "emergency") in await said(db)


async def test_equity_is_looked_at_once(db: Db) -> None:
    await account(db, making.snapshot(0, 100), making.snapshot(6, 99))

    await Vigil(lambda: outside(db)).look()
    await Vigil(lambda: outside(db, NOW + HOUR)).look()

    assert await db.fetchval("SELECT count(*) FROM performance_evaluations") == 1


async def test_what_is_unchanged_is_left_to_the_scheduled_checks(db: Db) -> None:
    watched = await account(db, making.snapshot(0, 100), making.snapshot(6, 70), making.snapshot(11, 70))
    vigil = Vigil(lambda: outside(db, NOW + 3 * HOUR))
    await run(db, NOON)
    await stored.snapshots(db, watched, [making.snapshot(14, 70)])
    before = await said(db)

    await vigil.look()

    assert (await said(db), await db.fetchval("SELECT count(*) FROM performance_evaluations")) == (before, 2)


async def test_others_are_not_looked_at(db: Db) -> None:
    await account(db, making.snapshot(0, 100), making.snapshot(6, 99))
    other = await strategy(db, HEALTHY)

    await Vigil(lambda: outside(db)).look()

    assert await statuses(db, other) == {}


# --- A rehearsal -----------------------------------------------------------------------------------


async def test_a_rehearsal_shows_what_would_be_sent(db: Db) -> None:
    tenant = await factories.tenant(db)
    await factories.webhook(db, tenant)
    await strategy(db, DECAYED, tenant=tenant)

    shown = await rehearse(outside(db), DAILY, NOW)

    [body] = shown["would_send"]
    assert (body["event"], body["rule"], body["endpoints"]) == ("performance.alert", "drift", 1)
    assert (shown["outcome"], shown["raised"], shown["told"]) == ("judged", 1, 1)


async def everything(db: Db) -> Mapping[str, Sequence[str]]:
    """All rows of all tables."""
    tables = [row[0] for row in await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {name: [row[0] for row in await db.fetch(f"SELECT t::text FROM {name} t ORDER BY 1")] for name in tables}


async def with_unread_equity(db: Db, log_returns: np.ndarray) -> Watched:
    """One whose readings were stored, while nobody has derived a day from them."""
    watched = await stored.subject(db, returns_from=ReturnsFrom.EQUITY, equity_every=DAY)
    await stored.reference(db, watched, making.reference())
    equity = 1000 * np.exp(np.cumsum([0, *log_returns]))
    ago = [len(equity) - 1 - number for number in range(len(equity))]
    await stored.snapshots(db, watched, [making.snapshot(-24 * d, e) for d, e in zip(ago, equity, strict=True)])
    return watched


def brief(body: Mapping[str, Any]) -> tuple[Any, ...]:
    return body["tenant_id"], body["event"], body["subject"], body["rule"], body["message"], body["current_value"]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
async def test_a_rehearsal_stores_nothing_and_shows_what_the_run_then_does(db: Db, check: Check) -> None:
    await strategy(db, DECAYED)
    await strategy(db, HEALTHY, name="fit")
    await with_unread_equity(db, making.noise(60, seed=2) - 0.01)
    await stored.days(db, await stored.subject(db, name="own"), making.daily(making.noise(70)))
    before = await everything(db)

    shown = dict(await rehearse(outside(db), check, NOW))

    assert await everything(db) == before
    would_send = shown.pop("would_send")
    assert shown == await run(db, check)
    assert sorted(map(brief, would_send)) == sorted(map(brief, await messages(db)))


async def test_a_rehearsal_derives_the_days_that_are_over(db: Db) -> None:
    await with_unread_equity(db, making.noise(60, seed=2) - 0.01)

    shown = await rehearse(outside(db), DAILY, NOW)

    assert [body["rule"] for body in shown["would_send"]] == ["drift"]
    assert await db.fetchval("SELECT count(*) FROM performance_returns") == 0


async def test_a_rehearsal_accuses_nobody_of_an_outage_of_ours(db: Db) -> None:
    _ = [await strategy(db, HEALTHY[:-10], name=f"silent {number}") for number in range(20)]

    shown = await rehearse(outside(db), DAILY, NOW)

    assert (shown["raised"], shown["would_send"]) == (20, [])
    assert await db.fetchval("SELECT count(*) FROM alerts") == 0
