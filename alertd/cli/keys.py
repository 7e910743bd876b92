"""`alertd keys`: the API keys of people, programs and tenants; the text of a key is shown once, where it is made."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.moments import ahead
from alertd.cli.options import ForTenant, Json, Pages, Where, Yes
from alertd.cli.outcome import confirm, hand_over, print_json, say
from alertd.cli.showing import Columns, show_list

commands = typer.Typer(no_args_is_help=True, help="The API keys.")

COLUMNS: Final[Columns] = {
    "id": "id",
    "name": "name",
    "role": "role",
    "tenant": "tenant_id",
    "begins with": "prefix",
    "from": "source",
    "last used": "last_used_at",
    "expires": "expires_at",
    "revoked": "revoked_at",
}


@commands.command("list", epilog="Example: alertd keys list --revoked")
@grouped
def list_(
    where: Where,
    pages: Pages,
    tenant: ForTenant = None,
    *,
    revoked: Annotated[bool, typer.Option("--revoked", help="Also those that were revoked.")] = False,
    json: Json = False,
) -> None:
    """List the keys, without their texts."""
    with open_api(where) as api:
        show_list(api, path_to("keys"), COLUMNS, pages, json=json, tenant_id=tenant, revoked=revoked or None)


@commands.command(epilog='Example: alertd keys create viewer --name "wall display" --expires 90d')
@grouped
def create(
    where: Where,
    role: Annotated[
        Literal["viewer", "operator", "admin", "tenant"], typer.Argument(metavar="ROLE", help="What it may do.")
    ],
    name: Annotated[str, typer.Option(metavar="TEXT", help="Whose it is.")],
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="For the role tenant: which.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="90d, or 2027-01-01; default: when it is revoked.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make a key and show it, alone on standard output, this once."""
    wish = {"role": role, "name": name, "tenant_id": tenant, "expires_at": ahead(expires, datetime.now(UTC))}
    with open_api(where) as api:
        made = api.post(path_to("keys"), wish)
    if json:
        print_json(made.raw)
    else:
        hand_over(made.text("key"), f"Made key {made.text('id')}; its text, shown this once:")


@commands.command(epilog="Example: alertd keys revoke 0199c0de-0000-7000-8000-000000000005 --yes")
@grouped
def revoke(
    where: Where,
    key: Annotated[UUID, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    *,
    yes: Yes = False,
) -> None:
    """Revoke a key; it and its tokens stop working at once."""
    with open_api(where) as api:
        confirm(f"Revoke key {key}? Whoever uses it is locked out at once.", yes=yes)
        api.delete(path_to("keys", key))
    say(f"Revoked key {key}.")
