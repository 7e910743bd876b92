"""The published addresses of the scheduled checks: how they stand, what fired, running and switching them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.alerts import occurrence_store
from alertd.alerts.occurrence_store import Source
from alertd.config import CHECK_NAMES
from alertd.credentials.sweep_store import Origin, begin
from alertd.db import new_id
from alertd.demo.exchanges.shape import State
from tests import factories
from tests.admin.port import KEYS, MASTER, OPERATOR, VIEWER, Port, open_port
from tests.admin.routes.market import Market

SCHEDULE = "/api/performance-alerts/schedule"
HOUR = timedelta(hours=1)


async def status(port: Port) -> dict[str, Any]:
    answer = await port.ask("GET", f"{SCHEDULE}/status", key=VIEWER)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


async def entry(port: Port, name: str = "daily_pnl_check") -> dict[str, Any]:
    [found] = [each for each in (await status(port))["scheduled_alerts"] if each["name"] == name]
    return found


async def post(port: Port, what: str, **options: Any) -> Any:
    return await port.ask("POST", f"{SCHEDULE}/{what}", **{"key": OPERATOR, **options})


async def deed(port: Port, action: str) -> Any:
    [row] = await port.daemon.db.fetch("SELECT * FROM audit_log WHERE action = $1", action)
    return row


# --- Status ----------------------------------------------------------------------------------


async def test_status_is_as_published(port: Port) -> None:
    answer = await port.ask("GET", f"{SCHEDULE}/status", key=MASTER)

    assert answer.json | {"data": None} == {
        "success": True,
        "data": None,
        "timestamp": "2026-01-05T12:00:00Z",
        "authenticated_user": "master",
    }
    assert answer.json["data"]["configuration"] == {
        "daily_pnl_time": "17:00",
        "weekly_stability_time": "08:00",
        "weekly_stability_day": "monday",
        "monthly_forward_time": "09:00",
        "monthly_forward_day": 1,
        "threshold_check_1_time": "12:00",
        "threshold_check_2_time": "22:00",
        "retry_config": {"max_attempts": 3, "delay_seconds": 60, "backoff_multiplier": 2.0},
        "suppression_config": {"suppress_similar_minutes": 60, "escalation_delay_minutes": 15},
    }


async def test_there_are_six_scheduled_checks(port: Port) -> None:
    entries = (await status(port))["scheduled_alerts"]

    assert [each["name"] for each in entries] == list(CHECK_NAMES)
    assert [(each["frequency"], each["time_of_day"], each["next_run"]) for each in entries] == [
        ("daily", "17:00 UTC", "2026-01-05T17:00:00Z"),
        ("weekly", "08:00 UTC", "2026-01-12T08:00:00Z"),
        ("monthly", "09:00 UTC", "2026-02-01T09:00:00Z"),
        ("daily", "12:00 UTC", "2026-01-06T12:00:00Z"),
        ("daily", "22:00 UTC", "2026-01-05T22:00:00Z"),
        ("interval", None, "2026-01-05T18:00:00Z"),
    ]


async def test_check_that_never_ran_is_shown_whole(port: Port) -> None:
    assert await entry(port) == {
        "name": "daily_pnl_check",
        "frequency": "daily",
        "enabled": True,
        "time_of_day": "17:00 UTC",
        "last_run": None,
        "next_run": "2026-01-05T17:00:00Z",
        "retry_config": {"max_attempts": 3, "initial_delay": 60.0, "backoff_multiplier": 2.0},
        "recent_executions": [],
    }


async def test_settings_are_shown_as_they_are(dsn: str, tmp_path: Path, now: datetime) -> None:
    environ = {
        **KEYS,
        "ALERT_DAILY_PNL_TIME": "21:30",
        "ALERT_WEEKLY_STABILITY_DAY": "tue",
        "ALERT_MAX_RETRY_ATTEMPTS": "5",
        "ALERT_SUPPRESS_SIMILAR_MINUTES": "90",
        "ALERTD_CHECKS__DAILY_PNL_CHECK__RETRY__INITIAL_DELAY": "7",
    }
    async with open_port(dsn, tmp_path, now, environ=environ) as port:
        configuration = (await status(port))["configuration"]
        daily = await entry(port)

    assert (configuration["daily_pnl_time"], configuration["weekly_stability_day"]) == ("21:30", "tuesday")
    assert configuration["retry_config"]["max_attempts"] == 5
    assert configuration["suppression_config"]["suppress_similar_minutes"] == 90
    assert daily["retry_config"] == {"max_attempts": 5, "initial_delay": 7, "backoff_multiplier": 2.0}


async def test_scheduler_runs_while_somebody_watches_the_clock(port: Port) -> None:
    before = (await status(port))["scheduler_running"]
    with port.daemon.executions.scheduling():
        inside = (await status(port))["scheduler_running"]

    assert (before, inside, (await status(port))["scheduler_running"]) == (False, True, False)


async def test_recent_runs_are_the_newest_five(port: Port) -> None:
    for _ in range(6):
        port.clock.turn(HOUR)
        await post(port, "trigger/daily_pnl_check")

    shown = await entry(port)
    assert [run["started_at"] for run in shown["recent_executions"]] == [
        f"2026-01-05T{hour}:00:00Z" for hour in (18, 17, 16, 15, 14)
    ]
    assert shown["last_run"] == "2026-01-05T18:00:00Z"


async def test_run_under_way_is_neither_a_success_nor_a_failure(port: Port, now: datetime) -> None:
    await occurrence_store.claim(
        port.daemon.db, "daily_pnl_check", now, source=Source.SCHEDULE, owner=new_id(), now=now
    )

    assert (await entry(port))["recent_executions"] == [
        {
            "execution_id": "daily_pnl_check_20260105_120000",
            "started_at": "2026-01-05T12:00:00Z",
            "completed_at": None,
            "success": None,
            "attempt_count": 1,
            "error_message": None,
        }
    ]


async def test_what_nobody_ran_is_no_run(port: Port, now: datetime) -> None:
    await occurrence_store.missed(port.daemon.db, "daily_pnl_check", now, count=3, error="3 were missed", now=now)

    shown = await entry(port)
    assert (shown["last_run"], shown["recent_executions"]) == (None, [])


# --- Trigger ---------------------------------------------------------------------------------


async def test_check_without_data_is_run_and_is_no_success(port: Port) -> None:
    answer = await post(port, "trigger/daily_pnl_check")

    assert (answer.status, answer.json["success"], answer.json["authenticated_user"]) == (200, False, "operator")
    assert answer.json["data"] == {
        "name": "daily_pnl_check",
        "dry": False,
        "execution_id": "daily_pnl_check_20260105_120000",
        "requested_by": "operator",
        "started_at": "2026-01-05T12:00:00Z",
        "completed_at": "2026-01-05T12:00:00Z",
        "success": False,
        "attempt_count": 1,
        "error_message": "no data: too little to judge by yet",
        "result": {
            "outcome": "no_data",
            "subjects": 0,
            "raised": 0,
            "no_data": 0,
            "waiting": [],
            "alerts": {},
            "told": 0,
        },
    }


async def test_run_is_written_down_with_who_asked(port: Port) -> None:
    answer = await post(port, "trigger/daily_pnl_check")

    row = await deed(port, "schedule.trigger")
    assert (row["actor"], row["object"]) == ("operator", "schedule:daily_pnl_check")
    assert row["after"] == {"execution_id": answer.json["data"]["execution_id"]}


async def test_run_is_a_file_too(port: Port) -> None:
    answer = await post(port, "trigger/daily_pnl_check")

    folder = port.daemon.settings.alerts.history_dir
    assert folder == port.daemon.settings.state_dir / "performance_alerts" / "scheduled"
    assert [file.name for file in folder.iterdir()] == [f"{answer.json['data']['execution_id']}.json"]


async def test_credentials_are_swept_at_once(market: Market) -> None:
    good, bad = await market.key(), await market.key(state=State.REVOKED)

    answer = await post(market.port, "trigger/credential_health_check")

    result = answer.json["data"]["result"]
    assert (answer.status, answer.json["success"]) == (200, True)
    assert (result["total"], result["valid"], result["invalid"]) == (2, 1, 1)
    assert [(await market.row(ref))["verdict"] for ref in (good, bad)] == ["valid", "invalid"]


async def test_store_that_is_lost_is_no_success(market: Market) -> None:
    await market.key()
    folder = market.port.daemon.settings.state_dir
    folder.rename(folder.with_name("gone"))
    folder.touch()

    answer = await post(market.port, "trigger/credential_health_check")

    assert (answer.status, answer.json["success"], answer.json["data"]["result"]) == (200, False, None)
    assert "the sweep failed" in answer.json["data"]["error_message"]


async def test_sweep_in_progress_is_not_begun_again(port: Port) -> None:
    await begin(port.daemon.db, origin=Origin.COMMAND, requested_by="test", now=port.clock())

    answer = await post(port, "trigger/credential_health_check")

    assert answer.status == 409
    assert "a sweep is in progress" in answer.json["detail"]


async def test_check_that_runs_is_not_begun_again(port: Port, now: datetime) -> None:
    await occurrence_store.claim(
        port.daemon.db, "daily_pnl_check", now, source=Source.SCHEDULE, owner=new_id(), now=now
    )

    answer = await post(port, "trigger/daily_pnl_check")

    assert (answer.status, answer.json["detail"]) == (409, "daily_pnl_check is running; wait for it to end")


@pytest.mark.parametrize(
    "what", ["trigger/nonsense", "trigger/nonsense?dry=true", "enable/nonsense", "disable/nonsense"]
)
async def test_unknown_check_is_not_there(port: Port, what: str) -> None:
    assert (await post(port, what)).status == 404


async def test_check_that_is_switched_off_may_be_run(port: Port) -> None:
    await post(port, "disable/daily_pnl_check")

    assert (await post(port, "trigger/daily_pnl_check")).status == 200
    assert (await entry(port))["enabled"] is False


@pytest.mark.parametrize("name", CHECK_NAMES)
async def test_dry_run_stores_nothing(port: Port, name: str) -> None:
    answer = await post(port, f"trigger/{name}?dry=true")

    assert (answer.status, answer.json["data"]["dry"], answer.json["data"]["execution_id"]) == (200, True, None)
    db = port.daemon.db
    counts = [await db.fetchval(f"SELECT count(*) FROM {table}") for table in ("occurrences", "audit_log", "sweeps")]
    assert counts == [0, 0, 0]
    assert not port.daemon.settings.alerts.history_dir.exists()


async def test_dry_sweep_says_what_it_would_check(market: Market) -> None:
    await market.key()

    answer = await post(market.port, "trigger/credential_health_check?dry=true")

    assert (answer.json["success"], answer.json["data"]["result"]) == (True, {"would_check": 1, "skipped": 0})
    assert await market.port.daemon.db.fetchval("SELECT count(*) FROM credential_health_checks") == 0


async def test_dry_must_be_yes_or_no(port: Port) -> None:
    assert (await post(port, "trigger/daily_pnl_check?dry=maybe")).status == 422


# --- Switch ----------------------------------------------------------------------------------


async def test_check_is_switched_off_and_on(port: Port) -> None:
    off = await post(port, "disable/daily_pnl_check")
    while_off = await entry(port)
    on = await post(port, "enable/daily_pnl_check")

    assert (off.status, off.json["success"], off.json["data"]) == (
        200,
        True,
        {"name": "daily_pnl_check", "enabled": False},
    )
    assert (while_off["enabled"], while_off["next_run"]) == (False, None)
    assert on.json["data"] == {"name": "daily_pnl_check", "enabled": True}
    assert (await entry(port))["next_run"] == "2026-01-05T17:00:00Z"


async def test_switch_is_written_down(port: Port) -> None:
    await post(port, "disable/daily_pnl_check")
    await post(port, "enable/daily_pnl_check")

    off, on = await deed(port, "schedule.disable"), await deed(port, "schedule.enable")
    assert (off["actor"], off["object"], off["before"], off["after"]) == (
        "operator",
        "schedule:daily_pnl_check",
        {"enabled": True},
        {"enabled": False},
    )
    assert (on["before"], on["after"]) == ({"enabled": False}, {"enabled": True})


async def test_check_that_was_switched_off_does_not_run_and_makes_up_for_nothing(port: Port) -> None:
    executions = port.daemon.executions
    schedule = executions.jobs["daily_pnl_check"].schedule
    await executions.due(schedule)
    await post(port, "disable/daily_pnl_check")
    port.clock.turn(6 * HOUR)
    await executions.due(schedule)
    await post(port, "enable/daily_pnl_check")
    await executions.due(schedule)
    await executions.drain(HOUR)

    assert (await entry(port))["recent_executions"] == []


async def test_switch_outlives_a_restart(dsn: str, tmp_path: Path, now: datetime) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        await post(port, "disable/evening_performance_check")
    async with open_port(dsn, tmp_path, now) as port:
        assert (await entry(port, "evening_performance_check"))["enabled"] is False


# --- Summary ---------------------------------------------------------------------------------


async def summary(port: Port, hours: int = 24) -> dict[str, Any]:
    answer = await port.ask("GET", f"{SCHEDULE}/summary/{hours}", key=VIEWER)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


async def alert(port: Port, *, ago: timedelta = HOUR, **columns: Any) -> None:
    """An alert that fires, and fired this long ago."""
    db = port.daemon.db
    alert_id = await factories.alert(db, None)
    at = port.clock() - ago
    names = ["fired_at", "started_at", "announced_at", *columns]
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    await db.execute(f"UPDATE alerts SET {assignments} WHERE id = $1", alert_id, at, at, at, *columns.values())


async def test_summary_of_nothing(port: Port) -> None:
    assert await summary(port) == {
        "period_hours": 24,
        "total_alerts": 0,
        "emergency_alerts": 0,
        "critical_alerts": 0,
        "warning_alerts": 0,
        "info_alerts": 0,
        "breach_rate": {"consecutive_breaches": 0, "recent_breach_count": 0},
        "sharpe_status": "no_data",
        "active_suppressions": 0,
    }


async def test_summary_counts_what_is_stored(port: Port) -> None:
    for severity in ("info", "warning", "warning", "critical", "critical", "critical", "emergency"):
        await alert(port, severity=severity)

    found = await summary(port)

    assert found["total_alerts"] == await port.daemon.db.fetchval("SELECT count(*) FROM alerts") == 7
    assert [found[f"{name}_alerts"] for name in ("info", "warning", "critical", "emergency")] == [1, 2, 3, 1]


async def test_summary_counts_what_is_over_and_not_what_nobody_was_told(port: Port) -> None:
    await alert(port, state="resolved", resolved_at=port.clock())
    await port.daemon.db.execute("UPDATE alerts SET severity = 'warning'")
    await alert(port, state="pending", severity="critical")
    await port.daemon.db.execute("UPDATE alerts SET fired_at = NULL WHERE state = 'pending'")

    found = await summary(port)

    assert (found["total_alerts"], found["warning_alerts"], found["critical_alerts"]) == (1, 1, 0)


@pytest.mark.parametrize(("hours", "counted"), [(1, 0), (2, 1), (24, 2), (168, 3)])
async def test_summary_looks_as_far_back_as_asked(port: Port, hours: int, counted: int) -> None:
    await alert(port, ago=timedelta(minutes=90))
    await alert(port, ago=timedelta(hours=23))
    await alert(port, ago=timedelta(hours=167))
    await alert(port, ago=timedelta(hours=169))

    assert (await summary(port, hours))["total_alerts"] == counted


@pytest.mark.parametrize("hours", ["0", "169", "-1", "1.5", "x", "9" * 30])
async def test_summary_has_bounds(port: Port, hours: str) -> None:
    assert (await port.ask("GET", f"{SCHEDULE}/summary/{hours}", key=VIEWER)).status == 400


async def test_breaches_are_those_of_performance(port: Port) -> None:
    await alert(port, check_name="credential_health_check")
    await alert(port, check_name="daily_pnl_check", rule="interval_breaches", details={"in_a_row": 4})
    await alert(port, check_name="daily_pnl_check", rule="interval_breaches", details={"in_a_row": 6})
    await alert(port, check_name="daily_pnl_check", rule="drift", details={})

    assert (await summary(port))["breach_rate"] == {"consecutive_breaches": 6, "recent_breach_count": 3}


async def test_sharpe_is_as_bad_as_the_worst_open_alert(port: Port) -> None:
    await alert(port, rule="sharpe", severity="warning")
    await alert(port, rule="sharpe", severity="critical")
    await alert(port, rule="drawdown", severity="emergency")

    assert (await summary(port))["sharpe_status"] == "critical"


async def test_sharpe_is_well_once_something_was_judged(port: Port, now: datetime) -> None:
    db = port.daemon.db
    claimed = await occurrence_store.claim(
        db, "performance_threshold_check", now, source=Source.SCHEDULE, owner=new_id(), now=now
    )
    assert claimed is not None
    await occurrence_store.finish(db, claimed, error=None, result={"outcome": "ok"}, now=now)

    assert (await summary(port))["sharpe_status"] == "ok"


async def test_suppressions_are_alerts_that_were_told_of_lately(port: Port) -> None:
    await alert(port, ago=timedelta(minutes=59))
    await alert(port, ago=timedelta(minutes=61))
    await alert(port, ago=timedelta(minutes=1), state="resolved")

    assert (await summary(port))["active_suppressions"] == 1
