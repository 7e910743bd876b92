"""`alertd check-config`: validate the settings, and on request what they point at."""

import asyncio
from typing import Annotated, Final

import typer

from alertd.cipher import load_or_create_key
from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import BAD_CONFIG, FAILED, complain, print_json, say
from alertd.config import Settings, load
from alertd.db import open_db, schema_status
from alertd.errors import AlertdError, ConfigError
from alertd.secretstore import open_store
from alertd.secretstore.file import ciphertext_exists

EXAMPLE: Final = "Example: alertd check-config -c /etc/alertd/alertd.toml --online"


def check_config(
    config: ConfigFile = None,
    *,
    online: Annotated[bool, typer.Option("--online", help="Also ask the database and the secret store.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when all is well.")] = False,
    json: Json = False,
) -> None:
    """Validate the settings, naming every problem at once; exit 78 if there is one."""
    try:
        settings = load(config)
    except ConfigError as exc:
        if not json:
            raise
        print_json({"valid": False, "problems": exc.problems})
        raise typer.Exit(BAD_CONFIG) from None
    problems = asyncio.run(_online_problems(settings)) if online else []
    if json:
        print_json(
            {
                "valid": not problems,
                "problems": problems,
                "warnings": settings.warnings,
                "file": None if settings.file is None else str(settings.file),
                "settings": settings.public(),
            }
        )
    else:
        _print(settings, problems, quiet=quiet)
    if problems:
        raise typer.Exit(FAILED)


def _print(settings: Settings, problems: list[str], *, quiet: bool) -> None:
    for warning in settings.warnings:
        say(f"warning: {warning}")
    if problems:
        complain("The settings are valid, but:", *problems)
    elif not quiet:
        say(f"The settings are valid ({settings.file or 'no file; defaults and environment'}).")


async def _online_problems(settings: Settings) -> list[str]:
    """What does not answer, one line each."""
    problems: list[str] = []
    for name, ask in (("database", _ask_database), ("secret store", _ask_store)):
        try:
            await ask(settings)
        except AlertdError as exc:
            problems.append(f"{name}: {exc}")
    return problems


async def _ask_database(settings: Settings) -> None:
    if settings.database.dsn is not None:
        async with open_db(settings.database.dsn.get_secret_value(), pool_size=1) as db:
            await schema_status(db)


async def _ask_store(settings: Settings) -> None:
    exists = ciphertext_exists(settings.state_dir)
    cipher = load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=exists)
    async with open_store(settings, cipher) as store:
        await store.health()
