"""`alertd schedule`: the scheduled checks, when they run, how they went, and running one by hand."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import open_api, path_to
from alertd.cli.grouping import grouped
from alertd.cli.moments import ago
from alertd.cli.options import Json, Pages, Since, Until, Where
from alertd.cli.outcome import FAILED, complain, print_json, print_table, say
from alertd.cli.showing import Columns, show_list, show_outcome, show_table

commands = typer.Typer(no_args_is_help=True, help="The scheduled checks.")

PATH: Final = "/api/performance-alerts/schedule"


def _went(run: Answer) -> str:
    """How a run went; a check that was on time and found nothing to look at is no success."""
    match run.value("success"):
        case None:
            return run.text("state") or "under way"
        case True:
            return "well"
        case _:
            return run.text("error_message") or "failed"


def _last(check: Answer) -> str:
    runs = check.each("recent_executions")
    return _went(runs[0]) if runs else ""


COLUMNS: Final[Columns] = {
    "name": "name",
    "runs": "frequency",
    "at": "time_of_day",
    "enabled": "enabled",
    "last run": "last_run",
    "it went": _last,
    "next run": "next_run",
}
RUNS: Final[Columns] = {
    "execution": "execution_id",
    "check": "name",
    "scheduled": "scheduled_at",
    "source": "source",
    "by": "requested_by",
    "attempts": "attempt_count",
    "completed": "completed_at",
    "it went": _went,
}

# Of a rehearsal: what would be sent.
MESSAGES: Final = ("would_send",)
SENDING: Final[Columns] = {
    "event": "event",
    "tenant": "tenant_id",
    "subject": "subject",
    "rule": "rule",
    "severity": "severity",
    "endpoints": "endpoints",
    "message": "message",
}

Check = Annotated[str, typer.Argument(metavar="NAME", help="The check's name, as `list` shows it.")]


@commands.command("list", epilog="Example: alertd schedule list")
@grouped
def list_(where: Where, *, json: Json = False) -> None:
    """List the checks: when they run, and how they went."""
    with open_api(where) as api:
        status = api.get(f"{PATH}/status")
    if json:
        print_json(status.raw)
        return
    show_table(status.each("data.scheduled_alerts"), COLUMNS)
    if not status.value("data.scheduler_running"):
        say("warning: the scheduler does not run.")


@commands.command(epilog="Example: alertd schedule run credential_health_check --dry")
@grouped
def run(
    where: Where,
    name: Check,
    *,
    dry: Annotated[bool, typer.Option("--dry", help="Say what would be sent; nothing is stored or sent.")] = False,
    json: Json = False,
) -> None:
    """Run a check now, one attempt, also one that is switched off; exit 1 unless it succeeded."""
    with open_api(where) as api:
        answer = api.post(f"{PATH}/trigger/{quote(name, safe='')}", patience=None, dry=dry or None)
    if json:
        print_json(answer.raw)
    else:
        _tell(answer.inner("data"), dry=dry)
    if answer.value("success") is not True:
        raise typer.Exit(FAILED)


@commands.command(epilog="Example: alertd schedule enable daily_pnl_check")
@grouped
def enable(where: Where, name: Check, *, json: Json = False) -> None:
    """Switch a check on; what it missed is not made up for."""
    _switch(where, name, "enable", json=json)


@commands.command(epilog="Example: alertd schedule disable daily_pnl_check")
@grouped
def disable(where: Where, name: Check, *, json: Json = False) -> None:
    """Switch a check off, until somebody switches it on again."""
    _switch(where, name, "disable", json=json)


@commands.command(epilog="Example: alertd schedule history daily_pnl_check --since 7d")
@grouped
def history(
    where: Where,
    pages: Pages,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only of this check.")] = None,
    state: Annotated[
        Literal["running", "succeeded", "failed", "missed", "interrupted"] | None,
        typer.Option(help="Only in this state."),
    ] = None,
    since: Since = None,
    until: Until = None,
    *,
    json: Json = False,
) -> None:
    """List runs, the newest first."""
    now = datetime.now(UTC)
    query = {"name": name, "state": state, "since": ago(since, now), "until": ago(until, now)}
    with open_api(where) as api:
        show_list(api, path_to("executions"), RUNS, pages, json=json, **query)


def _switch(where: Where, name: str, verb: str, *, json: bool) -> None:
    with open_api(where) as api:
        switched = api.post(f"{PATH}/{verb}/{quote(name, safe='')}")
    show_outcome(
        switched,
        f"{switched.text('data.name')} is switched {'on' if switched.value('data.enabled') else 'off'}.",
        json=json,
    )


def _tell(run: Answer, *, dry: bool) -> None:
    result = run.inner("result")
    print_table(("", ""), result.facts(without=MESSAGES))
    for name in MESSAGES:
        show_table(result.each(name), SENDING)
    if run.value("success") is not True:
        complain(f"{run.text('name')} did not succeed: {run.text('error_message') or 'no reason given'}")
    elif dry:
        say(f"This is what {run.text('name')} would do; nothing was stored or sent.")
    else:
        say(f"{run.text('name')} succeeded: {run.text('execution_id')}.")
