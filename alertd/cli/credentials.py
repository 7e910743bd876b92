"""`alertd credentials`: look at and change what is stored, directly in the secret store."""

import typer

commands = typer.Typer(no_args_is_help=True, help="The stored exchange keys.")
