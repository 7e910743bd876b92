"""`alertd audit`: what people did, when, and from where."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.moments import ago
from alertd.cli.options import ForTenant, Json, Pages, Since, Until, Where
from alertd.cli.showing import Columns, show_list

EXAMPLE: Final = "Example: alertd audit --since 7d --action key.create"
COLUMNS: Final[Columns] = {
    "when": "at",
    "who": "actor",
    "what": "action",
    "object": "object",
    "from": "peer",
}


@grouped
def audit(
    where: Where,
    pages: Pages,
    actor: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this one did.")] = None,
    action: Annotated[str | None, typer.Option(metavar="WHAT", help="Only this: key.create, login.fail, …")] = None,
    about: Annotated[str | None, typer.Option("--object", metavar="WHAT", help="Only to this: key:ID, …")] = None,
    tenant: ForTenant = None,
    since: Since = None,
    until: Until = None,
    *,
    json: Json = False,
) -> None:
    """List what people did, the newest first; failed logins too. What was before and after: --json."""
    now = datetime.now(UTC)
    query = {"actor": actor, "action": action, "object": about, "tenant_id": tenant}
    times = {"since": ago(since, now), "until": ago(until, now)}
    with open_api(where) as api:
        show_list(api, path_to("audit"), COLUMNS, pages, json=json, **query, **times)
