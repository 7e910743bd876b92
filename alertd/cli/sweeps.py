"""`alertd sweeps`: the daemon's own sweeps and scheduled passes; `alertd sweep` makes one itself."""

from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.options import Json, Pages, Where
from alertd.cli.showing import Columns, show_list, show_object, show_outcome

commands = typer.Typer(no_args_is_help=True, help="The daemon's sweeps.")

COLUMNS: Final[Columns] = {
    "id": "id",
    "state": "state",
    "origin": "origin",
    "by": "requested_by",
    "started": "started_at",
    "total": "total",
    "checked": "checked",
    "valid": "valid",
    "invalid": "invalid",
    "inconclusive": "inconclusive",
    "skipped": "skipped",
    "error": "error",
}

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The sweep's id, as `list` shows it.")]


@commands.command("list", epilog="Example: alertd sweeps list --limit 5")
@grouped
def list_(
    where: Where,
    pages: Pages,
    state: Annotated[
        Literal["running", "completed", "failed", "cancelled"] | None, typer.Option(help="Only in this state.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """List sweeps and scheduled passes, the newest first."""
    with open_api(where) as api:
        show_list(api, path_to("sweeps"), COLUMNS, pages, json=json, state=state)


@commands.command(epilog="Example: alertd sweeps show 0199c0de-0000-7000-8000-000000000006")
@grouped
def show(where: Where, sweep: Id, *, json: Json = False) -> None:
    """Show one sweep, and how far it is."""
    with open_api(where) as api:
        show_object(api.get(path_to("sweeps", sweep)), json=json)


@commands.command(epilog="Example: alertd sweeps start --exchange kraken")
@grouped
def start(
    where: Where,
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="Only this tenant's keys.")] = None,
    exchange: Annotated[str | None, typer.Option(metavar="NAME", help="Only keys of this exchange.")] = None,
    *,
    json: Json = False,
) -> None:
    """Let the daemon check every key, due or not; it goes on while you do something else."""
    with open_api(where) as api:
        started = api.post(path_to("sweeps"), {"tenant_id": tenant, "exchange": exchange})
    show_outcome(started, f"Started; `alertd sweeps show {started.text('id')}` tells how far it is.", json=json)


@commands.command(epilog="Example: alertd sweeps cancel 0199c0de-0000-7000-8000-000000000006")
@grouped
def cancel(where: Where, sweep: Id, *, json: Json = False) -> None:
    """Stop a sweep; what it checked stays recorded, and it accuses nobody."""
    with open_api(where) as api:
        cancelled = api.post(path_to("sweeps", sweep, "cancel"))
    show_outcome(cancelled, "It stops within a second; what it checked stays recorded.", json=json)
