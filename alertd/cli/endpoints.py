"""`alertd webhooks list|add|…`: what people do with tenants' endpoints; a secret is shown once, where it is made."""

import json as jsons
import time
from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import Api, open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.options import ForTenant, Json, Pages, Where, Yes
from alertd.cli.outcome import FAILED, complain, confirm, hand_over, print_json, say
from alertd.cli.showing import Columns, show_list, show_object, show_outcome
from alertd.cli.webhooks import commands

__all__ = ["commands"]  # of the group to which these are added

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The endpoint's id, as `list` shows it.")]

LONGEST_OVERLAP_HOURS: Final = 720.0
LOOK_SECONDS: Final = 0.2
UNDER_WAY: Final = "pending"
TAKEN: Final = "delivered"


def _state(webhook: Answer) -> str:
    if not webhook.value("is_active"):
        reason = webhook.text("disabled_reason")
        return f"off ({reason})" if reason else "off"
    circuit = webhook.text("circuit")
    return "on" if circuit == "closed" else f"circuit {circuit}"


COLUMNS: Final[Columns] = {
    "id": "id",
    "tenant": "tenant_id",
    "url": "url",
    "events": "event_types",
    "state": _state,
    "failures": "consecutive_failures",
    "description": "description",
}


@commands.command("list", epilog="Example: alertd webhooks list --json")
@grouped
def list_(where: Where, pages: Pages, tenant: ForTenant = None, *, json: Json = False) -> None:
    """List the endpoints, and which of them are switched off or left alone."""
    with open_api(where) as api:
        show_list(api, path_to("webhooks"), COLUMNS, pages, json=json, tenant_id=tenant)


@commands.command(epilog="Example: alertd webhooks show 0199c0de-0000-7000-8000-000000000001")
@grouped
def show(where: Where, webhook: Id, *, json: Json = False) -> None:
    """Show one endpoint, without its secrets."""
    with open_api(where) as api:
        show_object(api.get(path_to("webhooks", webhook)), json=json)


