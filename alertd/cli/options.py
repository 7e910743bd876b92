"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
