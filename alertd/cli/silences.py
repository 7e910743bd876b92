"""`alertd silences`: alerts that match are recorded and nobody is told; each has a comment and an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from alertd.cli import alerts
from alertd.cli.answers import Answer
from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.moments import ahead
from alertd.cli.options import Json, Pages, Where
from alertd.cli.outcome import print_json, say
from alertd.cli.showing import Columns, show_list, show_outcome, show_table

commands = typer.Typer(no_args_is_help=True, help="Silences: alerts that match are recorded, and nobody is told.")

WORDS: Final = "A word or a glob (binance*); may be repeated."


@dataclass(frozen=True, slots=True)
class Matching:
    """What an alert must be, in all that is given."""

    tenant: Annotated[list[str] | None, typer.Option(metavar="ID", help=WORDS)] = None
    check: Annotated[list[str] | None, typer.Option(metavar="NAME", help=WORDS)] = None
    subject: Annotated[list[str] | None, typer.Option(metavar="TEXT", help=WORDS)] = None
    exchange: Annotated[list[str] | None, typer.Option(metavar="NAME", help=WORDS)] = None

    @property
    def matchers(self) -> Mapping[str, Sequence[str]]:
        """Raises BadParameter for none: that would silence everything."""
        given = {"tenant": self.tenant, "check": self.check, "subject": self.subject, "exchange": self.exchange}
        found = {label: values for label, values in given.items() if values}
        if not found:
            raise typer.BadParameter("say what to match: --tenant, --check, --subject, --exchange")
        return found


def _matched(silence: Answer) -> str:
    return "; ".join(f"{label} {values}" for label, values in silence.inner("matchers").facts())


COLUMNS: Final[Columns] = {
    "id": "id",
    "state": "state",
    "matches": _matched,
    "comment": "comment",
    "by": "created_by",
    "begins": "starts_at",
    "ends": "ends_at",
    "expired by": "expired_by",
}


@commands.command("list", epilog="Example: alertd silences list --state active")
@grouped
def list_(
    where: Where,
    pages: Pages,
    state: Annotated[Literal["pending", "active", "expired"] | None, typer.Option(help="Only in this state.")] = None,
    *,
    json: Json = False,
) -> None:
    """List silences, the newest first."""
    with open_api(where) as api:
        show_list(api, path_to("silences"), COLUMNS, pages, json=json, state=state)


@commands.command(epilog='Example: alertd silences add --exchange kraken --until 2h --comment "maintenance at Kraken"')
@grouped
def add(
    where: Where,
    matching: Matching,
    comment: Annotated[str, typer.Option(metavar="TEXT", help="Why.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When it ends: 2h, 7d, 2026-01-05T18:00Z.")] = "1h",
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="When it begins; default: now.")] = None,
    *,
    json: Json = False,
) -> None:
    """Silence what matches all that is given; the author is known from the key."""
    now = datetime.now(UTC)
    wish = {"matchers": matching.matchers, "comment": comment, "starts_at": ahead(begin, now)}
    with open_api(where) as api:
        added = api.post(path_to("silences"), {**wish, "ends_at": ahead(until, now)})
    show_outcome(added, f"Silence {added.text('id')} ends at {added.text('ends_at')}.", json=json)


@commands.command(epilog="Example: alertd silences preview --exchange kraken")
@grouped
def preview(where: Where, matching: Matching, *, json: Json = False) -> None:
    """Say which alerts that fire now a silence would cover; nothing is changed."""
    with open_api(where) as api:
        covered = api.post(path_to("silences", "preview"), {"matchers": matching.matchers})
    if json:
        print_json(covered.raw)
        return
    show_table(covered.each("items"), alerts.COLUMNS)
    say(f"{covered.number('count')} alerts that fire now would be covered.")


@commands.command(epilog="Example: alertd silences expire 0199c0de-0000-7000-8000-000000000004")
@grouped
def expire(
    where: Where,
    silence: Annotated[UUID, typer.Argument(metavar="ID", help="The silence's id, as `list` shows it.")],
    *,
    json: Json = False,
) -> None:
    """End a silence now; alerts that still fire are told at their next finding."""
    with open_api(where) as api:
        ended = api.post(path_to("silences", silence, "expire"))
    show_outcome(ended, f"Silence {silence} is over.", json=json)
