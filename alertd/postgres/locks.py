"""Locks between processes on one machine: `flock`, which the kernel takes away from whoever dies."""

import asyncio
import fcntl
import os
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from alertd.postgres.record import adopt

POLL_SECONDS: Final = 0.05


class Lock:
    """A lock that is held; the file stays, or two processes could lock two files of one name."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def try_exclusive(path: Path) -> Lock | None:
    """The lock, with our pid in its file for whoever asks next; None while any other holds it."""
    descriptor = _try(path, fcntl.LOCK_EX)
    if descriptor is None:
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return Lock(descriptor)


def try_shared(path: Path) -> Lock | None:
    """The lock, together with other sharers; None while one holds it exclusively."""
    descriptor = _try(path, fcntl.LOCK_SH)
    return None if descriptor is None else Lock(descriptor)


async def exclusive(path: Path, *, patience: timedelta | None) -> Lock | None:
    """`try_exclusive` until it succeeds; None when the patience (None: endless) is over."""
    give_up = None if patience is None else time.monotonic() + patience.total_seconds()
    while (lock := try_exclusive(path)) is None:
        if give_up is not None and time.monotonic() > give_up:
            return None
        await asyncio.sleep(POLL_SECONDS)
    return lock


def holder(path: Path) -> str:
    """The pid that the holder of an exclusive lock left, for messages."""
    return path.read_text().strip() or "unknown"


def _try(path: Path, kind: int) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        adopt(descriptor, path.parent)
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BaseException as exc:
        os.close(descriptor)
        if isinstance(exc, BlockingIOError):
            return None
        raise
    return descriptor
