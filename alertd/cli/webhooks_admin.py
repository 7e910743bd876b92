"""`alertd webhooks list|add|…`: what operators do with tenants' endpoints. A secret is shown once, where it is made."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import typer

from alertd.cli import direct
from alertd.cli.direct import Logged
from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import FAILED, complain, print_json, print_table, say
from alertd.config import Settings, load
from alertd.model import iso_utc
from alertd.process import configure_logging
from alertd.webhooks.endpoints import Draft, Webhook

commands = typer.Typer()

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The endpoint's id, as `list` shows it.")]
Answer = TypeVar("Answer")

LONGEST_OVERLAP_HOURS: Final = 720.0


@commands.command("list", epilog="Example: alertd webhooks list --json")
def list_(
    config: ConfigFile = None,
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="Only this tenant's endpoints.")] = None,
    *,
    json: Json = False,
) -> None:
    """Say which endpoints there are, and which of them are switched off or left alone."""
    found = _run(direct.list_webhooks(_settings(config), tenant))
    if json:
        print_json([_as_json(webhook) for webhook in found])
        return
    if found:
        print_table(("id", "tenant", "url", "events", "state", "failures"), [_row(webhook) for webhook in found])
    say(f"{len(found)} endpoints.")


@commands.command(
    epilog="Example: alertd webhooks add 7c9e6679-7425-40de-944b-e07fc1f90ae7 https://hooks.example.com/alertd"
)
def add(
    tenant: Annotated[UUID, typer.Argument(metavar="TENANT", help="The tenant's UUID.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="https://…, on public addresses unless allowed.")],
    config: ConfigFile = None,
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
    draft = Draft(tenant, url, tuple(event or ()), description, _headers(headers.read() if headers else "{}"))
    saved = _run(direct.add_webhook(_settings(config), draft))
    added = saved.added
    if json:
        shown = {**_as_json(added.webhook), "secret": added.secret, "current_failures": saved.current}
        print_json({**shown, "notes": list(saved.notes)})
        return
    say(f"Added endpoint {added.webhook.id}; its secret, shown this once:")
    sys.stdout.write(added.secret + "\n")
    for note in saved.notes:
        say(f"note: {note}")
    if saved.current:
        say(f"{saved.current} keys of this tenant fail at the moment; the daemon tells the endpoint of each.")


@commands.command("test", epilog="Example: alertd webhooks test 0199c0de-0000-7000-8000-000000000001")
def try_out(
    webhook: Id,
    config: ConfigFile = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to look for the answer.")] = 15.0,
    *,
    json: Json = False,
) -> None:
    """Let a running daemon send a test message; exit 1 unless the endpoint took it."""
    logged = _run(direct.test_webhook(_settings(config), webhook, within=timedelta(seconds=wait)))
    state = logged.delivery.state
    if json:
        print_json({"event_id": logged.delivery.event_id, "state": state, **_last_try(logged)})
    elif state == "delivered":
        say(f"The endpoint took it: {_last_words(logged)}.")
    elif state == "pending":
        complain("The test is queued and was not sent yet: is a daemon running?")
    else:
        complain(f"The endpoint did not take it: {_last_words(logged)}.")
    if state != "delivered":
        raise typer.Exit(FAILED)


@commands.command(epilog="Example: alertd webhooks enable 0199c0de-0000-7000-8000-000000000001")
def enable(webhook: Id, config: ConfigFile = None) -> None:
    """Switch an endpoint on, close its circuit, and send the latest state of what waited."""
    messages = _run(direct.switch_webhook(_settings(config), webhook, "enable"))
    say(f"Switched on; {messages} messages are sent.")


@commands.command(epilog="Example: alertd webhooks disable 0199c0de-0000-7000-8000-000000000001")
def disable(webhook: Id, config: ConfigFile = None) -> None:
    """Switch an endpoint off; its messages wait."""
    messages = _run(direct.switch_webhook(_settings(config), webhook, "disable"))
    say(f"Switched off; {messages} messages wait.")


@commands.command(epilog="Example: alertd webhooks reset 0199c0de-0000-7000-8000-000000000001")
def reset(webhook: Id, config: ConfigFile = None) -> None:
    """Close an endpoint's circuit now, and send the latest state of what waited."""
    messages = _run(direct.switch_webhook(_settings(config), webhook, "reset"))
    say(f"The circuit is closed; {messages} messages are sent.")


