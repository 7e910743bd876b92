"""Speak systemd's notify protocol, one datagram for each change of state, without a library.

Where nobody listens (no `NOTIFY_SOCKET`, no `RUNTIME_DIRECTORY`) everything here does nothing.
"""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
WATCHDOG: Final = "WATCHDOG=1"

EXTEND_EVERY: Final = timedelta(seconds=10)

_SEND_SECONDS: Final = 1.0
_STATUS_LENGTH: Final = 200


def notify(state: str, environ: Mapping[str, str] | None = None) -> bool:
    """Tell the service manager; True if it was told. Never raises: a daemon outlives a deaf manager."""
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.settimeout(_SEND_SECONDS)
            out.sendto(state.encode(), address)
    except OSError as error:
        log.warning("Service manager does not listen", error=str(error))
        return False
    return True


def status(text: str) -> str:
    """The state that shows `text` in `systemctl status`; line ends in it cannot smuggle in other fields."""
    return "STATUS=" + " ".join(text.split())[:_STATUS_LENGTH]


def extend_timeout(by: timedelta) -> str:
    """The state that asks for `by` more, from now on, before a slow start or stop counts as failed."""
    return f"EXTEND_TIMEOUT_USEC={by // timedelta(microseconds=1)}"


@asynccontextmanager
async def taking_long(doing: str, *, every: timedelta = EXTEND_EVERY) -> AsyncIterator[None]:
    """Show what takes the time, and keep the manager patient meanwhile: a recovering database must not be shot.

    For what gives up by itself only; a hang would be waited for without end.
    """

    async def ask() -> None:
        while True:
            notify(f"{extend_timeout(every * 3)}\n{status(doing)}")
            await asyncio.sleep(every.total_seconds())

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait({asking})


def reloading() -> str:
    """The state that announces a reload; `READY` ends it. Newer managers insist on the time beside it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"


def answer_reload(problems: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
    """Leave what kept a reload from succeeding in the file `reload` of the runtime folder; empty: it succeeded.

    The protocol can only say that a reload is over. The unit's ExecReload waits for this file to say how.
    """
    folder = (os.environ if environ is None else environ).get("RUNTIME_DIRECTORY", "").split(":")[0]
    if not folder:
        return
    draft = Path(folder, ".reload")
    try:
        draft.write_text("".join(f"{problem}\n" for problem in problems))
        draft.rename(draft.with_name("reload"))  # whole from its first moment
    except OSError as error:
        log.warning("Outcome of a reload could not be left for the service manager", error=str(error))


def watchdog_interval(environ: Mapping[str, str] | None = None) -> timedelta | None:
    """How often to send `WATCHDOG`: half of what the manager allows; None if it expects none from us."""
    given = os.environ if environ is None else environ
    if given.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    allowed = given.get("WATCHDOG_USEC", "")
    if not allowed.isdecimal() or int(allowed) == 0:
        return None
    return timedelta(microseconds=int(allowed)) / 2
