"""The files of runs: whole, readable, and forgotten in time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.alerts.execution_listing import Execution
from alertd.alerts.history import History
from alertd.db import new_id

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
KEPT = timedelta(days=90)


def execution(**changes: object) -> Execution:
    plain = {
        "id": new_id(),
        "execution_id": "daily_pnl_check_20260105_120000",
        "schedule": "daily_pnl_check",
        "scheduled_at": NOON,
        "source": "manual",
        "requested_by": "ann",
        "state": "succeeded",
        "attempt_count": 1,
        "missed_count": 0,
        "started_at": NOON,
        "finished_at": NOON + timedelta(seconds=2),
        "error": None,
        "result": {"outcome": "ok", "größe": 1},
    }
    return Execution(**{**plain, **changes})


def test_a_file_says_all_of_a_run(tmp_path: Path) -> None:
    path = History(tmp_path, KEPT).write(execution())

    assert json.loads(path.read_text(encoding="utf-8")) == {
        "execution_id": "daily_pnl_check_20260105_120000",
        "name": "daily_pnl_check",
        "scheduled_at": "2026-01-05T12:00:00Z",
        "source": "manual",
        "requested_by": "ann",
        "started_at": "2026-01-05T12:00:00Z",
        "completed_at": "2026-01-05T12:00:02Z",
        "success": True,
        "attempt_count": 1,
        "error_message": None,
        "result": {"outcome": "ok", "größe": 1},
    }
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_finished_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        History(tmp_path, KEPT).write(execution(result={"odd": object()}))

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    history = History(tmp_path, KEPT)
    history.write(execution(error="first", state="failed"))
    path = history.write(execution())

    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert json.loads(path.read_text())["error_message"] is None


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("daily_pnl_check_20251007_115959.json", False),
        ("daily_pnl_check_20251007_115959_2.json", False),
        ("daily_pnl_check_20251007_120000.json", True),
        ("daily_pnl_check_20260105_120000.json", True),
        ("somebody_elses.json", True),
        ("daily_pnl_check_20259999_999999.json", True),
        ("daily_pnl_check_20200101_000000.txt", True),
    ],
)
def test_only_old_files_of_ours_are_deleted(tmp_path: Path, name: str, left: bool) -> None:
    (tmp_path / name).touch()

    deleted = History(tmp_path, KEPT).prune(NOON)

    assert ((tmp_path / name).exists(), deleted) == (left, 0 if left else 1)


@pytest.mark.parametrize(
    ("changes", "success", "message"),
    [
        ({}, True, None),
        ({"state": "running", "result": None}, None, None),
        ({"state": "failed", "error": "why", "result": None}, False, "why"),
        ({"state": "missed", "error": "3 were missed", "result": None}, False, "3 were missed"),
        ({"state": "interrupted", "error": "its process died", "result": None}, False, "its process died"),
        ({"result": {"outcome": "no_data"}}, False, "no data: too little to judge by yet"),
        ({"result": {}}, True, None),
    ],
)
def test_success_is_to_have_run_and_judged(changes, success: bool | None, message: str | None) -> None:
    done = execution(**changes)

    assert (done.success, done.error_message) == (success, message)
