"""`alertd alerts`: what fires, who looks after it, and why somebody was told of it or was not."""

from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.options import ForTenant, Json, Pages, Where
from alertd.cli.outcome import print_json, print_table, say
from alertd.cli.showing import Columns, show_list, show_object, show_outcome

commands = typer.Typer(no_args_is_help=True, help="The alerts.")

COLUMNS: Final[Columns] = {
    "id": "id",
    "state": "state",
    "severity": "severity",
    "check": "check",
    "subject": "subject",
    "rule": "rule",
    "tenant": "tenant_id",
    "since": "started_at",
    "acknowledged by": "acked_by",
}

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The alert's id, as `list` shows it.")]


@commands.command("list", epilog="Example: alertd alerts list --state firing")
@grouped
def list_(
    where: Where,
    pages: Pages,
    state: Annotated[Literal["pending", "firing", "resolved"] | None, typer.Option(help="Only in this state.")] = None,
    severity: Annotated[
        Literal["info", "warning", "critical", "emergency"] | None, typer.Option(help="Only this loud.")
    ] = None,
    check: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this check.")] = None,
    tenant: ForTenant = None,
    *,
    json: Json = False,
) -> None:
    """List alerts, the newest first."""
    query = {"state": state, "severity": severity, "check": check, "tenant_id": tenant}
    with open_api(where) as api:
        show_list(api, path_to("alerts"), COLUMNS, pages, json=json, **query)


@commands.command(epilog="Example: alertd alerts show 0199c0de-0000-7000-8000-000000000003")
@grouped
def show(where: Where, alert: Id, *, json: Json = False) -> None:
    """Show one alert with everything on file about it."""
    with open_api(where) as api:
        show_object(api.get(path_to("alerts", alert)), json=json)


@commands.command(epilog='Example: alertd alerts ack 0199c0de-0000-7000-8000-000000000003 --comment "on it"')
@grouped
def ack(
    where: Where,
    alert: Id,
    comment: Annotated[str, typer.Option(metavar="TEXT", help="For the others.")] = "",
    *,
    json: Json = False,
) -> None:
    """Acknowledge an alert: no reminders and no escalation until it is over."""
    with open_api(where) as api:
        acked = api.post(path_to("alerts", alert, "ack"), {"comment": comment})
    show_outcome(acked, f"Acknowledged by {acked.text('acked_by')}; no reminders until it is over.", json=json)


@commands.command(epilog="Example: alertd alerts explain 0199c0de-0000-7000-8000-000000000003")
@grouped
def explain(where: Where, alert: Id, *, json: Json = False) -> None:
    """Say why somebody was told of an alert, or was not: every decision, in order."""
    with open_api(where) as api:
        subject = api.get(path_to("alerts", alert))
        explained = api.get(path_to("alerts", alert, "explain"))
    if json:
        print_json(explained.raw)
        return
    say(f"{subject.text('check')} {subject.text('subject')} {subject.text('rule')}: {subject.text('state')}".strip())
    decisions = explained.each("decisions")
    print_table(("", "when", "decision"), [_step(number, one) for number, one in enumerate(decisions, 1)])


def _step(number: int, decision: Answer) -> tuple[str, ...]:
    return str(number), decision.text("at"), decision.text("text")
