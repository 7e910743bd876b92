"""Which commands there are."""

import typer

from alertd.cli import check_config, credentials, deliveries, demo, run, schema, sweep, webhooks, webhooks_admin


def register(app: typer.Typer) -> None:
    """Hang every command on the application."""
    app.command("run", epilog=run.EXAMPLE)(run.run)
    app.command("demo", epilog=demo.EXAMPLE)(demo.demo)
    app.command("check-config", epilog=check_config.EXAMPLE)(check_config.check_config)
    app.command("sweep", epilog=sweep.EXAMPLE)(sweep.sweep)
    app.add_typer(schema.commands, name="schema")
    app.add_typer(credentials.commands, name="credentials")
    webhooks.commands.add_typer(webhooks_admin.commands)
    app.add_typer(webhooks.commands, name="webhooks")
    app.add_typer(deliveries.commands, name="deliveries")
