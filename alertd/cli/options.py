"""Options that several commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

URL: Final = "http://127.0.0.1:8089"
WHERE: Final = "Which daemon is asked, and with which key"

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="Settings; default: $ALERTD_CONFIG, ./alertd.toml, /etc/alertd/alertd.toml.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ForTenant = Annotated[UUID | None, typer.Option("--tenant", metavar="ID", help="Only this tenant's.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Then or later: 2026-01-05, 24h, 7d.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")]


@dataclass(frozen=True, slots=True)
class Where:
    """Where the daemon answers, and which key it is shown."""

    url: Annotated[
        str,
        typer.Option(
            envvar="ALERTD_URL",
            metavar="URL",
            help="Its address; unix:PATH is its socket.",
            rich_help_panel=WHERE,
        ),
    ] = URL
    key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Has the API key. Default: $ALERTD_API_KEY; else, for a daemon on this machine, "
            "admin.key in its state folder.",
            rich_help_panel=WHERE,
        ),
    ] = None
    ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Certificates to trust, for https.", rich_help_panel=WHERE),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", metavar="FILE", help="Settings that say where that folder is.", rich_help_panel=WHERE
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Pages:
    """How much of a list is wanted."""

    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 50
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False
    cursor: Annotated[str | None, typer.Option(metavar="C", help="Go on after a list: its next_cursor.")] = None
