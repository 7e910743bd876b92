"""The settings in force, and the one way to change them under a running daemon: all of them, or none.

Every part says first whether it could live with the new ones. Only when all can, and it is written down, do
they change, in one turn of the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from alertd import metrics
from alertd.config import Settings
from alertd.config.changes import changes, needing_restart
from alertd.db import Db, Tx
from alertd.errors import AlertdError, ConfigError
from alertd.process import READY, answer_reload, notify, reloading, status

log = structlog.get_logger(__name__)

Adopt = Callable[[Settings], None]
Ready = Callable[[Settings], Awaitable[Callable[[], None]]]
Write = Callable[[Tx, Settings], Awaitable[None]]
Noted = Callable[[Tx, Sequence[str]], Awaitable[None]]


class Live:
    """Parts of the daemon that can change register here, in the order in which they are opened."""

    def __init__(
        self, settings: Settings, db: Db, *, read: Callable[[], Settings], now: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self._db = db
        self._read = read
        self._now = now
        self._ready: list[Ready] = []
        self._writes: list[Write] = []
        self._adopts: list[Adopt] = []
        self._one_at_a_time = asyncio.Lock()
        self._note_success()

    def consult(self, ready: Ready) -> None:
        """Ask before anything changes, and call what it answers if everybody agrees. It may raise ConfigError."""
        self._ready.append(ready)

    def write(self, write: Write) -> None:
        """What the database must know of new settings; all of it in one transaction, before they count."""
        self._writes.append(write)

    def follow(self, adopt: Adopt) -> None:
        """Tell of new settings; it cannot refuse, and must not fail."""
        self._adopts.append(adopt)

    async def reload(self, noted: Noted | None = None) -> tuple[str, ...]:
        """Read the settings again and use them; the names of those that changed.

        `noted` shares the transaction in which the database learns of them. Raises ConfigError, or Transient
        without the database, and then nothing has changed.
        """
        async with self._one_at_a_time:
            notify(reloading())
            metrics.RELOAD_SUCCESS.set(0)
            problems: tuple[str, ...] = ("it did not come to its end; the log says why",)
            try:
                names = await self._reload(noted)
                problems = ()
            except AlertdError as exc:
                problems = exc.problems if isinstance(exc, ConfigError) else (str(exc),)
                log.error("Settings not reloaded; the old ones stay", problems=problems)  # noqa: TRY400 - that is all
                raise
            finally:
                outcome = f"reload refused: {problems[0]}" if problems else "settings reloaded"
                notify(f"{READY}\n{status(f'running; {outcome}')}")
                answer_reload(problems)
            return names

    async def _reload(self, noted: Noted | None) -> tuple[str, ...]:
        new = await asyncio.to_thread(self._read)
        fixed = needing_restart(self.settings, new)
        if fixed:
            raise ConfigError([f"{name}: cannot change while alertd runs; restart it" for name in fixed])
        settled = [await ready(new) for ready in self._ready]
        names = changes(self.settings, new)
        async with self._db.transaction() as tx:
            for write in self._writes:
                await write(tx, new)
            if noted is not None:
                await noted(tx, names)
        self.settings = new
        for settle in settled:
            settle()
        for adopt in self._adopts:
            adopt(new)
        self._note_success()
        for warning in new.warnings:
            log.warning("Setting", problem=warning)
        log.info("Settings reloaded", changed=names)
        return names

    def _note_success(self) -> None:
        metrics.RELOAD_SUCCESS.set(1)
        metrics.RELOAD_TIME.set(self._now().timestamp())


async def reload_when_told(live: Live, told: asyncio.Event, stop: asyncio.Event) -> None:
    """A background loop. What goes wrong is in the log, and changes nothing."""
    stopping = asyncio.create_task(stop.wait())
    stopping.add_done_callback(lambda _: told.set())
    try:
        while True:
            await told.wait()
            if stop.is_set():
                return
            told.clear()
            with suppress(AlertdError):
                await live.reload()
    finally:
        stopping.cancel()
