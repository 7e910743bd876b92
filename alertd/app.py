"""The daemon: starts everything, runs until told to stop, ends it in reverse."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from alertd import __version__, metrics
from alertd.admin.api import open_api, open_gate
from alertd.admin.daemon import Daemon
from alertd.admin.vitals import Vitals
from alertd.alerts.desk import keep_telling
from alertd.alerts.execution import Executions
from alertd.config import Settings
from alertd.core import REAL_WORLD, Core, World, open_core
from alertd.credentials.passes import keep_discovering
from alertd.heartbeat import keep_beating
from alertd.jobs import executions_of, history_of, jobs_of, outside_of
from alertd.live import reload_when_told
from alertd.performance.vigil import Vigil
from alertd.process import (
    READY,
    STOPPING,
    ClockSteps,
    LoopLag,
    Loops,
    giving_up_at,
    inherited_socket,
    notify,
    set_level,
    status,
    supervising,
    taking_long,
    watchdog,
    watchdog_interval,
)
from alertd.process.loops import Run
from alertd.retention import keep_pruning
from alertd.schedule import AlarmClock

log = structlog.get_logger(__name__)

LOOP_PATIENCE: Final = timedelta(seconds=60)
DRAIN: Final = timedelta(seconds=15)  # for a scheduled run under way when the daemon stops


async def run(
    settings: Settings,
    stop: asyncio.Event,
    *,
    world: World = REAL_WORLD,
    read: Callable[[], Settings] | None = None,
    reload: asyncio.Event | None = None,
    started: Callable[[Core, str], None] = lambda _core, _url: None,
) -> None:
    """The daemon: returns after `stop` is set and what was under way has ended.

    `read` is asked for the settings whenever `reload` is set, or a person asks for it. `started` is told the
    address of the admin port once everything is up. Raises ConfigError, Busy or Transient when it cannot start,
    Stopped when it was told to stop before it had, and LoopDied when a background loop ended by itself.
    """
    lag = LoopLag()
    async with AsyncExitStack() as stack:
        async with giving_up_at(stop):
            opening = open_core(settings, attach=False, stalled_since=lag.stalled_since, world=world, read=read)
            async with taking_long("starting: opening the database and the secret store"):
                core = await stack.enter_async_context(opening)
        loops = await stack.enter_async_context(supervising(stop))
        loops.start("lag", lag.run)
        vitals = Vitals(core.db, store_usable=lambda: core.sweeper.watch.usable)
        loops.start("vitals", vitals.run)
        executions = executions_of(settings, db=core.db, sweeper=core.sweeper, now=world.now)
        daemon = await admin_side(core, executions, waiting_for=vitals.waiting_for)
        async with open_api(daemon, inherited=inherited_socket()) as address:
            _start_work(core, executions, loops)
            loops.start("heartbeat", _heartbeat(core, lambda: not (vitals.waiting_for() or loops.stuck())))
            loops.start("reload", partial(reload_when_told, core.live, reload or asyncio.Event()))
            gc.collect()
            gc.freeze()  # what is loaded by now lives as long as the process; collecting it would stall the loop
            _say_started(core, address.url)
            started(core, address.url)
            await stop.wait()
            notify(STOPPING)
            log.info("Stopping: what is under way may end")
    log.info("Stopped")


async def admin_side(core: Core, executions: Executions, *, waiting_for: Callable[[], Sequence[str]]) -> Daemon:
    """What the admin port may touch. Raises ConfigError."""
    gate, secret = await open_gate(core.live, db=core.db, cipher=core.cipher, now=core.world.now)
    return Daemon(
        live=core.live,
        now=core.world.now,
        db=core.db,
        cipher=core.cipher,
        secrets=core.secrets,
        sweeper=core.sweeper,
        sweeps=core.sweeps,
        sender=core.sender,
        names=core.names,
        own=core.own,
        executions=executions,
        waiting_for=waiting_for,
        gate=gate,
        secret=secret,
    )


def _start_work(core: Core, executions: Executions, loops: Loops) -> None:
    """Start the loops that make the daemon; each must get on, or the watchdog ends the process."""
    live, sweeper = core.live, core.sweeper
    metrics.begin_counting_executions(executions.jobs)
    clock = AlarmClock(core.world.now, clock_step=ClockSteps(core.world.now), beat=lambda: loops.beat("schedule"))

    async def scheduling(stop: asyncio.Event) -> None:
        with executions.scheduling():
            await clock.run(stop, lambda: [job.schedule for job in executions.jobs.values()], executions.due)
        await executions.drain(DRAIN)

    def adopt_schedules(settings: Settings) -> None:
        executions.jobs = jobs_of(settings, sweeper)
        executions.history = history_of(settings)
        clock.look_anew()

    live.follow(adopt_schedules)
    live.follow(lambda settings: set_level(settings.logging.level))
    loops.start("sender", lambda s: core.sender.run(s, lambda: loops.beat("sender")), patience=LOOP_PATIENCE)
    loops.start("checks", lambda s: sweeper.run(s, lambda: loops.beat("checks")), patience=LOOP_PATIENCE)
    every = lambda: timedelta(minutes=live.settings.credentials.discovery_minutes)  # noqa: E731
    loops.start("discovery", lambda s: keep_discovering(sweeper, every, s))
    loops.start("schedule", scheduling, patience=LOOP_PATIENCE)
    loops.start("limits", Vigil(lambda: outside_of(live.settings, sweeper)).run)
    loops.start("operators", lambda s: _tell_operators(core, loops, s), patience=LOOP_PATIENCE)
    loops.start("balances", core.balances.run)
    loops.start("retention", lambda s: keep_pruning(core.db, lambda: live.settings, s, core.world.now))
    interval = watchdog_interval()
    if interval is not None:
        loops.start("watchdog", lambda s: watchdog(s, interval=interval, stuck=loops.stuck))


async def _tell_operators(core: Core, loops: Loops, stop: asyncio.Event) -> None:
    await keep_telling(
        core.db,
        stop,
        core.world.now,
        delay=lambda: timedelta(minutes=core.live.settings.alerts.escalation_delay_minutes),
        told=core.sender.wake,
        beat=lambda: loops.beat("operators"),
    )


def _heartbeat(core: Core, well: Callable[[], bool]) -> Run:
    return partial(keep_beating, live=core.live, names=core.names, own=core.own, well=well, now=core.world.now)


def _say_started(core: Core, url: str) -> None:
    """Say what is used, and what to do next on a machine that has nothing yet."""
    settings = core.live.settings
    log.info(
        "alertd is running",
        version=__version__,
        admin=url,
        database="embedded" if settings.database.dsn is None else "postgresql",
        secret_store=core.secrets.name,
        state_dir=str(settings.state_dir),
    )
    if settings.file is None and settings.database.dsn is None:
        log.info(
            "Next: store a key with `alertd credentials put`, see `alertd --help`; "
            "for production set database.dsn and secrets.vault (config.example.toml)"
        )
    notify(READY + "\n" + status(f"running; admin port {url}"))
