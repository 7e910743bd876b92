"""Text of others is shown as it is: it neither formats nor steers the terminal."""

import json
import uuid
from io import StringIO

import pytest

from alertd.cli import outcome


class Terminal(StringIO):
    """Standard output of somebody who looks on."""

    def isatty(self) -> bool:
        return True


TRICKS = ["[red]name[/red]", "[/]", r"\[bold]x", "[link=https://example.com]x[/link]", ":boom:"]


@pytest.mark.parametrize("text", TRICKS)
def test_a_table_shows_markup_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome.print_table(("tenant",), [(text,)])

    assert text in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize("text", TRICKS)
def test_a_line_shows_markup_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome.say(text)
    outcome.complain("It failed:", text)

    printed = capsys.readouterr()
    assert printed.err == f"{text}\nIt failed:\n  - {text}\n"
    assert printed.out == ""


def test_a_terminal_is_not_steered(capsys: pytest.CaptureFixture[str]) -> None:
    outcome.print_table(("tenant",), [("\x1b[2Jgone\x07",)])
    outcome.say("\x1b]0;title\x07")

    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err


def test_a_pipe_gets_whole_cells(capsys: pytest.CaptureFixture[str]) -> None:
    row = (str(uuid.UUID(int=0)), "krakenfutures", "readonly.a-fund-with-a-long-name", "inconclusive", "bad_response")

    outcome.print_table(("tenant", "exchange", "key", "verdict", "reason"), [row])

    head, line = capsys.readouterr().out.splitlines()
    assert tuple(line.split()) == row
    assert (head, line) == (head.rstrip(), line.rstrip())


def test_json_is_one_line_and_any_value_is_spelt(capsys: pytest.CaptureFixture[str]) -> None:
    outcome.print_json({"name": "Grüße\n", "id": uuid.UUID(int=1)})

    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1
    assert json.loads(printed) == {"name": "Grüße\n", "id": str(uuid.UUID(int=1))}


def test_what_json_has_no_number_for_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        outcome.print_json({"value": float("nan")})


def test_an_id_is_whole_also_where_the_terminal_is_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    first, second = str(uuid.uuid4()), str(uuid.uuid4())

    outcome.print_table(("id", "tenant", "why"), [(first, second, "a text that has to be folded here")])

    assert f"{first}  {second}  a text" in terminal.getvalue()


def test_a_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    outcome.print_table(("id", "tenant"), [])

    assert capsys.readouterr().out.split() == ["id", "tenant"]
