"""`alertd deliveries`: what was sent to whom, how it was answered, and sending it again."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.moments import ago
from alertd.cli.options import ForTenant, Json, Pages, Since, Until, Where
from alertd.cli.outcome import print_json, print_table
from alertd.cli.showing import Columns, show_list, show_outcome, show_table

commands = typer.Typer(no_args_is_help=True, help="The delivery log.")


def _last(delivery: Answer) -> str:
    """How the last attempt was answered."""
    attempts = delivery.each("attempts")
    return (attempts[-1].text("error") or attempts[-1].text("status")) if attempts else ""


COLUMNS: Final[Columns] = {
    "id": "id",
    "made": "created_at",
    "event": "event",
    "state": "state",
    "attempts": lambda delivery: str(len(delivery.each("attempts"))),
    "answer": _last,
    "endpoint": "webhook_id",
}
ATTEMPTS: Final[Columns] = {
    "at": "at",
    "status": "status",
    "error": "error",
    "ms": "duration_ms",
    "answer": "response",
}

Endpoint = Annotated[UUID | None, typer.Option("--webhook", metavar="ID", help="Only to this endpoint.")]
Event = Annotated[str | None, typer.Option(metavar="TYPE", help="Only of this type: credential.failed, …")]


@commands.command("list", epilog="Example: alertd deliveries list --state failed --since 24h")
@grouped
def list_(
    where: Where,
    pages: Pages,
    tenant: ForTenant = None,
    webhook: Endpoint = None,
    event: Event = None,
    state: Annotated[
        Literal["pending", "delivered", "failed", "held", "parked", "superseded"] | None,
        typer.Option(help="Only in this state."),
    ] = None,
    since: Since = None,
    until: Until = None,
    *,
    json: Json = False,
) -> None:
    """List deliveries, the newest first."""
    now = datetime.now(UTC)
    query = {"tenant_id": tenant, "webhook_id": webhook, "event": event, "state": state}
    times = {"since": ago(since, now), "until": ago(until, now)}
    with open_api(where) as api:
        show_list(api, path_to("deliveries"), COLUMNS, pages, json=json, **query, **times)


@commands.command(epilog="Example: alertd deliveries show 0199c0de-0000-7000-8000-000000000002")
@grouped
def show(
    where: Where,
    delivery: Annotated[UUID, typer.Argument(metavar="ID", help="The delivery's id, as `list` shows it.")],
    *,
    json: Json = False,
) -> None:
    """Show one delivery: every attempt, how it was answered, and the body as it is sent."""
    with open_api(where) as api:
        found = api.get(path_to("deliveries", delivery))
    if json:
        print_json(found.raw)
        return
    print_table(("", ""), found.facts(without={"attempts"}))
    show_table(found.each("attempts"), ATTEMPTS)


@commands.command(epilog="Example: alertd deliveries replay --since 2026-01-05 --until 2026-01-06 --state failed")
@grouped
def replay(
    where: Where,
    delivery: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One delivery; or select below.")] = None,
    tenant: ForTenant = None,
    webhook: Endpoint = None,
    event: Event = None,
    state: Annotated[
        Literal["delivered", "failed", "held", "superseded"], typer.Option(help="In which state they are.")
    ] = "failed",
    since: Since = None,
    until: Until = None,
    *,
    json: Json = False,
) -> None:
    """Send again under the same webhook-id: one delivery, or the oldest 10,000 of those selected."""
    if (delivery is None) == (since is None):
        raise typer.BadParameter("name one delivery, or say --since")
    now = datetime.now(UTC)
    which = {"tenant_id": tenant, "webhook_id": webhook, "event": event, "state": state}
    with open_api(where) as api:
        if delivery is None:
            times = {"since": ago(since, now), "until": ago(until, now)}
            queued = api.post(path_to("deliveries", "replay"), {**which, **times})
            count = queued.number("queued")
        else:
            queued, count = api.post(path_to("deliveries", delivery, "replay")), 1
    show_outcome(queued, f"Sent again: {count}.", json=json)