@commands.command(
    "rotate-secret",
    epilog="Example: alertd webhooks rotate-secret 0199c0de-0000-7000-8000-000000000001 --overlap-hours 48",
)
def rotate_secret(
    webhook: Id,
    config: ConfigFile = None,
    overlap_hours: Annotated[
        float, typer.Option(metavar="H", min=0, max=LONGEST_OVERLAP_HOURS, help="How long both secrets sign.")
    ] = 24.0,
    *,
    json: Json = False,
) -> None:
    """Make a new secret and show it this once; the old one signs beside it until the overlap is over."""
    overlap = timedelta(hours=overlap_hours)
    secret = _run(direct.rotate_secret(_settings(config), webhook, overlap=overlap))
    if json:
        print_json({"id": str(webhook), "secret": secret, "overlap_hours": overlap_hours})
        return
    say("The new secret, shown this once:")
    sys.stdout.write(secret + "\n")


@commands.command("commit-secret", epilog="Example: alertd webhooks commit-secret 0199c0de-0000-7000-8000-000000000001")
def commit_secret(webhook: Id, config: ConfigFile = None) -> None:
    """End a rotation: from now on the new secret signs alone."""
    _run(direct.commit_secret(_settings(config), webhook))
    say("The new secret signs alone.")


@commands.command(epilog="Example: alertd webhooks remove 0199c0de-0000-7000-8000-000000000001 --yes")
def remove(
    webhook: Id,
    config: ConfigFile = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an endpoint with its deliveries and their log."""
    settings = _settings(config)
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask at; say --yes")
    if not yes:
        typer.confirm(f"Remove endpoint {webhook} and its delivery log?", abort=True, err=True)
    _run(direct.remove_webhook(settings, webhook))
    say(f"Removed endpoint {webhook}.")


def _settings(config: Path | None) -> Settings:
    settings = load(config)
    configure_logging(level="ERROR", format="console")
    return settings


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    return asyncio.run(work)


def _headers(text: str) -> Mapping[str, str]:
    try:
        headers = json.loads(text)
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise typer.BadParameter("the headers are not a JSON object of strings")
    return headers


def _row(webhook: Webhook) -> tuple[str, ...]:
    cells = (
        webhook.id,
        webhook.tenant_id,
        webhook.url,
        ", ".join(webhook.event_types),
        _state(webhook),
        webhook.consecutive_failures,
    )
    return tuple(str(cell) for cell in cells)


def _state(webhook: Webhook) -> str:
    if not webhook.is_active:
        return f"off ({webhook.disabled_reason})" if webhook.disabled_reason else "off"
    return "on" if webhook.circuit == "closed" else f"circuit {webhook.circuit}"


def _as_json(webhook: Webhook) -> dict[str, object]:
    return {
        "id": str(webhook.id),
        "tenant_id": str(webhook.tenant_id),
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "description": webhook.description,
        "has_headers": webhook.has_headers,
        "is_active": webhook.is_active,
        "disabled_reason": webhook.disabled_reason,
        "circuit": webhook.circuit,
        "circuit_until": iso_utc(webhook.circuit_until),
        "consecutive_failures": webhook.consecutive_failures,
        "rotation_ends_at": iso_utc(webhook.rotation_ends_at),
        "created_at": iso_utc(webhook.created_at),
    }


def _last_try(logged: Logged) -> dict[str, object]:
    last = logged.attempts[-1] if logged.attempts else None
    return {
        "status": None if last is None else last.status,
        "error": None if last is None else last.error,
        "duration_ms": None if last is None else last.duration_ms,
    }


def _last_words(logged: Logged) -> str:
    last = logged.attempts[-1]
    how = last.error or f"status {last.status}"
    return f"{how} after {last.duration_ms or 0} ms"
