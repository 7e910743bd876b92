"""Every command explains itself with an example, and says so when it is not understood."""

import asyncio
import sys
from collections.abc import Iterator

import click
import pytest
import typer
from typer.testing import CliRunner

from alertd.cli import command_line, commands
from alertd.db import schema_sql
from tests.cli.desk import Desk


def built() -> typer.Typer:
    """As `alertd.cli.main` builds it."""
    app = typer.Typer(rich_markup_mode="markdown")
    commands.register(app)
    return app


def below(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something itself."""
    for name, inner in getattr(command, "commands", {"": None}).items():
        yield from below(inner, (*path, name)) if inner else [path]


APP = built()
COMMANDS = list(below(typer.main.get_command(APP)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(APP, [*words, "--help"], env={"COLUMNS": "200"})

    assert shown.exit_code == 0
    assert f"Example: alertd {' '.join(words)}" in shown.output


def test_the_commands_are_found() -> None:
    assert {("run",), ("schema", "print"), ("credentials", "put"), ("webhooks", "verify")} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("typed", "environ", "wanted"),
    [
        ("alertd tenants list", {}, "tenants"),
        ("alertd --help", {}, ""),
        ("alertd", {}, ""),
        ("alertd", {"COMP_WORDS": "alertd keys r"}, "keys"),
        ("alertd", {"_TYPER_COMPLETE_ARGS": "alertd al"}, "al"),
    ],
)
def test_the_wanted_command_is_the_first_word(typed: str, environ: dict[str, str], wanted: str) -> None:
    assert commands.wanted_in(typed.split(), environ) == wanted


def test_only_the_wanted_command_is_there() -> None:
    assert {words[0] for words in below(typer.main.get_command(command_line(wanted="tenants")))} == {"tenants"}


def test_for_a_word_that_nobody_knows_all_are_there() -> None:
    assert set(below(typer.main.get_command(command_line(wanted="tenant")))) == set(COMMANDS)


async def test_a_command_that_asks_the_daemon_does_not_load_what_asks_exchanges() -> None:
    program = (
        "import sys; from alertd.cli import command_line; command_line(wanted='alerts'); print('ccxt' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()

    assert out == b"False\n"


def test_a_shell_completes_commands() -> None:
    given = {"_ALERTD_COMPLETE": "complete_bash", "COMP_WORDS": "alertd tenants p", "COMP_CWORD": "2"}

    completed = CliRunner().invoke(APP, [], prog_name="alertd", env=given)

    assert completed.output.split() == ["pause", "purge"]


@pytest.mark.parametrize(
    "words", [("swep",), ("credentials", "putt"), ("sweep", "--tenant", "nobody"), ("sweep", "-x")]
)
async def test_what_is_not_understood_is_bad_usage(desk: Desk, words: tuple[str, ...]) -> None:
    ended = await desk.run(*words)

    assert ended.code == 2
    assert ended.out == ""


async def test_the_schema_is_printed_as_it_is_applied(desk: Desk) -> None:
    ended = await desk.run("schema", "print")

    assert (ended.code, ended.out, ended.err) == (0, schema_sql(), "")
