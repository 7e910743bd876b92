"""The history of runs."""

from datetime import datetime, timedelta

import pytest

from alertd.alerts import occurrence_store
from alertd.alerts.occurrence_store import Source
from alertd.db import new_id
from tests.admin.port import OPERATOR, VIEWER, Port

EXECUTIONS = "/api/v1/executions"
HOUR = timedelta(hours=1)


@pytest.fixture
async def ran(port: Port, now: datetime) -> Port:
    """One run that failed, one that was missed, one that goes on, and one that somebody asked for."""
    db = port.daemon.db
    failed = await occurrence_store.claim(db, "daily_pnl_check", now, source=Source.SCHEDULE, owner=new_id(), now=now)
    assert failed is not None
    await occurrence_store.finish(db, failed, error="why", attempts=3, now=now + timedelta(seconds=5))
    await occurrence_store.missed(db, "daily_pnl_check", now + HOUR, count=4, error="4 were missed", now=now + 2 * HOUR)
    await occurrence_store.claim(
        db, "evening_performance_check", now + 2 * HOUR, source=Source.CATCH_UP, owner=new_id(), now=now + 3 * HOUR
    )
    port.clock.turn(4 * HOUR)
    await port.ask("POST", "/api/performance-alerts/schedule/trigger/weekly_stability_check", key=OPERATOR)
    return port


async def listed(port: Port, query: str = "") -> list[str]:
    answer = await port.ask("GET", EXECUTIONS + query, key=VIEWER)
    assert answer.status == 200, answer.text
    return [item["execution_id"] for item in answer.json["items"]]


FAILED = "daily_pnl_check_20260105_120000"
MISSED = "daily_pnl_check_20260105_130000"
RUNNING = "evening_performance_check_20260105_140000"
MANUAL = "weekly_stability_check_20260105_160000"


async def test_run_is_shown_whole(ran: Port) -> None:
    item = (await ran.ask("GET", EXECUTIONS, key=VIEWER)).json["items"][-1]

    assert item == {
        "id": item["id"],
        "execution_id": FAILED,
        "name": "daily_pnl_check",
        "scheduled_at": "2026-01-05T12:00:00Z",
        "source": "schedule",
        "requested_by": None,
        "state": "failed",
        "success": False,
        "started_at": "2026-01-05T12:00:00Z",
        "completed_at": "2026-01-05T12:00:05Z",
        "attempt_count": 3,
        "missed_count": 0,
        "error_message": "why",
        "result": None,
    }


async def test_what_was_missed_is_shown_with_how_often(ran: Port) -> None:
    [item] = (await ran.ask("GET", f"{EXECUTIONS}?state=missed", key=VIEWER)).json["items"]

    assert (item["started_at"], item["missed_count"], item["success"]) == (None, 4, False)


async def test_run_that_was_asked_for_names_who_asked(ran: Port) -> None:
    [item] = (await ran.ask("GET", f"{EXECUTIONS}?source=manual", key=VIEWER)).json["items"]

    assert (item["requested_by"], item["result"]["outcome"]) == ("operator", "no_data")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [MANUAL, RUNNING, MISSED, FAILED]),
        ("?name=daily_pnl_check", [MISSED, FAILED]),
        ("?name=nonsense", []),
        ("?state=running", [RUNNING]),
        ("?state=succeeded", [MANUAL]),
        ("?source=catch_up", [RUNNING, MISSED]),
        ("?since=2026-01-05T13:00:00Z", [MANUAL, RUNNING, MISSED]),
        ("?until=2026-01-05T13:00:00Z", [FAILED]),
        ("?since=2026-01-05T13:00:00Z&until=2026-01-05T15:00:00Z", [RUNNING, MISSED]),
    ],
)
async def test_list_is_narrowed_down(ran: Port, query: str, expected: list[str]) -> None:
    assert await listed(ran, query) == expected


@pytest.mark.parametrize("query", ["?state=nonsense", "?source=nonsense", "?since=noon", "?limit=0"])
async def test_wrong_filters_are_refused(port: Port, query: str) -> None:
    assert (await port.ask("GET", EXECUTIONS + query)).status == 422


async def test_list_goes_on_page_by_page(ran: Port) -> None:
    first = (await ran.ask("GET", f"{EXECUTIONS}?limit=3")).json
    rest = (await ran.ask("GET", f"{EXECUTIONS}?limit=3&cursor={first['next_cursor']}")).json

    assert [item["execution_id"] for item in first["items"]] == [MANUAL, RUNNING, MISSED]
    assert ([item["execution_id"] for item in rest["items"]], rest["next_cursor"]) == ([FAILED], None)
