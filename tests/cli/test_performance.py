"""Performance data at the command line: files as platforms have them, and how subjects stand."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alertd.cli.performance import MOST_ROWS
from tests.cli.office import Office

FIRST = date(2024, 1, 1)


@pytest.fixture
def tenant(office: Office) -> str:
    return office.tenant()


def returns(count: int, *, subject: str = "alpha") -> list[str]:
    """Lines of CSV, a day each."""
    days = [FIRST + timedelta(days=number % 300) for number in range(count)]
    return [f"{subject}{number // 300},{day},0.00{number % 9 + 1}" for number, day in enumerate(days)]


def csv(folder: Path, rows: list[str], heading: str = "subject,date,return") -> str:
    file = folder / "returns-2024.csv"
    file.write_text("\n".join([heading, *rows]) + "\n")
    return str(file)


def test_returns_are_handed_in_by_the_name_of_their_file(office: Office, tenant: str, tmp_path: Path) -> None:
    words = ("performance", "import", csv(tmp_path, returns(40)), "--tenant", tenant)

    first, again = office.alertd(*words), office.alertd(*words)

    assert (first.code, first.err) == (0, "inserted 40, updated 0, unchanged 0; subjects: 1.\n")
    assert again.err == "inserted 0, updated 0, unchanged 40; subjects: 1.\n"


def test_equity_as_json(office: Office, tenant: str, tmp_path: Path) -> None:
    rows = [{"at": "2024-01-01T00:00:00Z", "equity": 1000, "currency": "USDT"}]
    (tmp_path / "readings").write_text(json.dumps(rows), encoding="utf-8-sig")

    words = ("--kind", "equity", "--tenant", tenant, "--subject", "main account")
    receipt = office.json("performance", "import", str(tmp_path / "readings"), *words)

    assert (receipt["inserted"], [one["subject"] for one in receipt["subjects"]]) == (1, ["main account"])


def test_a_reference_is_reported_on(office: Office, tenant: str, tmp_path: Path) -> None:
    summary = {"days": 500, "sharpe": 1.5, "daily_sd": 0.01}
    (tmp_path / "references.json").write_text(json.dumps([{"subject": "alpha", "summary": summary, "trials": 10}]))

    ended = office.alertd("performance", "import", str(tmp_path / "references.json"), "--tenant", tenant)

    assert ended.code == 0
    assert ended.out.split()[:3] == ["subject", "reference", "from"]
    assert ended.out.splitlines()[1].startswith("alpha")


def test_a_file_that_says_nothing_of_its_kind_is_bad_usage(office: Office, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x\n")

    ended = office.alertd("performance", "import", str(tmp_path / "data.csv"))

    assert (ended.code, ended.out) == (2, "")


def test_wrong_rows_are_named_by_their_lines_and_nothing_is_stored(office: Office, tenant: str, tmp_path: Path) -> None:
    rows = [*returns(3), "alpha,2024-13-01,0.1", "alpha,2024-02-01,much"]

    ended = office.alertd("performance", "import", csv(tmp_path, rows), "--tenant", tenant)

    assert ended.code == 1
    assert "\n  - line 5, date: " in ended.err
    assert "\n  - line 6, return: " in ended.err
    assert office.alertd("performance", "import", csv(tmp_path, returns(3)), "--tenant", tenant).err.startswith(
        "inserted 3,"
    )


def test_a_long_file_goes_in_parts_and_its_lines_keep_their_numbers(
    office: Office, tenant: str, tmp_path: Path
) -> None:
    rows = [*returns(MOST_ROWS + 2), "alpha,yesterday,0.1"]

    ended = office.alertd("performance", "import", csv(tmp_path, rows), "--tenant", tenant)

    assert ended.code == 1
    assert f"\n  - line {MOST_ROWS + 4}, date: " in ended.err
    assert f"The {MOST_ROWS} rows before row {MOST_ROWS + 1} are stored." in ended.err


def test_a_long_array_goes_in_parts(office: Office, tenant: str, tmp_path: Path) -> None:
    fields = [line.split(",") for line in returns(MOST_ROWS + 2)]
    rows = [{"subject": subject, "date": day, "return": float(value)} for subject, day, value in fields]
    (tmp_path / "returns.json").write_text(json.dumps(rows))

    receipt = office.json("performance", "import", str(tmp_path / "returns.json"), "--tenant", tenant)

    assert receipt["inserted"] == MOST_ROWS + 2
    assert len({one["id"] for one in receipt["subjects"]}) == len(receipt["subjects"])


def test_subjects_are_listed_with_what_they_wait_for(office: Office, tenant: str, tmp_path: Path) -> None:
    office.alertd("performance", "import", csv(tmp_path, returns(40)), "--tenant", tenant)

    ended = office.alertd("performance", "status", "--tenant", tenant)

    head, row = ended.out.splitlines()
    assert head.split()[:3] == ["id", "subject", "kind"]
    assert row.split()[1:3] == ["alpha0", "strategy"]


def test_a_subject_is_shown_without_its_curves(office: Office, tenant: str, tmp_path: Path) -> None:
    words = ("performance", "import", csv(tmp_path, returns(40)), "--tenant", tenant)
    [subject] = office.json(*words)["subjects"]

    ended = office.alertd("performance", "status", subject["id"])

    assert ended.code == 0
    assert "alpha0" in ended.out
    assert "cumulative" not in ended.out
    assert ended.err == "No check has looked at it yet.\n"


def test_what_the_checks_said_is_told_rule_by_rule(office: Office, tenant: str, tmp_path: Path) -> None:
    words = ("performance", "import", csv(tmp_path, returns(40)), "--tenant", tenant)
    [subject] = office.json(*words)["subjects"]
    ran = office.alertd("schedule", "run", "performance_threshold_check")

    ended = office.alertd("performance", "status", subject["id"])

    assert ran.printed
    assert re.search(r"^performance_threshold_check .+(ago|now)\) .+", ended.out, re.MULTILINE)


def test_a_rehearsal_shows_what_would_be_sent(office: Office, tenant: str, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    losses = [f"beta,{today - timedelta(days=90 - number)},-0.0{number % 3 + 1}" for number in range(90)]
    office.alertd("performance", "import", csv(tmp_path, losses), "--tenant", tenant)

    ended = office.alertd("schedule", "run", "performance_threshold_check", "--dry")

    assert ended.code == 0
    assert re.search(rf"^performance\.alert +{tenant} +beta +drawdown ", ended.out, re.MULTILINE)
    assert "nothing was stored or sent" in ended.err
