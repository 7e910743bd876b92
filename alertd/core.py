"""What the daemon and a single sweep stand on: opened in order, closed in reverse, changed by a reload."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import structlog

from alertd.admin.store import any_sealed
from alertd.balances import Balances
from alertd.cipher import Cipher, load_or_create_key
from alertd.config import Settings
from alertd.credentials.exchange import open_exchanges
from alertd.credentials.inventory import Inventory
from alertd.credentials.limits import Limits
from alertd.credentials.mass import MassWatch
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
from alertd.live import Live
from alertd.postgres import open_embedded
from alertd.process import beside
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
FLUSH: Final = timedelta(seconds=5)  # a sweep on the command line waits this long for quick retries


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
    own: frozenset[tuple[Address, int]]  # where we and our database listen; nobody may have us post there
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
        sender = await stack.enter_async_context(
            _open_sender(live, db, cipher=cipher, names=names, own=own, world=world, guest=attach)
        )
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
    live: Live, db: Db, *, cipher: Cipher, names: Names, own: frozenset[tuple[Address, int]], world: World, guest: bool
) -> AsyncIterator[Sender]:
    """The sender with its channels; never to our own admin port or database."""
    settings = live.settings

    def adopt_policy(new: Settings) -> None:
        poster.adopt(policy_of(new.webhooks, own), timedelta(seconds=new.webhooks.timeout_seconds))

    timeout = timedelta(seconds=settings.webhooks.timeout_seconds)
    async with (
        open_poster(policy_of(settings.webhooks, own), names, timeout=timeout) as poster,
        open_channels(settings, poster) as channels,
    ):
        if not await _notifiers_listed(db, settings, world.now(), guest=guest):
            channels = {name: channel for name, channel in channels.items() if name != NOTIFIERS}
        await seals.renew_all(db, cipher)
        sender = Sender(db, channels=channels, cipher=cipher, settings=settings, now=world.now, jitter=world.jitter)
        for channel in channels.values():
            live.consult(channel.ready_for)
        live.write(lambda tx, new: _list_notifiers(tx, new, world.now()))
        live.follow(adopt_policy)
        live.follow(sender.adopt)
        yield sender


async def _notifiers_listed(db: Db, settings: Settings, now: datetime, *, guest: bool) -> bool:
    """Make receivers of the notifiers in the settings, and of nobody else; False for a guest that may not.

    Beside a daemon we may have been started without its credentials: notifiers that we do not know are silenced by
    nobody then, and their messages left to the daemon.
    """
    unknown = await notifiers.listening(db, channel=NOTIFIERS) - {each.name for each in settings.notify}
    if guest and unknown:
        names = sorted(unknown)
        log.warning("Operators' messages are left to the daemon: notifiers are not in these settings", names=names)
        return False
    async with db.transaction() as tx:
        await _list_notifiers(tx, settings, now)
    return True


async def _list_notifiers(tx: Tx, settings: Settings, now: datetime) -> None:
    await notifiers.sync(tx, settings.notify, channel=NOTIFIERS, now=now)


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