@commands.command(
    epilog="Example: alertd webhooks add 7c9e6679-7425-40de-944b-e07fc1f90ae7 https://hooks.example.com/alertd"
)
@grouped
def add(
    where: Where,
    tenant: Annotated[UUID, typer.Argument(metavar="TENANT", help="The tenant's UUID.")],
    receiver: Annotated[str, typer.Argument(metavar="URL", help="https://…, on public addresses unless allowed.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="TYPE", help="Only this type; may be repeated.")
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="For people.")] = "",
    headers: Annotated[
        typer.FileText | None,
        typer.Option(metavar="FILE", help="Headers to send along, a JSON object; - is standard input."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Add an endpoint, show its secret this once, and send it what fails at the moment."""
    wish = {"tenant_id": tenant, "url": receiver, "event_types": event or [], "description": description}
    sent_along = {"headers": _headers(headers.read())} if headers else {}
    with open_api(where) as api:
        added = api.post(path_to("webhooks"), wish | sent_along)
    if json:
        print_json(added.raw)
        return
    hand_over(added.text("secret"), f"Added endpoint {added.text('id')}; its secret, shown this once:")
    if notes := added.text("notes"):
        say(f"note: {notes}")


@commands.command("test", epilog="Example: alertd webhooks test 0199c0de-0000-7000-8000-000000000001")
@grouped
def try_out(
    where: Where,
    webhook: Id,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to look for the answer.")] = 15.0,
    *,
    json: Json = False,
) -> None:
    """Send a test message; exit 1 unless the endpoint took it."""
    with open_api(where) as api:
        event_id = api.post(path_to("webhooks", webhook, "test")).text("event_id")
        delivery = _awaited(api, event_id, time.monotonic() + wait)
    state = delivery.text("state")
    if json:
        print_json(delivery.raw)
    elif state == TAKEN:
        say(f"The endpoint took it: {_last_words(delivery)}.")
    elif state == UNDER_WAY:
        complain(f"No answer yet{_so_far(delivery)}. Later: alertd deliveries show {delivery.text('id')}")
    else:
        complain(f"The endpoint did not take it{_so_far(delivery)}.")
    if state != TAKEN:
        raise typer.Exit(FAILED)


@commands.command(epilog="Example: alertd webhooks enable 0199c0de-0000-7000-8000-000000000001")
@grouped
def enable(where: Where, webhook: Id, *, json: Json = False) -> None:
    """Switch an endpoint on, close its circuit, and send the latest state of what waited."""
    _switch(where, webhook, "enable", "Switched on; messages sent: {}.", json=json)


@commands.command(epilog="Example: alertd webhooks disable 0199c0de-0000-7000-8000-000000000001")
@grouped
def disable(where: Where, webhook: Id, *, json: Json = False) -> None:
    """Switch an endpoint off; its messages wait."""
    _switch(where, webhook, "disable", "Switched off; messages that wait: {}.", json=json)


@commands.command(epilog="Example: alertd webhooks reset 0199c0de-0000-7000-8000-000000000001")
@grouped
def reset(where: Where, webhook: Id, *, json: Json = False) -> None:
    """Close an endpoint's circuit now, and send the latest state of what waited."""
    _switch(where, webhook, "reset", "The circuit is closed; messages sent: {}.", json=json)


@commands.command(
    "rotate-secret",
    epilog="Example: alertd webhooks rotate-secret 0199c0de-0000-7000-8000-000000000001 --overlap-hours 48",
)
@grouped
def rotate_secret(
    where: Where,
    webhook: Id,
    overlap_hours: Annotated[
        float, typer.Option(metavar="H", min=0, max=LONGEST_OVERLAP_HOURS, help="How long both secrets sign.")
    ] = 24.0,
    *,
    json: Json = False,
) -> None:
    """Make a new secret and show it this once; the old one signs beside it until the overlap is over."""
    with open_api(where) as api:
        rotated = api.post(path_to("webhooks", webhook, "rotate-secret"), {"overlap_hours": overlap_hours})
    if json:
        print_json(rotated.raw)
    else:
        hand_over(rotated.text("secret"), "The new secret, shown this once:")


@commands.command("commit-secret", epilog="Example: alertd webhooks commit-secret 0199c0de-0000-7000-8000-000000000001")
@grouped
def commit_secret(where: Where, webhook: Id, *, json: Json = False) -> None:
    """End a rotation: from now on the new secret signs alone."""
    with open_api(where) as api:
        committed = api.post(path_to("webhooks", webhook, "commit-secret"))
    show_outcome(committed, "The new secret signs alone.", json=json)


@commands.command(epilog="Example: alertd webhooks remove 0199c0de-0000-7000-8000-000000000001 --yes")
@grouped
def remove(where: Where, webhook: Id, *, yes: Yes = False) -> None:
    """Remove an endpoint with its deliveries and their log."""
    with open_api(where) as api:
        confirm(f"Remove endpoint {webhook} and its delivery log?", yes=yes)
        api.delete(path_to("webhooks", webhook))
    say(f"Removed endpoint {webhook}.")


def _switch(where: Where, webhook: UUID, verb: str, said: str, *, json: bool) -> None:
    with open_api(where) as api:
        switched = api.post(path_to("webhooks", webhook, verb))
    show_outcome(switched, said.format(switched.number("messages")), json=json)


def _awaited(api: Api, event_id: str, until: float) -> Answer:
    """The delivery of a test, once it is over or nobody waits any longer."""
    while True:
        (delivery,) = api.get(path_to("deliveries"), event_id=event_id).each("items")
        if delivery.text("state") != UNDER_WAY or time.monotonic() >= until:
            return delivery
        time.sleep(LOOK_SECONDS)


def _last_words(delivery: Answer) -> str:
    last = delivery.each("attempts")[-1]
    how = last.text("error") or f"status {last.text('status')}"
    return f"{how} after {last.number('duration_ms')} ms"


def _so_far(delivery: Answer) -> str:
    tried = [attempt for attempt in delivery.each("attempts") if attempt.value("duration_ms") is not None]
    return f": {_last_words(delivery)}" if tried else ""


def _headers(text: str) -> Mapping[str, str]:
    try:
        headers = jsons.loads(text)
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise typer.BadParameter("the headers are not a JSON object of strings")
    return headers
