"""`alertd check-config`: validate the settings, and on request what they point at."""

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import typer

from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import BAD_CONFIG, FAILED, complain, print_json, say
from alertd.cli.schema import has_embedded
from alertd.cli.secrets import open_secrets
from alertd.config import Settings, load
from alertd.db import open_db, schema_status
from alertd.errors import AlertdError, ConfigError, Refused
from alertd.postgres import open_embedded
from alertd.webhooks.channels import open_channels
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import policy_of
from alertd.webhooks.post import open_poster

EXAMPLE: Final = "Example: alertd check-config -c /etc/alertd/alertd.toml --online"
PATIENCE: Final = timedelta(seconds=3)  # for a database that does not answer


def check_config(
    config: ConfigFile = None,
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the database, the secret store and the notifiers.")
    ] = False,
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
    """What does not answer, one line each; nothing is made or changed."""
    problems: list[str] = []
    for name, ask in (("database", _ask_database), ("secret store", _ask_store), ("notifiers", _ask_notifiers)):
        try:
            await ask(settings)
        except ConfigError as exc:
            problems += exc.problems
        except AlertdError as exc:
            problems.append(f"{name}: {exc}")
    return problems


async def _ask_database(settings: Settings) -> None:
    if settings.database.dsn is not None:
        await _ask_schema(settings.database.dsn.get_secret_value())
    elif has_embedded(settings.state_dir):
        async with open_embedded(settings.state_dir, attach=True) as dsn:
            await _ask_schema(dsn)


async def _ask_schema(dsn: str) -> None:
    """An older schema is carried forward at the start; a newer one is beyond us."""
    async with open_db(dsn, pool_size=1, patience=PATIENCE) as db:
        found = await schema_status(db)
    if found.have is not None and found.have > found.want:
        raise Refused(f"it has schema {found.have}, this alertd knows {found.want}; install a newer alertd")


async def _ask_store(settings: Settings) -> None:
    async with open_secrets(settings) as store:
        await store.health()


async def _ask_notifiers(settings: Settings) -> None:
    """Whether their addresses are understood; only a message would tell more."""
    policy, timeout = policy_of(settings.webhooks, frozenset()), timedelta(seconds=settings.webhooks.timeout_seconds)
    async with open_poster(policy, Names(), timeout=timeout) as poster, open_channels(settings, poster):
        return
