"""Which commands there are."""

from collections.abc import Callable, Mapping
from typing import Final

import typer

from alertd.cli import (
    alerts,
    audit,
    check_config,
    credentials,
    deliveries,
    demo,
    endpoints,
    events,
    keys,
    performance,
    rotation,
    run,
    schedule,
    schema,
    silences,
    sweep,
    sweeps,
    tenants,
)

# By their names: what it does and the example in its help.
COMMANDS: Final[Mapping[str, tuple[Callable[..., None], str]]] = {
    "run": (run.run, run.EXAMPLE),
    "demo": (demo.demo, demo.EXAMPLE),
    "check-config": (check_config.check_config, check_config.EXAMPLE),
    "sweep": (sweep.sweep, sweep.EXAMPLE),
    "events": (events.events, events.EXAMPLE),
    "audit": (audit.audit, audit.EXAMPLE),
    "rotate-master-key": (rotation.rotate_master_key, rotation.EXAMPLE),
}
GROUPS: Final = {
    "schema": schema.commands,
    "tenants": tenants.commands,
    "credentials": credentials.commands,
    "sweeps": sweeps.commands,
    "webhooks": endpoints.commands,
    "deliveries": deliveries.commands,
    "schedule": schedule.commands,
    "alerts": alerts.commands,
    "silences": silences.commands,
    "performance": performance.commands,
    "keys": keys.commands,
}


def register(app: typer.Typer) -> None:
    """Hang every command on the application."""
    for name, (command, example) in COMMANDS.items():
        app.command(name, epilog=example)(command)
    for name, group in GROUPS.items():
        app.add_typer(group, name=name)
