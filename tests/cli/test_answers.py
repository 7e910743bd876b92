"""Answers as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from alertd.cli.answers import Answer, distance

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1.5, "1.5"),
        (0.0, "0.0"),
        (-1234567.891234, "-1234567.8912"),
        (2.369e-11, "2.4e-11"),
        ("binance", "binance"),
        (["a", "b"], "a, b"),
        ([], ""),
        ({"a": 1}, '{"a": 1}'),
        ([{"a": "ü"}], '[{"a": "ü"}]'),
        ("2026-01-05T11:55:00Z", "2026-01-05 11:55:00Z (5 min ago)"),
        ("2026-01-05T11:55:00.250Z", "2026-01-05 11:55:00Z (5 min ago)"),
        ("2026-01-05", "2026-01-05"),
    ],
)
def test_a_value_is_spoken(value: object, text: str) -> None:
    assert Answer({"it": value}, NOW).text("it") == text


@pytest.mark.parametrize(
    ("apart", "text"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=-59), "59 s ago"),
        (timedelta(minutes=59), "in 59 min"),
        (timedelta(hours=-23), "23 h ago"),
        (timedelta(days=400), "in 400 d"),
    ],
)
def test_a_distance_is_in_the_largest_unit_that_fits(apart: timedelta, text: str) -> None:
    assert distance(apart) == text


def test_a_path_leads_into_objects_and_what_is_not_there_is_nothing() -> None:
    answer = Answer({"permissions": {"read": True}, "list": [{"id": 1}, 2]}, NOW)

    assert answer.text("permissions.read") == "yes"
    assert answer.text("permissions.trade.deeper") == ""
    assert (answer.number("nowhere"), answer.words("list"), answer.inner("list").raw) == (0, (), {})
    assert [one.text("id") for one in answer.each("list")] == ["1"]


def test_facts_are_the_fields_that_have_a_value() -> None:
    raw = {"id": "x", "acked_by": None, "label": "", "held_count": 0, "details": {"was_late": True}, "body": "long"}

    found = Answer(raw, NOW).facts(without={"body"})

    assert found == [("id", "x"), ("held count", "0"), ("details was late", "yes")]
