"""Readers of foreign JSON: what is absent or odd stays unknown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alertd.credentials.quirks import reading
from alertd.credentials.quirks.shape import UNKNOWN_PERMISSIONS, Answer, Said, merged, nothing
from alertd.model import Permissions

BODY: Any = {"a": [{"b": "x"}], "n": 7, "yes": True, "text": "one, two", "ips": ["*"], "late": 1e30}


@pytest.mark.parametrize(
    ("path", "found"),
    [(("a", 0, "b"), "x"), (("a", 1), None), (("a", "b"), None), (("n", 0), None), (("none",), None), ((), BODY)],
)
def test_a_path(path: tuple[str | int, ...], found: object) -> None:
    assert reading.at(BODY, *path) == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), (False, False), ("true", True), ("FALSE", False), (1, True), ("0", False),
        (2, None), ("yes", None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_a_flag(value: object, expected: bool | None) -> None:
    assert reading.flag({"it": value}, "it") is expected


def test_words_and_parts() -> None:
    assert (reading.word(BODY, "n"), reading.word(BODY, "yes"), reading.word(BODY, "a")) == ("7", "", "")
    assert reading.parts(BODY, "text") == {"one", "two"}
    assert reading.words({"it": ["a", 1, None]}, "it") == {"a"}


@pytest.mark.parametrize(
    ("flags", "expected"), [([True, None], True), ([False, None], False), ([None], None), ([], None)]
)
def test_any_of(flags: list[bool | None], expected: bool | None) -> None:
    assert reading.any_of(flags) is expected


@pytest.mark.parametrize(
    ("addresses", "expected"), [([], False), (["*"], False), ([""], False), (["1.2.3.4"], True), (["*", "::1"], True)]
)
def test_restricted(addresses: list[str], expected: bool) -> None:
    assert reading.restricted(addresses) is expected


@pytest.mark.parametrize("value", [0, "0", -1, 1e30, "soon", None, True, float("inf")])
def test_times_that_mean_never(value: object) -> None:
    assert reading.moment_s({"it": value}, "it") is None


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "soon", "", "0001-01-01T00:00:00+23:00"])
def test_written_times_that_mean_never(text: str) -> None:
    assert reading.moment_iso({"it": text}, "it") is None


def test_times() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert reading.moment_s({"it": "1767614400"}, "it") == noon
    assert reading.moment_ms({"it": 1767614400000}, "it") == noon
    assert reading.moment_iso({"it": "2026-01-05T12:00:00"}, "it") == noon


def test_gaps_are_filled_and_what_is_known_stays() -> None:
    known = Permissions(read=True, trade=False)

    assert merged(known, Permissions(trade=True, withdraw=False)) == Permissions(True, False, False)
    assert merged(UNKNOWN_PERMISSIONS, known) == known


def test_an_answer_does_not_show_itself() -> None:
    assert repr(Answer(200, {"Set-Cookie": "c"}, "secret", {"s": 1})) == "Answer(status=200)"
    assert nothing({}) == Said()
