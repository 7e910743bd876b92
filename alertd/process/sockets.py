"""Sockets that the service manager opened for us: connections wait in them while we are restarted."""

import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Final

FIRST: Final = 3  # after standard input, output and error

_NAMES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def inherited_sockets(
    environ: MutableMapping[str, str] | None = None, *, first: int = FIRST
) -> tuple[socket.socket, ...]:
    """The listening sockets in the order of the unit; the second call finds none. None of them reaches a child."""
    given = os.environ if environ is None else environ
    count = _count(given)
    for name in _NAMES:
        given.pop(name, None)
    sockets = []
    for descriptor in range(first, first + count):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - its only argument
        sockets.append(socket.socket(fileno=descriptor))
    return tuple(sockets)


def _count(given: Mapping[str, str]) -> int:
    count = given.get("LISTEN_FDS", "")
    meant_for_us = given.get("LISTEN_PID") == str(os.getpid())
    return int(count) if meant_for_us and count.isdecimal() else 0
