"""A daemon that runs beside the tests of commands, and commands that ask it: real database, exchanges, receivers."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from typer.testing import CliRunner

from alertd import app
from alertd.cli import command_line
from alertd.cli.outcome import BAD_CONFIG, FAILED
from alertd.config import load
from alertd.core import Core
from alertd.credentials.passes import discover
from alertd.db import new_id
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, State
from alertd.demo.receiver import Received, Receiver, listening
from alertd.errors import AlertdError, ConfigError
from alertd.model import CredentialRef
from alertd.secretstore import parse
from alertd.webhooks import endpoints
from tests import factories
from tests.admin.port import ADMIN, KEYS
from tests.cli.desk import Ended
from tests.e2e.waiting import until_answered

APP = command_line()
IS_CHECKED = """
    SELECT last_checked_at IS NOT NULL AND lease_until IS NULL
    FROM credentials
    WHERE tenant_id = $1 AND exchange = $2
"""
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.5
Answer = TypeVar("Answer")


@dataclass
class Office:
    """`core` is the daemon's own, on the daemon's loop; `do` lets something run there."""

    core: Core
    url: str
    state_dir: Path
    sim: Simulator
    receiver: str
    loop: asyncio.AbstractEventLoop
    secrets: dict[str, str]
    heard: list[Received]
    _numbers: "count[int]" = field(default_factory=count)
    _ends: list[Callable[[], object]] = field(default_factory=list)

    def alertd(self, *words: str, stdin: str = "", key: str = ADMIN, **variables: str) -> Ended:
        """A command to its end, as `main` would end it; empty `key`: none is given."""
        given = {"ALERTD_URL": self.url, "ALERTD_API_KEY": key, "ALERTD_STATE_DIR": str(self.state_dir), **variables}
        try:
            return run(*words, stdin=stdin, **given)
        finally:
            while self._ends:
                self._ends.pop()()

    def json(self, *words: str, **options: str) -> Any:
        """What a command that does not fail prints with --json."""
        ended = self.alertd(*words, "--json", **options)
        assert ended.code == 0, ended.printed
        return json.loads(ended.out)

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    def meanwhile(self, work: Callable[..., object], *arguments: object) -> None:
        """Again and again until the next command ends, which waits for it."""
        over = threading.Event()

        def keep_working() -> None:
            while not over.wait(PAUSE_SECONDS):
                work(*arguments)

        thread = threading.Thread(target=keep_working)
        thread.start()
        self._ends += [thread.join, over.set]

    def account(self, exchange: str = "binance", state: State = State.GOOD, **options: Any) -> Account:
        """Somebody's account; nothing of it is stored."""
        number = next(self._numbers)

        async def added() -> Account:
            return self.sim.add(exchange, number, state=state, **options)

        return self.do(added())

    def tenant(self, name: str = "Acme") -> str:
        return str(self.do(factories.tenant(self.core.db, name=name)))

    def key(self, tenant: str, exchange: str = "binance", leaf: str = "trading", **options: Any) -> CredentialRef:
        """A key that lies in the store, is known to the daemon, and was checked a first time."""
        ref = place(tenant, exchange, leaf)
        account = self.account(exchange, **options)

        fields = {"api_key": account.key, "api_secret": account.secret, "passphrase": account.passphrase}

        async def stored() -> None:
            await self.core.secrets.write(ref, fields)
            await discover(self.core.sweeper)
            await until_answered(lambda: self.core.db.fetchval(IS_CHECKED, ref.tenant_id, ref.exchange))

        self.do(stored())
        return ref

    def endpoint(self, tenant: str) -> str:
        """An endpoint of the tenant, whose receiver verifies what arrives."""
        path = f"/{new_id()}"
        added = self.json("webhooks", "add", tenant, f"{self.receiver}{path}")
        self.secrets[path] = added["secret"]
        return str(added["id"])

    def delivery(self, webhook: str) -> str:
        """A message that the endpoint took."""
        return str(self.json("webhooks", "test", webhook)["id"])

    def event(self, webhook: str) -> None:
        """Something that happens: a test message is queued."""
        self.do(endpoints.test(self.core.db, UUID(webhook), now=datetime.now(UTC)))

    def alert(self, tenant: str, **options: Any) -> str:
        return str(self.do(factories.alert(self.core.db, UUID(tenant), **options)))

    def sweep(self) -> str:
        """One that another daemon is at."""
        sweep_id, now = new_id(), datetime.now(UTC)
        self.do(
            self.core.db.execute(
                """
                INSERT INTO sweeps (id, origin, state, started_at, lease_until)
                VALUES ($1, 'api', 'running', $2, $3)
                """,
                sweep_id,
                now,
                now + timedelta(hours=1),
            )
        )
        return str(sweep_id)

    def end_sweeps(self) -> None:
        self.do(self.core.db.execute("DELETE FROM sweeps"))


