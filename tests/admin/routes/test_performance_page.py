"""The examples of the page on performance are taken in as they stand there."""

import re
from pathlib import Path

import pytest

from tests.admin.routes.desk import Desk

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"
EXAMPLES = re.findall(r"<!-- example: (\w+) -->\n```(csv|json)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
EQUITY = next(text for kind, _, text in EXAMPLES if kind == "equity")
TYPES = {"csv": "text/csv", "json": "application/json"}


async def taken(desk: Desk, kind: str, language: str, text: str) -> int:
    answer = await desk.ask(
        "POST",
        f"/api/v1/performance/{kind}",
        key=desk.key,
        data=text.encode(),
        headers={"Content-Type": TYPES[language]},
    )
    assert answer.status == 200, answer.text
    inserted: int = answer.json["inserted"]
    return inserted


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, *_ in EXAMPLES} == {"returns", "references", "equity", "cashflows", "windows", "limits"}


@pytest.mark.parametrize(("kind", "language", "text"), [example for example in EXAMPLES if example[0] != "cashflows"])
async def test_an_example_is_taken_in(desk: Desk, kind: str, language: str, text: str) -> None:
    assert await taken(desk, kind, language, text) > 0


async def test_the_deposit_of_the_example_is_no_profit(desk: Desk) -> None:
    [flows] = [example for example in EXAMPLES if example[0] == "cashflows"]
    await taken(desk, "equity", "json", EQUITY)
    await taken(desk, *flows)

    first = await desk.db.fetchval("SELECT value FROM performance_returns ORDER BY day LIMIT 1")
    assert 0 < first < 0.02
