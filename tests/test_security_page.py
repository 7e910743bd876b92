"""The page about security names tests: each is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMED = sorted(set(re.findall(r"`((?:tests|systemd)/[^`]+)`", (ROOT / "docs/security.md").read_text())))


@pytest.mark.parametrize("name", NAMED)
def test_what_holds_a_line_is_there(name: str) -> None:
    file, _, test = name.partition("::")

    text = (ROOT / file).read_text()

    assert f"def {test}(" in text or not test


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 30
