"""Which commands there are. Only the one that is wanted is loaded: some stand on a second's worth of libraries."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

import typer

# By their names: file and function. The file has an EXAMPLE for the help.
COMMANDS: Final = {
    "run": ("run", "run"),
    "demo": ("demo", "demo"),
    "check-config": ("check_config", "check_config"),
    "sweep": ("sweep", "sweep"),
    "events": ("events", "events"),
    "audit": ("audit", "audit"),
    "rotate-master-key": ("rotation", "rotate_master_key"),
}
# By their names: the file with the group's `commands`.
GROUPS: Final = {
    "schema": "schema",
    "tenants": "tenants",
    "credentials": "credentials",
    "sweeps": "sweeps",
    "webhooks": "endpoints",
    "deliveries": "deliveries",
    "schedule": "schedule",
    "alerts": "alerts",
    "silences": "silences",
    "performance": "performance",
    "keys": "keys",
}
COMPLETING: Final = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")  # what a shell says that somebody has typed so far


def register(app: typer.Typer, *, wanted: str = "") -> None:
    """Hang commands on the application: the one of this name, or all where there is none."""
    known = wanted in COMMANDS or wanted in GROUPS
    for name, (file, function) in COMMANDS.items():
        if name == wanted or not known:
            module = import_module(f"alertd.cli.{file}")
            app.command(name, epilog=module.EXAMPLE)(getattr(module, function))
    for name, file in GROUPS.items():
        if name == wanted or not known:
            app.add_typer(import_module(f"alertd.cli.{file}").commands, name=name)


def wanted_in(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The first word after the program's name that is no option; empty where there is none."""
    typed = next((environ[name].split() for name in COMPLETING if name in environ), arguments)
    return next((word for word in typed[1:] if not word.startswith("-")), "")