def place(tenant: str, exchange: str = "binance", leaf: str = "trading") -> CredentialRef:
    found = parse(f"{tenant}/exchanges/{exchange}/{leaf}")
    assert isinstance(found, CredentialRef)
    return found


def run(*words: str, stdin: str = "", **variables: str) -> Ended:
    """A command in this process; what it raises on purpose is told as `main` tells it."""
    result = CliRunner().invoke(APP, words, input=stdin, env={"COLUMNS": "200", **variables})
    match result.exception:
        case None | SystemExit():
            return Ended(result.exit_code, result.stdout, result.stderr)
        case ConfigError() as problem:
            return Ended(BAD_CONFIG, result.stdout, f"{result.stderr}{problem}")
        case AlertdError() as problem:
            return Ended(FAILED, result.stdout, f"{result.stderr}{problem}")
        case unexpected:
            raise unexpected


@contextmanager
def open_office(dsn: str, folder: Path, given: Mapping[str, str] | None = None) -> Iterator[Office]:
    """`given` are further settings. The daemon runs in a thread, until the block ends."""
    opened: Future[tuple[Office, asyncio.Event]] = Future()

    def work() -> None:
        try:
            asyncio.run(_keep(dsn, folder, given or {}, opened.set_result))
        except BaseException as exc:  # whoever waits for the office must hear of it
            if opened.done():
                raise
            opened.set_exception(exc)

    thread = threading.Thread(target=work, name="office")
    thread.start()
    try:
        office, stop = opened.result(PATIENCE_SECONDS)
        yield office
    finally:
        if opened.done() and opened.exception() is None:
            office.loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_SECONDS)


async def _keep(
    dsn: str, folder: Path, given: Mapping[str, str], opened: Callable[[tuple[Office, asyncio.Event]], object]
) -> None:
    secrets: dict[str, str] = {}
    heard: list[Received] = []
    receiver = Receiver(lambda path: secrets.get(path, ""), heard.append)
    async with open_simulator() as sim, listening(receiver) as port:
        environ = {"STATE_DIRECTORY": str(folder), "ALERTD_DATABASE__DSN": dsn, "PORT": "0", **KEYS, **_around(sim)}
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def up(core: Core, url: str) -> None:
            opened((Office(core, url, folder, sim, f"http://127.0.0.1:{port}", loop, secrets, heard), stop))

        daemon: Awaitable[None] = app.run(load(environ={**environ, **given}), stop, started=up)
        await daemon


def _around(sim: Simulator) -> Mapping[str, str]:
    """Exchanges and receivers are on this machine."""
    exchanges = ("BINANCE", "KRAKEN", "OKX", "COINBASE", "BYBIT")
    detours = {f"ALERTD_EXCHANGES__{name}__CONNECT_TO": sim.url for name in exchanges}
    return detours | {
        "CREDENTIAL_HEALTH_CHECK_RETRIES": "1",
        "CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS": "0",
        "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
        "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
        "ALERTD_WEBHOOKS__PORTS": "[]",
    }


def lines(account: Account) -> str:
    """A key as it is typed into `credentials put`."""
    return f"api_key={account.key}\napi_secret={account.secret}\npassphrase={account.passphrase}\n"
