"""`alertd demo`: the whole product in one terminal."""

import asyncio
import sys
from datetime import timedelta
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from alertd import app
from alertd.admin.bootstrap import KEY_FILE
from alertd.cli.outcome import FAILED, complain
from alertd.core import Core
from alertd.db import Row
from alertd.demo import platform, story
from alertd.demo.cast import CAST, OUTAGE
from alertd.demo.receiver import Received
from alertd.demo.story import INTERVAL_SECONDS, STRIKES, Stage
from alertd.demo.strategies import STRATEGIES
from alertd.errors import Transient
from alertd.process import configure_logging, pause, signals

EXAMPLE: Final = "Example: alertd demo --once"
PATIENCE_SECONDS: Final = 70.0
LOOK_EVERY: Final = timedelta(seconds=0.2)
AFTERMATH_SECONDS: Final = 2 * INTERVAL_SECONDS  # whoever repeats himself has that long to do it

console: Final = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def demo(*, once: Annotated[bool, typer.Option("--once", help="Play to the end, sum up, and exit.")] = False) -> None:
    """Show everything on loopback, with simulated exchanges that verify signatures and receivers that verify ours.

    Without a terminal it plays once. With --once it ends with 0 only if every expected message arrived,
    authentic, exactly once, and nobody was accused of an outage.
    """
    once = once or not sys.stdout.isatty()
    problems = uvloop.run(_demo(once=once))
    if problems:
        complain("The demo did not go as it must:", *problems)
        raise typer.Exit(FAILED)


async def _demo(*, once: bool) -> list[str]:
    stop = asyncio.Event()
    with signals(stop, asyncio.Event()):
        async with story.open_stage(_show) as stage:
            log_file = stage.settings.state_dir / "alertd.log"
            with log_file.open("w") as log:
                configure_logging(level="INFO", format="json", stream=log)
                _introduce(stage)
                return await _play(stage, stop, once=once)


async def _play(stage: Stage, stop: asyncio.Event, *, once: bool) -> list[str]:
    """Run the daemon until the story is over, or until a person has seen enough."""
    running: asyncio.Future[tuple[Core, str]] = asyncio.get_running_loop().create_future()
    daemon = asyncio.create_task(
        app.run(stage.settings, stop, started=lambda core, url: running.set_result((core, url)))
    )
    await asyncio.wait((daemon, running), return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        daemon.result()
        return ["the daemon ended before it had started"]
    core, url = running.result()
    mending = asyncio.create_task(story.mend_what_failed(stage))
    try:
        await story.add_endpoints(stage, core.db)
        await story.store_keys(stage)
        console.print(f"The daemon is up; its admin port is {url} (/metrics, /-/ready).")
        key = (stage.settings.state_dir / KEY_FILE).read_text().strip()
        _show_dashboard(url, key)
        await _trade(stage, url, key)
        await _wait_for_the_end(stage, stop)
        rows = await story.standings(core.db)
        _sum_up(rows)
        problems = story.verdict_of(stage, rows)
        if not problems:
            console.print(f"\nAll {sum(story.expected().values())} expected messages arrived, authentic, exactly once.")
        if not once and not stop.is_set():
            console.print("It goes on, and so does the dashboard; press Ctrl-C to end it.")
            await stop.wait()
        return problems
    except Transient as exc:
        return [] if stop.is_set() else [str(exc)]
    finally:
        mending.cancel()
        stop.set()
        await daemon


async def _wait_for_the_end(stage: Stage, stop: asyncio.Event) -> None:
    """Until everything expected has arrived and had time to arrive twice, or patience ends."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while stage.tally() != story.expected() and not stop.is_set():
                await pause(stop, LOOK_EVERY)
            await asyncio.sleep(0 if stop.is_set() else AFTERMATH_SECONDS)
    except TimeoutError:
        return


def _introduce(stage: Stage) -> None:
    console.print(
        f"{len(CAST)} tenants have stored an exchange key each. Every key is checked every {INTERVAL_SECONDS:g} s; "
        f"after {STRIKES} failures in a row its tenant gets a signed webhook.\n"
        f"{OUTAGE[0].capitalize()} is out of service all the time: nobody may be accused of that.\n"
        f"{len(STRATEGIES)} strategies are live, each held against its backtest by two of the performance checks.\n"
        f"State and log: {stage.settings.state_dir}\n"
    )


async def _trade(stage: Stage, url: str, key: str) -> None:
    """The platform sends what the strategies earned, and what is made of their backtests is shown."""
    outlooks = await platform.go_live(url, key)
    stage.outlooks = {name: outlook for name, (outlook, _) in outlooks.items()}
    for strategy in STRATEGIES:
        outlook, advice = outlooks[strategy.name]
        console.print(f"  strategy  {strategy.owner}: {strategy.name} {strategy.story}", markup=False)
        console.print(f"      its backtest: {outlook.replace('_', ' ')}. {advice}", markup=False)
    await platform.check(url, key)


def _show_dashboard(url: str, key: str) -> None:
    """The key is a throw-away one: it dies with the demo's folder."""
    console.print(f"Dashboard: {url}/\n      key: {key}\n", markup=False)


def _show(received: Received) -> None:
    name, event, reason = story.spoken(received)
    if not received.verified:
        console.print(f"  NOT AUTHENTIC  {name}: {received.problem}", markup=False)
        return
    subject = f"{received.body['subject']}: " if "subject" in received.body else ""
    console.print(f"  webhook, verified  {name}: {event} ({subject}{reason})", markup=False)
    for key in ("error", "what_to_do", "message"):
        if received.body.get(key):
            console.print(f"      {received.body[key]}", markup=False)


def _sum_up(rows: list[Row]) -> None:
    table = Table("tenant", "exchange", "key", "verdict", "reason", "failures", "warnings", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["name"],
            row["exchange"],
            row["credential_type"],
            row["verdict"] or "",
            row["reason"] or "",
            str(row["consecutive_failures"]),
            ", ".join(row["warnings"]),
        )
    console.print()
    console.print(table)
