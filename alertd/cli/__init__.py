"""The command line: parse, call, print. One file for each group of commands."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from alertd import __version__
from alertd.cli.commands import register, wanted_in
from alertd.cli.outcome import BAD_CONFIG, FAILED, complain
from alertd.errors import AlertdError, ConfigError
from alertd.process import configure_logging


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def command_line(*, wanted: str = "") -> typer.Typer:
    """The application with the command of this name; with all of them where there is none."""
    app = typer.Typer(
        name="alertd",
        help="Watches exchange API keys and trading performance, and tells the right people once.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # a traceback of ours shows local variables, and they hold secrets
        rich_markup_mode="markdown",
    )
    app.callback()(_every_command)
    register(app, wanted=wanted)
    return app


def _every_command(
    version: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--version", help="Print the version and stop.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script: 0 done, 1 failed, 2 bad usage, 78 bad configuration."""
    # Before anything is logged: without it a traceback would show local variables, and they hold secrets.
    configure_logging(level="WARNING", format="console")
    app = command_line(wanted=wanted_in(sys.argv, os.environ))
    try:
        app()
    except ConfigError as exc:
        complain("The configuration cannot work:", *exc.problems)
        sys.exit(BAD_CONFIG)
    except AlertdError as exc:
        complain(str(exc))
        sys.exit(FAILED)
    except asyncio.CancelledError:  # told twice to stop: what was under way is left to its leases
        sys.exit(FAILED)
