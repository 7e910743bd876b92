"""`alertd performance`: hand in what platforms know of accounts and strategies, and see how they stand."""

import json as jsons
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import Api, open_api, path_to
from alertd.cli.faults import NotDone
from alertd.cli.grouping import grouped
from alertd.cli.options import ForTenant, Json, Pages, Where
from alertd.cli.outcome import print_json, print_table, say
from alertd.cli.showing import Columns, show_list, show_table

commands = typer.Typer(no_args_is_help=True, help="Accounts and strategies.")

Kind = Literal["returns", "equity", "cashflows", "windows", "references", "limits"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CSV, JSON = "text/csv", "application/json"
MOST_ROWS: Final = 10_000  # that the daemon takes at once
WHOLE: Final = frozenset({"references", "limits"})  # whose rows belong together, or are few
COUNTS: Final = ("inserted", "updated", "unchanged")
# Told below the rest, or for drawing.
ELSEWHERE: Final = frozenset({"checks", "registration", "days", "cone", "equity", "cusum_limits"})

REPORTS: Final[Columns] = {
    "subject": "subject",
    "reference": "reference.version",
    "from": "reference.active_from",
    "outlook": "reference.registration.outlook",
    "advice": "reference.registration.advice",
}


def _waits(subject: Answer) -> str:
    """What is missing before everything can be judged."""
    waits = subject.inner("waits_for")
    return f"{waits.text('rule')}: {waits.text('have')} of {waits.text('need')}" if waits.raw else ""


SUBJECTS: Final[Columns] = {
    "id": "id",
    "subject": "subject",
    "kind": "kind",
    "status": "status",
    "waits for": _waits,
    "live days": "live_days",
    "last day": "last_day",
    "equity": "last_equity.equity",
    "outlook": "reference.outlook",
}
FINDINGS: Final = ("check", "as of", "rule", "status", "what it says")


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a file as is taken at once, all or none; `first` is its first row, counted from 1."""

    content: bytes
    first: int


@commands.command(
    "import", epilog="Example: alertd performance import returns.csv --tenant 7c9e6679-7425-40de-944b-e07fc1f90ae7"
)
@grouped
def import_(
    where: Where,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with a heading, or a JSON array.", exists=True, dir_okay=False)
    ],
    kind: Annotated[
        Kind | None, typer.Option(help="What it holds; default: what its name begins with, as in returns-2026.csv.")
    ] = None,
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="For rows without a tenant_id.")] = None,
    subject: Annotated[str | None, typer.Option(metavar="NAME", help="For rows without a subject.")] = None,
    *,
    json: Json = False,
) -> None:
    """Hand in returns, equity, cash flows, walk-forward windows, references or limits.

    What is stored already is replaced; the same file may be handed in again. Each 10,000 rows are taken all or none.
    """
    what = kind or _kind_of(file)
    content = file.read_bytes().removeprefix(BOM_UTF8)
    media_type = JSON if content.lstrip()[:1] in {b"[", b"{"} else CSV
    cut = _parts_of_json if media_type == JSON else _parts_of_csv
    parts = [Part(content, 1)] if what in WHOLE else list(cut(content))
    with open_api(where) as api:
        receipts = list(_handed_in(api, what, parts, media_type, {"tenant_id": tenant, "subject": subject}))
    total = _sum(receipts)
    if json:
        print_json(total)
        return
    show_table(tuple(report for receipt in receipts for report in receipt.each("reports")), REPORTS)
    say(", ".join(f"{count} {total[count]}" for count in COUNTS) + f"; subjects: {len(total['subjects'])}.")


@commands.command(epilog="Example: alertd performance status --kind strategy")
@grouped
def status(
    where: Where,
    pages: Pages,
    subject: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One subject, in detail.")] = None,
    tenant: ForTenant = None,
    kind: Annotated[Literal["account", "strategy"] | None, typer.Option(help="Only such.")] = None,
    *,
    json: Json = False,
) -> None:
    """List accounts and strategies and how each stands; or say of one what every rule says."""
    with open_api(where) as api:
        if subject is None:
            path = path_to("performance", "subjects")
            show_list(api, path, SUBJECTS, pages, json=json, tenant_id=tenant, kind=kind)
            return
        found = api.get(path_to("performance", "subjects", subject))
    if json:
        print_json(found.raw)
    else:
        _tell(found)


def _tell(subject: Answer) -> None:
    print_table(("", ""), [*subject.facts(without=ELSEWHERE), *subject.inner("registration.registration").facts()])
    rows = [
        (check.text("check"), check.text("as_of"), *(finding.text(name) for name in ("rule", "status", "message")))
        for check in subject.each("checks")
        for finding in check.each("findings")
    ]
    if rows:
        print_table(FINDINGS, rows)
    else:
        say("No check has looked at it yet.")


def _kind_of(file: Path) -> Kind:
    """Raises BadParameter."""
    found = next((kind for kind in KINDS if file.name.startswith(kind)), None)
    if found is None:
        raise typer.BadParameter(f"say with --kind what {file.name} holds: {', '.join(KINDS)}")
    return found


def _handed_in(
    api: Api, what: Kind, parts: Sequence[Part], media_type: str, query: Mapping[str, object]
) -> Iterator[Answer]:
    """The receipts. Raises NotDone, which says what is stored by then."""
    for part in parts:
        try:
            yield api.upload(path_to("performance", what), part.content, media_type, **query)
        except NotDone as exc:
            before = f"The {part.first - 1} rows before row {part.first} are stored." if part.first > 1 else ""
            raise NotDone(str(exc), before) from None


def _parts_of_json(content: bytes) -> Iterator[Part]:
    """As few as possible; what is no array goes as it is, and the daemon says what is wrong."""
    try:
        rows = jsons.loads(content)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or len(rows) <= MOST_ROWS:
        yield Part(content, 1)
        return
    for start in range(0, len(rows), MOST_ROWS):
        yield Part(jsons.dumps(rows[start : start + MOST_ROWS]).encode(), start + 1)


def _parts_of_csv(content: bytes) -> Iterator[Part]:
    """As few as possible; with quotes, which may span lines, the whole.

    Empty lines stand for those of earlier parts, so that the daemon names lines as the file has them.
    """
    heading, *rows = content.splitlines() or [b""]
    if len(rows) <= MOST_ROWS or b'"' in content:
        yield Part(content, 1)
        return
    for start in range(0, len(rows), MOST_ROWS):
        lines = [heading, *([b""] * start), *rows[start : start + MOST_ROWS]]
        yield Part(b"\n".join(lines), start + 1)


def _sum(receipts: Sequence[Answer]) -> dict[str, Any]:
    """One receipt for all parts."""
    counts = {count: sum(receipt.number(count) for receipt in receipts) for count in COUNTS}
    subjects = {one.text("id"): one.raw for receipt in receipts for one in receipt.each("subjects")}
    reports = [one.raw for receipt in receipts for one in receipt.each("reports")]
    return {**counts, "subjects": list(subjects.values()), **({"reports": reports} if reports else {})}
