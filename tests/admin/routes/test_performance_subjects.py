"""How subjects stand: listed for those who may see them, and drawn as the checks judge them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from alertd.admin.access import Role
from alertd.performance.evaluation_store import Evaluation, keep_projections, record_evaluations
from alertd.performance.findings import Finding, Rule, Status, no_data
from alertd.performance.projection import projected
from alertd.performance.returns import Quality
from alertd.performance.watched import Kind, ReturnsFrom
from tests import factories
from tests.admin.routes.desk import Desk
from tests.performance import making, stored
from tests.performance.making import NOW, YESTERDAY

SUBJECTS = "/api/v1/performance/subjects"


async def listed(desk: Desk, query: str = "", **options: Any) -> list[dict[str, Any]]:
    answer = await desk.ask("GET", f"{SUBJECTS}{query}", **options)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def shown(desk: Desk, subject_id: UUID, query: str = "", **options: Any) -> dict[str, Any]:
    answer = await desk.ask("GET", f"{SUBJECTS}/{subject_id}{query}", **options)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


async def test_a_subject_that_nobody_has_looked_at_stands_nowhere(desk: Desk) -> None:
    await stored.subject(desk.db, desk.tenant)

    [item] = await listed(desk)

    assert (item["subject"], item["kind"], item["status"], item["waits_for"]) == ("alpha", "strategy", None, None)
    assert (item["live_days"], item["last_day"], item["last_equity"], item["reference"]) == (0, None, None, None)


async def test_live_days_count_from_the_reference_on(desk: Desk) -> None:
    watched = await stored.subject(desk.db, desk.tenant)
    await stored.days(desk.db, watched, making.daily(making.noise(30)))
    await stored.backtest(desk.db, watched, active_from=YESTERDAY)

    [item] = await listed(desk)

    assert (item["live_days"], item["last_day"]) == (1, YESTERDAY.isoformat())
    assert (item["reference"]["version"], item["reference"]["days"]) == (1, 365)


async def test_the_worst_finding_is_the_status_and_what_is_waited_for_is_said(desk: Desk) -> None:
    watched = await stored.subject(desk.db, desk.tenant)
    bad = Finding(rule=Rule.DRAWDOWN, status=Status.CRITICAL, message="Down.", value=13.0)
    waiting = no_data(Rule.DRIFT, 3, 5, "live days")
    said = [
        Evaluation(watched.id, "performance_threshold_check", NOW, (bad,)),
        Evaluation(watched.id, "daily_pnl_check", NOW, (waiting,)),
    ]
    await record_evaluations(desk.db, said, NOW)

    [item] = await listed(desk)
    detail = await shown(desk, watched.id)

    assert item["status"] == "critical"
    assert (item["waits_for"]["rule"], item["waits_for"]["have"], item["waits_for"]["need"]) == ("drift", 3, 5)
    assert {check["check"]: check["findings"][0]["status"] for check in detail["checks"]} == {
        "daily_pnl_check": "no_data",
        "performance_threshold_check": "critical",
    }


async def test_the_latest_reading_shows_its_grade(desk: Desk) -> None:
    watched = await stored.subject(desk.db, desk.tenant, kind=Kind.ACCOUNT, returns_from=ReturnsFrom.EQUITY)
    await stored.snapshots(desk.db, watched, [making.snapshot(1, 100), making.snapshot(2, 0, Quality.SUSPECT)])

    detail = await shown(desk, watched.id)

    assert detail["last_equity"] == {"at": "2026-01-05T02:00:00Z", "equity": 0, "quality": "suspect"}
    assert [reading["quality"] for reading in detail["equity"]] == ["ok", "suspect"]


async def test_one_subject_comes_with_its_curves(desk: Desk) -> None:
    watched = await stored.subject(desk.db, desk.tenant)
    filed = await stored.backtest(desk.db, watched, active_from=making.daily(making.noise(40))[0].day)
    await stored.days(desk.db, watched, making.daily(making.noise(40, sharpe=-6)))
    await keep_projections(desk.db, {watched.id: projected(filed.reference, None, YESTERDAY, seed=1)}, NOW)

    detail = await shown(desk, watched.id, "?days=10")

    assert len(detail["days"]) == 10
    assert detail["days"][-1]["date"] == YESTERDAY.isoformat()
    assert detail["days"][-1]["cusum"] > 0
    assert detail["cusum_limits"] == {"warning": 12.0, "critical": 17.5, "clear": 6.0}
    assert (len(detail["cone"]), detail["cone"][0]["date"]) == (180, YESTERDAY.isoformat())
    assert detail["registration"]["registration"]["outlook"] == "trials_unknown"


async def test_what_was_replaced_is_shown_with_who_replaced_it(desk: Desk) -> None:
    for value in (0.01, 0.02):
        row = {"subject": "alpha", "date": YESTERDAY.isoformat(), "return": value}
        answer = await desk.ask("POST", "/api/v1/performance/returns", key=desk.key, json=[row])

    [revision] = (await shown(desk, answer.json["subjects"][0]["id"]))["revisions"]

    assert (revision["kind"], revision["key"], revision["earlier"]["value"]) == ("return", YESTERDAY.isoformat(), 0.01)
    assert "somebody" in revision["replaced_by"]


async def test_subjects_are_paged_and_narrowed(desk: Desk) -> None:
    names = ["a", "b", "c"]
    kinds = [Kind.ACCOUNT, Kind.STRATEGY, Kind.ACCOUNT]
    for name, kind in zip(names, kinds, strict=True):
        await stored.subject(desk.db, desk.tenant, name=name, kind=kind)

    first = await desk.ask("GET", f"{SUBJECTS}?limit=2")
    rest = await listed(desk, f"?limit=2&cursor={first.json['next_cursor']}")

    assert [item["subject"] for item in (*first.json["items"], *rest)] == names
    assert [item["subject"] for item in await listed(desk, "?kind=account")] == ["a", "c"]


async def test_a_tenant_sees_its_own_and_nothing_of_others(desk: Desk) -> None:
    own = await stored.subject(desk.db, desk.tenant)
    foreign = await stored.subject(desk.db, await factories.tenant(desk.db))

    items = await listed(desk, key=desk.key)
    hidden = await desk.ask("GET", f"{SUBJECTS}/{foreign.id}", key=desk.key)
    absent = await desk.ask("GET", f"{SUBJECTS}/{uuid4()}", key=desk.key)

    assert [item["id"] for item in items] == [str(own.id)]
    assert (
        (hidden.status, hidden.json["detail"]) == (absent.status, absent.json["detail"]) == (404, absent.json["detail"])
    )


@pytest.mark.parametrize("query", ["?days=0", "?days=3651", "?days=x"])
async def test_so_many_days_and_no_more(desk: Desk, query: str) -> None:
    watched = await stored.subject(desk.db, desk.tenant)

    assert (await desk.ask("GET", f"{SUBJECTS}/{watched.id}{query}")).status == 422


async def test_a_viewer_may_look(desk: Desk) -> None:
    await stored.subject(desk.db, desk.tenant)

    assert len(await listed(desk, key=await desk.port.key(Role.VIEWER))) == 1
