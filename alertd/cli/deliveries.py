"""`alertd deliveries`: what was sent to whom, how it was answered, and sending it again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from alertd.cli import direct
from alertd.cli.direct import Logged
from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import print_json, print_table, say
from alertd.config import Settings, load
from alertd.model import iso_utc
from alertd.process import configure_logging
from alertd.webhooks.deliveries import Delivery, Filter, LoggedAttempt
from alertd.webhooks.replay import REPLAYABLE, Selection

commands = typer.Typer(no_args_is_help=True, help="The delivery log.")

STATES: Final = ("pending", "delivered", "failed", "held", "parked", "superseded")
FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]

Tenant = Annotated[UUID | None, typer.Option(metavar="ID", help="Only this tenant's.")]
Endpoint = Annotated[UUID | None, typer.Option("--webhook", metavar="ID", help="Only to this endpoint.")]
Event = Annotated[str | None, typer.Option(metavar="TYPE", help="Only of this type: credential.failed, …")]
Since = Annotated[datetime | None, typer.Option(formats=FORMATS, help="Made then or later (UTC).")]
Until = Annotated[datetime | None, typer.Option(formats=FORMATS, help="Made before then (UTC).")]


@commands.command("list", epilog="Example: alertd deliveries list --state failed --since 2026-01-05")
def list_(
    config: ConfigFile = None,
    tenant: Tenant = None,
    webhook: Endpoint = None,
    event: Event = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help=f"One of {', '.join(STATES)}.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(metavar="C", help="Go on after a page: its next_cursor.")] = None,
    *,
    json: Json = False,
) -> None:
    """List deliveries, the newest first."""
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}")
    wanted = Filter(tenant, webhook, state, event, since=_utc(since), until=_utc(until))
    page = asyncio.run(direct.list_deliveries(_settings(config), wanted, limit=limit, cursor=cursor))
    if json:
        print_json({"items": [_as_json(one) for one in page.items], "next_cursor": page.next_cursor})
        return
    if page.items:
        print_table(("id", "made", "event", "state", "endpoint", "tenant"), [_row(one) for one in page.items])
    say(f"{len(page.items)} deliveries." + (f" More: --cursor {page.next_cursor}" if page.next_cursor else ""))


@commands.command(epilog="Example: alertd deliveries show 0199c0de-0000-7000-8000-000000000002")
def show(
    delivery: Annotated[UUID, typer.Argument(metavar="ID", help="The delivery's id, as `list` shows it.")],
    config: ConfigFile = None,
    *,
    json: Json = False,
) -> None:
    """Show one delivery: every attempt, how it was answered, and the body as it is sent."""
    logged = asyncio.run(direct.show_delivery(_settings(config), delivery))
    if json:
        attempts = [_attempt_as_json(attempt) for attempt in logged.attempts]
        body = (logged.body or b"").decode()
        print_json({**_as_json(logged.delivery), "attempts": attempts, "body": body})
        return
    _tell(logged)


@commands.command(epilog="Example: alertd deliveries replay --since 2026-01-05 --until 2026-01-06 --state failed")
def replay(
    delivery: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One delivery; or select below.")] = None,
    config: ConfigFile = None,
    tenant: Tenant = None,
    webhook: Endpoint = None,
    event: Event = None,
    state: Annotated[str, typer.Option(metavar="STATE", help=f"One of {', '.join(REPLAYABLE)}.")] = "failed",
    since: Since = None,
    until: Until = None,
    *,
    json: Json = False,
) -> None:
    """Send again under the same webhook-id: one delivery, or the oldest 10,000 of those selected, spread over time."""
    if (delivery is None) == (since is None):
        raise typer.BadParameter("name one delivery, or say --since")
    if state not in REPLAYABLE:
        raise typer.BadParameter(f"--state is one of {', '.join(REPLAYABLE)}: the others are still on their way")
    settings = _settings(config)
    if delivery is not None:
        queued = asyncio.run(direct.replay_one(settings, delivery))
    else:
        selection = Selection(_utc(since), _utc(until), state, webhook, tenant, event)
        queued = asyncio.run(direct.replay_many(settings, selection))
    if json:
        print_json({"queued": queued})
    else:
        say(f"{queued} deliveries are sent again.")


def _settings(config: Path | None) -> Settings:
    settings = load(config)
    configure_logging(level="ERROR", format="console")
    return settings


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _row(one: Delivery) -> tuple[str, ...]:
    cells = (one.id, iso_utc(one.created_at), one.event, one.state, one.webhook_id, one.tenant_id or "operators")
    return tuple(str(cell) for cell in cells)


def _tell(logged: Logged) -> None:
    one = logged.delivery
    facts = {
        **{name: value for name, value in _as_json(one).items() if value not in (None, 0)},
        "body": (logged.body or b"").decode(),
    }
    print_table(("", ""), [(name, str(value)) for name, value in facts.items()])
    columns = ("at", "attempt", "outcome", "status", "error", "ms", "address", "answer")
    print_table(columns, [_attempt_row(attempt) for attempt in logged.attempts])


def _attempt_row(attempt: LoggedAttempt) -> tuple[str, ...]:
    cells = (iso_utc(attempt.at), attempt.number, attempt.outcome or "under way", attempt.status, attempt.error)
    rest = (attempt.duration_ms, attempt.address, attempt.response)
    return tuple("" if cell is None else str(cell) for cell in (*cells, *rest))


def _as_json(one: Delivery) -> dict[str, object]:
    return {
        "id": str(one.id),
        "webhook_id": str(one.webhook_id),
        "tenant_id": None if one.tenant_id is None else str(one.tenant_id),
        "event": one.event,
        "event_id": one.event_id,
        "source": one.source,
        "state": one.state,
        "left_out": one.left_out,
        "superseded_by": None if one.superseded_by is None else str(one.superseded_by),
        "next_attempt_at": iso_utc(one.next_attempt_at),
        "created_at": iso_utc(one.created_at),
        "finished_at": iso_utc(one.finished_at),
    }


def _attempt_as_json(attempt: LoggedAttempt) -> dict[str, object]:
    return {
        "at": iso_utc(attempt.at),
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
        "error": attempt.error,
        "response": attempt.response,
    }
