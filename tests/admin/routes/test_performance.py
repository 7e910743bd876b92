"""What platforms send comes in as JSON or CSV, all or none, by whoever may, and is written down."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from alertd.admin.access import Role
from tests import factories
from tests.admin.port import Answered
from tests.admin.routes.desk import Desk
from tests.performance import making

PATH = "/api/v1/performance"
CSV = {"Content-Type": "text/csv"}
DAYS = "subject,date,return\nalpha,2026-01-03,0.01\nalpha,2026-01-04,-0.005\n"


async def post(desk: Desk, kind: str, rows: Sequence[Mapping[str, Any]] | str, **options: Any) -> Answered:
    """As the tenant; text is CSV."""
    sent = {"data": rows.encode(), "headers": CSV} if isinstance(rows, str) else {"json": rows}
    return await desk.ask("POST", f"{PATH}/{kind}", **{"key": desk.key, **sent, **options})


def wheres(answer: Answered) -> list[str]:
    assert answer.status == 422, answer.text
    return [error["where"] for error in answer.json["errors"]]


async def test_returns_come_in_as_json(desk: Desk) -> None:
    answer = await post(desk, "returns", [{"subject": "alpha", "date": "2026-01-04", "return": 0.01}])

    [subject] = answer.json["subjects"]
    assert (answer.status, answer.json["inserted"]) == (200, 1)
    assert (subject["tenant_id"], subject["subject"]) == (str(desk.tenant), "alpha")


async def test_returns_come_in_as_csv_and_the_same_again_changes_nothing(desk: Desk) -> None:
    first = await post(desk, "returns", DAYS)

    second = await post(desk, "returns", "\ufeff" + DAYS.replace("\n", "\r\n"))

    assert (first.json["inserted"], second.json["inserted"], second.json["unchanged"]) == (2, 0, 2)


async def test_the_address_may_name_tenant_and_subject(desk: Desk) -> None:
    rows = [{"date": "2026-01-04", "return": 0.01}]

    answer = await desk.ask("POST", f"{PATH}/returns?tenant_id={desk.tenant}&subject=beta", json=rows)

    assert [subject["subject"] for subject in answer.json["subjects"]] == ["beta"]


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{"date": "2026-01-04", "return": 0.01}], "/0/subject"),
        ("date,return\n2026-01-04,0.01\n", "line 2, subject"),
        ([{"subject": "a", "date": "2026-01-04", "return": "1"}], "/0/return"),
        ("subject,date,return\n\na,2026-01-04,1%\n", "line 3, return"),
        ("subject,date,return\na,04.01.2026,0.01\n", "line 2, date"),
        ("subject,date,return\na,2026-01-04,NaN\n", "line 2, return"),
        ("subject,date,return,colour\na,2026-01-04,1,red\n", "line 1, column 4"),
        ("subject,date\na,2026-01-04\n", "line 1"),
        ("subject,date,return\na,2026-01-04\n", "line 2"),
        ('subject,date,return\n"a,2026-01-04,1\n', "line 2"),
        ("", ""),
        ("\n", "line 1"),
        ("subject,date,return\n", ""),
        ([], ""),
        ([{"subject": "a", "date": "2026-01-05", "return": 0.01}], "/0/date"),  # not over yet
        ("subject,date,return\na,2026-01-04,-1\n", "line 2, return"),
        ([{"subject": "a", "date": "1989-12-31", "return": 0.01}], "/0/date"),
    ],
)
async def test_a_wrong_row_is_named_by_its_place(desk: Desk, rows: Any, where: str) -> None:
    assert wheres(await post(desk, "returns", rows)) == [where]


async def test_all_wrong_rows_are_named_and_nothing_is_stored(desk: Desk) -> None:
    wrong = "".join(f"alpha,2025-01-{day:02},9{day}\n" for day in range(1, 29))

    answer = await post(desk, "returns", DAYS + wrong)

    assert set(wheres(answer)) >= {f"line {line}, return" for line in range(4, 32)}
    assert await desk.db.fetchval("SELECT count(*) FROM performance_subjects") == 0


async def test_rows_that_are_wrong_in_different_ways_are_named_together(desk: Desk) -> None:
    lines = (
        "subject,date,return",
        "alpha,2026-01-04,0.01",
        "alpha,2026-01-32,0.01",  # no date
        ",2026-01-03,0.01",  # nobody's
        "alpha,2026-01-02,5%",  # no number
        "alpha,2026-01-05,0.01",  # not over
        "alpha,2026-01-04,0.02",  # again
        "alpha,2026-01-01,-1",  # more than everything
        "alpha,1026-01-01,0.01",  # before there were exchanges
    )

    answer = await post(desk, "returns", "\n".join(lines))

    assert wheres(answer) == [
        "line 3, date",
        "line 4, subject",
        "line 5, return",
        "line 6, date",
        "line 7, date",
        "line 8, return",
        "line 9, date",
    ]


async def test_objects_that_are_wrong_in_different_ways_are_named_together(desk: Desk) -> None:
    row = {"subject": "a", "date": "2026-01-04", "return": 0.01}

    answer = await post(desk, "returns", [row, 5, {**row, "return": "x"}, {**row, "colour": 1}, row])

    assert wheres(answer) == ["/1", "/2/return", "/3/colour", "/4/date"]
    assert await desk.db.fetchval("SELECT count(*) FROM performance_subjects") == 0


async def test_what_is_not_a_number_is_no_json(desk: Desk) -> None:
    answer = await desk.ask(
        "POST",
        f"{PATH}/returns",
        key=desk.key,
        data=b'[{"subject": "a", "date": "2026-01-04", "return": NaN}]',
        headers={"Content-Type": "application/json"},
    )

    assert answer.status == 400


async def test_more_rows_than_may_be_are_refused(desk: Desk) -> None:
    rows = [{"subject": "a", "date": "2026-01-04", "return": 0.01}] * 10_001

    assert wheres(await post(desk, "returns", rows)) == [""]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(desk: Desk) -> None:
    answer = await desk.ask("POST", f"{PATH}/returns", key=desk.key, data=b" " * (4 * 1024 * 1024 + 1), headers=CSV)

    assert answer.status == 413


async def test_a_foreign_tenant_looks_like_one_that_is_not_there(desk: Desk) -> None:
    other = await factories.tenant(desk.db)
    row = {"subject": "alpha", "date": "2026-01-04", "return": 0.01}

    foreign = await post(desk, "returns", [{**row, "tenant_id": str(other)}])
    unknown = await post(desk, "returns", [{**row, "tenant_id": str(uuid4())}])
    by_admin = await desk.ask("POST", f"{PATH}/returns", json=[{**row, "tenant_id": str(uuid4())}])

    assert foreign.json["errors"] == unknown.json["errors"] == by_admin.json["errors"]
    assert (await desk.ask("POST", f"{PATH}/returns?tenant_id={other}", key=desk.key, json=[row])).status == 404


async def test_what_was_sent_is_written_down_and_what_changed_nothing_is_not(desk: Desk) -> None:
    await post(desk, "returns", DAYS)
    await post(desk, "returns", DAYS)

    deed = await desk.deed("performance.returns")
    assert (deed["tenant_id"], deed["object"]) == (desk.tenant, f"tenant:{desk.tenant}")
    assert deed["after"] == {"rows": 2, "subjects": 1, "named": ["alpha"]}


async def test_equity_and_flows_come_in_as_csv(desk: Desk) -> None:
    equity = (
        "subject,at,equity,currency\n"
        "main,2026-01-03T00:00:00Z,1000,USDT\n"
        "main,2026-01-04T00:00:00+00:00,1100,USDT\n"
        "main,2026-01-05T01:00:00+01:00,1111,\n"
    )
    flows = "subject,at,amount,id\nmain,2026-01-03T23:55:00Z,100,deposit-7\n"

    taken = await post(desk, "equity", equity)
    explained = await post(desk, "cashflows", flows)

    rows = await desk.db.fetch("SELECT day, value FROM performance_returns ORDER BY day")
    assert (taken.json["inserted"], explained.json["inserted"]) == (3, 1)
    assert [(str(row["day"]), round(row["value"], 4)) for row in rows] == [("2026-01-03", 0.0), ("2026-01-04", 0.01)]


@pytest.mark.parametrize(
    ("kind", "rows", "wrong"),
    [
        ("equity", [{"at": "2026-01-04T00:00:00", "equity": 1, "currency": "USD"}], "/0/at"),
        ("equity", [{"at": "2026-01-05T12:06:00Z", "equity": 1, "currency": "USD"}], "/0/at"),
        ("equity", [{"at": "2026-01-04T00:00:00Z", "equity": 1}], "/0/currency"),
        ("equity", [{"at": "2026-01-04T00:00:00Z", "equity": 1e16, "currency": "USD"}], "/0/equity"),
        ("cashflows", [{"at": "2026-01-04T00:00:00Z", "amount": 1}], "/0/subject"),
        ("windows", [{"first_date": "2025-02-01", "last_date": "2025-01-01", "in_sample": 0, "out_of_sample": 0}],
         "/0/last_date"),
        ("windows", [{"first_date": "2025-02-01", "last_date": "2026-02-01", "in_sample": 0, "out_of_sample": 0}],
         "/0/last_date"),
        ("windows", [{"first_date": "2025-02-01", "last_date": "2025-03-01", "in_sample": 2, "out_of_sample": 0}],
         "/0/in_sample"),
        ("references", [{}], "/0/returns"),
        ("references", [{"returns": [0.01]}], "/0/returns"),
        ("references", [{"returns": [0.01, -1.0]}], "/0/returns/1"),
        ("references", [{"returns": [1.1, -0.9, 1.2]}], "/0/returns"),
        ("references", [{"returns": [0.1, 0.2], "last_date": "2026-01-05"}], "/0/last_date"),
        ("references", [{"returns": [0.1, 0.2], "active_from": "2027-02-01"}], "/0/active_from"),
        ("references", [{"summary": {"days": 100, "sharpe": 1, "daily_sd": 0.01, "skew": 3}}], "/0/summary/kurtosis"),
        ("limits", [{"drawdown_critical_percent": 0.08}], "/0/drawdown_critical_percent"),
        ("limits", [{"drawdown_warning_percent": 9, "drawdown_critical_percent": 8}], "/0/drawdown_warning_percent"),
        ("limits", [{"basis": "initial"}], "/0/initial_capital"),
        ("limits", [{"timezone": "Mars/Olympus"}], "/0/timezone"),
        ("limits", [{"timezone": "../../etc/passwd"}], "/0/timezone"),
        ("limits", [{"day_cutoff": "24:00"}], "/0/day_cutoff"),
        ("limits", [{"counts_from": "2027-01-01T00:00:00Z"}], "/0/counts_from"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(desk: Desk, kind: str, rows: Any, wrong: str) -> None:
    assert wheres(await post(desk, kind, [{"subject": "a", **row} for row in rows])) == [wrong]


async def test_another_currency_is_refused(desk: Desk) -> None:
    row = {"subject": "a", "at": "2026-01-04T00:00:00Z", "equity": 1, "currency": "USD"}
    await post(desk, "equity", [row])

    assert wheres(await post(desk, "equity", [{**row, "currency": "EUR"}])) == ["/0/currency"]
    assert wheres(
        await post(desk, "cashflows", [{"subject": "a", "at": row["at"], "amount": 1, "currency": "EUR"}])
    ) == ["/0/currency"]


async def test_a_reference_is_answered_with_its_report(desk: Desk) -> None:
    returns = [float(value) for value in making.noise(365)]

    answer = await post(desk, "references", [{"subject": "alpha", "returns": returns, "trials": 1000}])

    [report] = answer.json["reports"]
    assert (report["subject"], report["reference"]["version"]) == ("alpha", 1)
    assert report["reference"]["registration"]["outlook"] == "likely_overfit"


async def test_backtests_come_in_as_csv_one_for_each_subject(desk: Desk) -> None:
    lines = ["subject,date,return,trials"]
    lines += [
        f"alpha,{making.YESTERDAY - timedelta(days=at)},{value:.6f},7" for at, value in enumerate(making.noise(70))
    ]
    lines += ["beta,2025-01-02,0.01,", "beta,2025-01-01,0.02,"]

    answer = await post(desk, "references", "\n".join(lines))

    alpha, beta = (report["reference"] for report in answer.json["reports"])
    stored = await desk.db.fetchval(
        "SELECT returns FROM performance_references ORDER BY created_at, active_from LIMIT 1"
    )
    assert {alpha["active_from"], beta["active_from"]} == {"2026-01-05", "2025-01-03"}
    assert [round(value, 4) for value in stored] == [0.0198, 0.01]


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("alpha,2025-01-01,0.01,7\nalpha,2025-01-02,0.01,8", "line 2, trials"),
        ("alpha,2025-01-01,0.01,7\nalpha,2025-01-01,0.02,", "line 3, date"),
        ("alpha,2025-01-01,0.01,7", "line 2, subject"),
        ("alpha,2025-01-03,x,7\nalpha,2025-01-01,0.02,", "line 2, return"),
        ("alpha,2025-01-03,-2,7\nalpha,2025-01-01,0.02,", "line 2, return"),
    ],
)
async def test_a_wrong_line_of_a_backtest_is_named(desk: Desk, lines: str, where: str) -> None:
    assert wheres(await post(desk, "references", f"subject,date,return,trials\n{lines}\n")) == [where]


async def test_limits_are_answered_with_how_often_healthy_years_reach_them(desk: Desk) -> None:
    await post(desk, "references", [{"subject": "alpha", "returns": [float(value) for value in making.noise(365)]}])

    answer = await post(desk, "limits", "subject,drawdown_warning_percent,drawdown_critical_percent\nalpha,1,2\n")

    [report] = answer.json["reports"]
    assert report["reference"]["registration"]["reaches_critical"] == 1.0


async def test_a_repeated_request_with_its_key_is_answered_as_the_first_was(desk: Desk) -> None:
    rows = json.dumps([{"subject": "alpha", "date": "2026-01-04", "return": 0.01}]).encode()
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}

    answers = [await desk.ask("POST", f"{PATH}/returns", key=desk.key, data=rows, headers=headers) for _ in range(2)]

    assert [answer.json["inserted"] for answer in answers] == [1, 1]


async def test_a_viewer_may_not_send(desk: Desk) -> None:
    key = await desk.port.key(Role.VIEWER)

    assert (await post(desk, "returns", DAYS, key=key)).status == 403
