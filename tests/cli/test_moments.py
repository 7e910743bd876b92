"""Times as people type them."""

from datetime import UTC, datetime

import pytest
import typer

from alertd.cli.moments import ago, ahead

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-01-04", "2026-01-04T00:00:00Z"),
        ("2026-01-04T08:30", "2026-01-04T08:30:00Z"),
        ("2026-01-04T08:30:00Z", "2026-01-04T08:30:00Z"),
        ("2026-01-04T08:30:00+02:00", "2026-01-04T06:30:00Z"),
        ("90m", "2026-01-05T10:30:00Z"),
        ("1w", "2025-12-29T12:00:00Z"),
    ],
)
def test_what_is_past(typed: str, meant: str) -> None:
    assert ago(typed, NOW) == meant


@pytest.mark.parametrize(("typed", "meant"), [("2h", "2026-01-05T14:00:00Z"), ("2026-02-01", "2026-02-01T00:00:00Z")])
def test_what_is_to_come(typed: str, meant: str) -> None:
    assert ahead(typed, NOW) == meant


def test_nothing_stays_nothing() -> None:
    assert (ago(None, NOW), ahead(None, NOW)) == (None, None)


@pytest.mark.parametrize("typed", ["", "soon", "5", "-5m", "5 m", "2026-13-01", "999999w"])
def test_what_is_no_time_is_bad_usage(typed: str) -> None:
    with pytest.raises(typer.BadParameter, match="distance"):
        ago(typed, NOW)
