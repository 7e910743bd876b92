"""The composition root: opens every long-lived thing in order, runs until told to stop, closes in reverse."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import structlog

from alertd import __version__
from alertd.admin.api import open_api, open_gate
from alertd.admin.daemon import Daemon
from alertd.admin.store import any_sealed
from alertd.admin.vitals import Vitals
from alertd.alerts.desk import keep_telling
from alertd.alerts.execution import Executions
from alertd.balances import Balances
from alertd.cipher import Cipher, load_or_create_key
from alertd.config import Settings
from alertd.credentials.exchange import open_exchanges
from alertd.credentials.inventory import Inventory
from alertd.credentials.limits import Limits
from alertd.credentials.mass import MassWatch
from alertd.credentials.passes import keep_discovering
from alertd.credentials.recorder import Recorder
from alertd.credentials.sweep import OnCheck, Scope
from alertd.credentials.sweep import begin as begin_sweep
from alertd.credentials.sweep import run as run_sweep
from alertd.credentials.sweep_runner import SweepRunner, open_sweep_runner
from alertd.credentials.sweep_store import Origin, Sweep
from alertd.credentials.sweeper import Outside, Sweeper
from alertd.credentials.terms import pace_of, rules_of
from alertd.credentials.timetable_store import hasten
from alertd.credentials.watch import StoreWatch
from alertd.db import Db, Sql, Tx, apply_schema, open_db
from alertd.heartbeat import keep_beating
from alertd.jobs import executions_of, history_of, jobs_of, outside_of
from alertd.live import Live, reload_when_told
from alertd.performance.vigil import Vigil
from alertd.postgres import open_embedded
from alertd.process import (
    READY,
    STOPPING,
    ClockSteps,
    LoopLag,
    Loops,
    beside,
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
from alertd.secretstore import SecretStore, ciphertext_exists, open_store
from alertd.webhooks import notifiers, seals
from alertd.webhooks.addresses import Address
from alertd.webhooks.channels import open_channels
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import own_addresses, policy_of
from alertd.webhooks.post import open_poster
from alertd.webhooks.sender import Sender

log = structlog.get_logger(__name__)

Now = Callable[[], datetime]

POSTGRESQL_PORT: Final = 5432
NOTIFIERS: Final = "apprise"  # the operators' channel
LOOP_PATIENCE: Final = timedelta(seconds=60)
FLUSH: Final = timedelta(seconds=5)  # a sweep on the command line waits this long for quick retries
DRAIN: Final = timedelta(seconds=15)  # for a scheduled run under way when the daemon stops


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class World:
    """Time and chance, so that tests can bring their own. `jitter` is in [0, 1)."""

    now: Now = wall_clock
    jitter: Callable[[], float] = random.random


REAL_WORLD: Final = World()


@dataclass(frozen=True, slots=True)
class Core:
    """What the daemon and a single sweep share."""

    live: Live
    world: World
    db: Db
    cipher: Cipher
    secrets: SecretStore
    sweeper: Sweeper
    sweeps: SweepRunner
    sender: Sender
    names: Names
    own: frozenset[tuple[Address, int]]
    balances: Balances


@asynccontextmanager
async def open_core(
    settings: Settings,
    *,
    attach: bool,
    stalled_since: Callable[[float], bool],
    world: World = REAL_WORLD,
    read: Callable[[], Settings] | None = None,
) -> AsyncIterator[Core]:
    """Open database, secrets, exchanges, checker and sender.

    `attach` shares the embedded server of a daemon that runs beside; without it this process is the
    daemon, and a second one on the same state directory raises Busy. `read` is asked for the settings
    of a reload; without it they stay.
    """
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(_database(settings, attach=attach))
        db = await stack.enter_async_context(open_db(dsn, pool_size=settings.database.pool_size))
        await apply_schema(db)
        live = Live(settings, db, read=read or (lambda: settings), now=world.now)
        cipher = await _open_cipher(settings, db)
        secrets = await stack.enter_async_context(open_store(settings, cipher))
        limits = Limits(db, settings, world.now)
        live.follow(limits.adopt)
        exchanges = await stack.enter_async_context(
            open_exchanges(settings, limits=limits, now=world.now, stalled_since=stalled_since)
        )
        live.follow(exchanges.adopt)
        names = Names()
        stack.push_async_callback(names.close)
        own = await own_addresses([(settings.admin.host, settings.admin.port), *_servers(dsn)], names)
        sender = await stack.enter_async_context(_open_sender(live, db, cipher, names, own, world, guest=attach))
        recorder = Recorder(db, rules_of(settings), _mass(db, settings), announced=sender.wake)
        await stack.enter_async_context(beside(recorder.run()))
        sweeper = Sweeper(
            Outside(db=db, secrets=secrets, ask=exchanges.ask, now=world.now),
            pace=pace_of(settings),
            recorder=recorder,
            inventory=Inventory(db, secrets),
            watch=StoreWatch(db, secrets, world.now),
        )
        await _hasten(db, settings, world.now())
        live.write(lambda tx, new: _hasten(tx, new, world.now()))
        live.follow(partial(_adopt_pace, sweeper))
        sweeps = await stack.enter_async_context(open_sweep_runner(sweeper))
        balances = Balances(db, secrets, exchanges.read, settings=lambda: live.settings, now=world.now)
        yield Core(live, world, db, cipher, secrets, sweeper, sweeps, sender, names, own, balances)


@asynccontextmanager
async def _database(settings: Settings, *, attach: bool) -> AsyncIterator[str]:
    if settings.database.dsn is not None:
        yield settings.database.dsn.get_secret_value()
        return
    async with open_embedded(settings.state_dir, attach=attach) as dsn:
        yield dsn


async def _open_cipher(settings: Settings, db: Db) -> Cipher:
    """The encryption key; made once, and never again while something is sealed with another."""
    sealed = ciphertext_exists(settings.state_dir) or await seals.any_sealed(db) or await any_sealed(db)
    return load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=sealed)


@asynccontextmanager
async def _open_sender(
    live: Live, db: Db, cipher: Cipher, names: Names, own: frozenset[tuple[Address, int]], world: World, *, guest: bool
) -> AsyncIterator[Sender]:
    """The sender with its channels; never to our own admin port or database.

    A `guest` may have been started without the daemon's credentials: it silences no notifier that it does not
    know, and leaves the operators' messages to the daemon then.
    """
    settings = live.settings

    def adopt_policy(new: Settings) -> None:
        poster.adopt(policy_of(new.webhooks, own), timedelta(seconds=new.webhooks.timeout_seconds))

    timeout = timedelta(seconds=settings.webhooks.timeout_seconds)
    async with (
        open_poster(policy_of(settings.webhooks, own), names, timeout=timeout) as poster,
        open_channels(settings, poster) as channels,
    ):
        unknown = await _unknown_notifiers(db, settings) if guest else ()
        if unknown:
            log.warning(
                "Operators' messages are left to the daemon: notifiers are not in these settings", names=unknown
            )
            channels = {name: channel for name, channel in channels.items() if name != NOTIFIERS}
        else:
            async with db.transaction() as tx:
                await _sync_notifiers(tx, settings, world.now())
        await seals.renew_all(db, cipher)
        sender = Sender(db, channels=channels, cipher=cipher, settings=settings, now=world.now, jitter=world.jitter)
        for channel in channels.values():
            live.consult(channel.ready_for)
        live.write(lambda tx, new: _sync_notifiers(tx, new, world.now()))
        live.follow(adopt_policy)
        live.follow(sender.adopt)
        yield sender


async def _sync_notifiers(tx: Tx, settings: Settings, now: datetime) -> None:
    """The notifiers of the settings become receivers."""
    await notifiers.sync(tx, settings.notify, channel=NOTIFIERS, now=now)


async def _unknown_notifiers(db: Db, settings: Settings) -> Sequence[str]:
    return sorted(await notifiers.listening(db, channel=NOTIFIERS) - {notifier.name for notifier in settings.notify})


def _servers(dsn: str) -> list[tuple[str, int]]:
    """Hosts and ports in a DSN; none for a UNIX socket."""
    authority = urlsplit(dsn).netloc.rpartition("@")[2]
    parsed = (urlsplit(f"//{server}") for server in authority.split(",") if server)
    return [(server.hostname, server.port or POSTGRESQL_PORT) for server in parsed if server.hostname]


def _mass(db: Db, settings: Settings) -> MassWatch:
    credentials = settings.credentials
    interval = timedelta(hours=credentials.interval_hours)
    return MassWatch(db, fraction=credentials.mass_hold_fraction, interval=interval)


async def _hasten(sql: Sql, settings: Settings, now: datetime) -> None:
    """Under a shorter interval nobody waits for the end of the longer one."""
    pace = pace_of(settings)
    hastened = await hasten(sql, interval=pace.interval, spread=pace.spread, now=now)
    if hastened:
        log.info("Keys are due earlier, as the interval is shorter", keys=hastened)


def _adopt_pace(sweeper: Sweeper, settings: Settings) -> None:
    sweeper.pace = pace_of(settings)
    sweeper.recorder.rules = rules_of(settings)
    sweeper.recorder.mass = _mass(sweeper.outside.db, settings)


async def sweep_once(core: Core, scope: Scope, on_check: OnCheck) -> Sweep:
    """One sweep now, and the delivery of what is due after it. Raises Busy while another one runs."""
    sweep_id = await begin_sweep(core.sweeper, origin=Origin.COMMAND, requested_by="command line", scope=scope)
    done = await run_sweep(core.sweeper, sweep_id, scope, on_check=on_check)
    await core.sender.flush(within=FLUSH)
    return done


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
