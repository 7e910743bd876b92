"""`alertd sweep`: check every credential now, beside a running daemon or without one."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import FAILED, complain, print_json, print_table, say
from alertd.config import Settings, load
from alertd.core import open_core, sweep_once
from alertd.credentials.check_store import permissions_json
from alertd.credentials.recorder import Recorded
from alertd.credentials.sweep import OnCheck, Scope
from alertd.credentials.sweep_store import Sweep, SweepState
from alertd.process import LoopLag, beside, configure_logging, giving_up_at, signals

EXAMPLE: Final = "Example: alertd sweep --exchange kraken --json"


def sweep(
    config: ConfigFile = None,
    tenant: Annotated[UUID | None, typer.Option(metavar="ID", help="Only this tenant's credentials.")] = None,
    exchange: Annotated[str | None, typer.Option(metavar="NAME", help="Only this exchange's credentials.")] = None,
    *,
    json: Json = False,
) -> None:
    """Discover, check everything whether due or not, record it, and deliver what is due.

    Ends with 0 when the sweep completed, whatever the verdicts.
    """
    settings = load(config)
    checks: list[Recorded] = []
    with _progress() as progress:
        _log_beside(progress, settings)
        task = progress.add_task("checking", total=None)

        def seen(check: Recorded, total: int) -> None:
            checks.append(check)
            progress.update(task, completed=len(checks), total=total)

        done = uvloop.run(_sweep(settings, Scope(tenant, exchange), seen))
    _print(done, checks, json=json)
    if done.state is not SweepState.COMPLETED:
        complain(f"The sweep {done.state}: {done.error or 'by a person'}")
        raise typer.Exit(FAILED)


def _progress() -> Progress:
    """A bar on standard error; nothing where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _log_beside(progress: Progress, settings: Settings) -> None:
    """The daemon's log is a script's progress; a person sees the bar, and above it what deserves attention."""
    if progress.disable:
        configure_logging(level=settings.logging.level, format=settings.logging.format)
    else:
        configure_logging(level="WARNING", format="console")  # to the bar's own standard error


async def _sweep(settings: Settings, scope: Scope, seen: OnCheck) -> Sweep:
    lag = LoopLag()
    stop = asyncio.Event()
    with signals(stop, asyncio.Event()):
        async with (
            giving_up_at(stop),
            open_core(settings, attach=True, stalled_since=lag.stalled_since) as core,
            beside(lag.run(stop)),
        ):
            return await sweep_once(core, scope, seen)


def _print(done: Sweep, checks: Sequence[Recorded], *, json: bool) -> None:
    if json:
        print_json({**_counts(done), "credentials": [_as_json(check) for check in checks]})
        return
    print_table(
        ("tenant", "exchange", "key", "verdict", "reason", "failures"),
        [_row(recorded) for recorded in sorted(checks, key=lambda r: r.check.claim.ref.path)],
    )
    counts = ", ".join(f"{name} {count}" for name, count in _counts(done).items())
    say(f"Sweep {done.state}: {counts}.")


def _row(recorded: Recorded) -> tuple[str, ...]:
    ref, result = recorded.check.claim.ref, recorded.check.result
    cells = (ref.tenant_id, ref.exchange, ref.leaf, result.verdict, result.reason, recorded.memory.streak)
    return tuple(str(cell) for cell in cells)


def _counts(done: Sweep) -> dict[str, int]:
    tally = done.tally
    return {
        "checked": tally.checked,
        "valid": tally.valid,
        "invalid": tally.invalid,
        "inconclusive": tally.inconclusive,
        "skipped": tally.skipped,
    }


def _as_json(recorded: Recorded) -> dict[str, object]:
    ref, result = recorded.check.claim.ref, recorded.check.result
    return {
        "tenant_id": str(ref.tenant_id),
        "exchange": ref.exchange,
        "credential_type": str(ref.credential_type),
        "label": ref.label,
        "verdict": str(result.verdict),
        "reason": str(result.reason),
        "permissions": permissions_json(result.permissions),
        "warnings": [str(warning) for warning in result.warnings],
        "consecutive_failures": recorded.memory.streak,
        "duration_ms": round(result.exchange_seconds * 1000),
    }
