"""`alertd events`: what happens, as it happens, until Ctrl-C."""

import json as jsons
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.options import Json, Where
from alertd.cli.outcome import print_json, say

EXAMPLE: Final = "Example: alertd events --count 1"


@dataclass(frozen=True, slots=True)
class News:
    """One item of the stream: an event with its id, or an alert or a sweep that changed."""

    kind: str
    body: dict[str, Any]
    id: str


@grouped
def events(
    where: Where,
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="Only what is about this tenant.")] = None,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="The id of an event (evt_…): those since then come first.")
    ] = None,
    count: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after so many.")] = None,
    *,
    json: Json = False,
) -> None:
    """Follow events as they are stored, alerts as they change, and sweeps as they get on."""
    with suppress(KeyboardInterrupt), open_api(where) as api:
        lines = api.follow(path_to("events", "stream"), tenant_id=tenant, after=after)
        for number, news in enumerate(read(lines), 1):
            _show(news, json=json)
            if number == count:
                return
        say("The daemon ended the stream.")
        raise typer.Exit(1)


def read(lines: Iterable[str]) -> Iterator[News]:
    """Server-sent events, each ended by an empty line; comments are passed over."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line:
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield News(fields.get("event", ""), jsons.loads(fields["data"]), fields.get("id", ""))
        fields = {}


def _show(news: News, *, json: bool) -> None:
    if json:
        print_json({"kind": news.kind, "id": news.id, "body": news.body})
    else:
        sys.stdout.write(_line(news) + "\n")
    sys.stdout.flush()


def _line(news: News) -> str:
    now = datetime.now(UTC)
    body = Answer(news.body, now)
    match news.kind:
        case "event":
            words = [body.text(name) for name in ("event", "tenant_id", "exchange", "reason", "message", "id")]
        case "alert":
            names = ("state", "severity", "check", "subject", "rule", "tenant_id", "id")
            words = ["alert", *(body.text(name) for name in names)]
        case _:
            words = [
                news.kind,
                body.text("state"),
                f"{body.number('checked')} of {body.number('total')}",
                body.text("id"),
            ]
    return f"{now:%Y-%m-%d %H:%M:%S}Z  " + " ".join(word for word in words if word)
