"""`alertd tenants`: named, paused and erased; discovery finds them by their keys, and a person may be earlier."""

from typing import Annotated, Final
from uuid import UUID, uuid4

import typer

from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.options import Json, Pages, Where, Yes
from alertd.cli.outcome import confirm, hand_over, print_json, say
from alertd.cli.showing import Columns, show_list, show_outcome

commands = typer.Typer(no_args_is_help=True, help="The tenants.")

COLUMNS: Final[Columns] = {
    "id": "id",
    "name": "name",
    "keys": "credentials",
    "paused": "paused",
    "known since": "created_at",
}

Id = Annotated[UUID, typer.Argument(metavar="TENANT", help="The tenant's UUID.")]


@commands.command("list", epilog="Example: alertd tenants list --json")
@grouped
def list_(where: Where, pages: Pages, *, json: Json = False) -> None:
    """List the tenants, with the number of their keys."""
    with open_api(where) as api:
        show_list(api, path_to("tenants"), COLUMNS, pages, json=json)


@commands.command(epilog='Example: alertd tenants add --name "Aurora Capital"')
@grouped
def add(
    where: Where,
    tenant: Annotated[UUID | None, typer.Argument(metavar="[TENANT]", help="Its UUID; default: a new one.")] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What people call it.")] = None,
    *,
    json: Json = False,
) -> None:
    """Add a tenant before its first key is there, and print its UUID."""
    with open_api(where) as api:
        added = api.post(path_to("tenants"), {"id": tenant or uuid4(), "name": name})
    if json:
        print_json(added.raw)
    else:
        hand_over(added.text("id"), "Added; the tenant's id:")


@commands.command(epilog='Example: alertd tenants name 7c9e6679-7425-40de-944b-e07fc1f90ae7 "Aurora Capital"')
@grouped
def name(
    where: Where,
    tenant: Id,
    called: Annotated[str, typer.Argument(metavar="NAME", help="What people call it; empty: nothing.")],
    *,
    json: Json = False,
) -> None:
    """Give a tenant another name."""
    with open_api(where) as api:
        named = api.patch(path_to("tenants", tenant), {"name": called or None})
    show_outcome(named, f"Tenant {tenant} is called {named.text('name') or 'nothing'}.", json=json)


@commands.command(epilog="Example: alertd tenants pause 7c9e6679-7425-40de-944b-e07fc1f90ae7")
@grouped
def pause(where: Where, tenant: Id, *, json: Json = False) -> None:
    """Stop a tenant's checks and messages."""
    _switch(where, tenant, "pause", "Paused: no checks, and messages wait.", json=json)


@commands.command(epilog="Example: alertd tenants resume 7c9e6679-7425-40de-944b-e07fc1f90ae7")
@grouped
def resume(where: Where, tenant: Id, *, json: Json = False) -> None:
    """Check and tell a tenant again; what became due meanwhile is due now."""
    _switch(where, tenant, "resume", "Resumed; what became due meanwhile is due now.", json=json)


@commands.command(epilog="Example: alertd tenants purge 7c9e6679-7425-40de-944b-e07fc1f90ae7 --yes")
@grouped
def purge(where: Where, tenant: Id, *, yes: Yes = False, json: Json = False) -> None:
    """Erase everything on file about a tenant, for good; its keys in the secret store stay."""
    with open_api(where) as api:
        confirm(f"Erase everything about tenant {tenant}? Nothing brings it back.", yes=yes)
        purged = api.post(path_to("tenants", tenant, "purge"), {"confirm": tenant})
    if json:
        print_json(purged.raw)
        return
    counts = ", ".join(f"{count} {what}" for what, count in purged.inner("erased").facts() if count != "0")
    say(f"Erased {counts or 'the tenant, about whom there was nothing'}.")
    say(purged.text("note"))


def _switch(where: Where, tenant: UUID, verb: str, said: str, *, json: bool) -> None:
    with open_api(where) as api:
        switched = api.post(path_to("tenants", tenant, verb))
    show_outcome(switched, said, json=json)
