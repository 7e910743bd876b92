"""The socket that the service manager opened for us: connections wait in it while we are restarted."""

import os
import socket
from collections.abc import MutableMapping
from typing import Final

from alertd.errors import ConfigError

FIRST: Final = 3  # after standard input, output and error


def inherited_socket(environ: MutableMapping[str, str] | None = None, *, first: int = FIRST) -> socket.socket | None:
    """The listening socket of the socket unit, if there is one; it is ours alone and reaches no child.

    The second call finds none. Raises ConfigError for several: there is one port to serve.
    """
    given = os.environ if environ is None else environ
    pid, count, _ = (given.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if pid != str(os.getpid()) or count in {"", "0"}:
        return None
    if count != "1":
        raise ConfigError([f"admin.port: the socket unit hands over {count} sockets; let it have one ListenStream="])
    os.set_inheritable(first, False)  # noqa: FBT003 - the only argument it has
    return socket.socket(fileno=first)
