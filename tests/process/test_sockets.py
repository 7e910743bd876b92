"""A listening socket from the service manager becomes ours, and nobody else's."""

import os
import socket
from collections.abc import Iterator

import pytest

from alertd.errors import ConfigError
from alertd.process import inherited_socket


@pytest.fixture
def passed() -> Iterator[socket.socket]:
    """Open as systemd leaves it: inheritable."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        yield listening


def environment(**changes: str) -> dict[str, str]:
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "alertd.socket"} | changes


def test_socket_of_the_unit_is_taken_over(passed: socket.socket) -> None:
    taken = inherited_socket(environment(), first=passed.detach())

    assert taken is not None
    with taken, socket.create_connection(taken.getsockname()):
        assert not taken.get_inheritable()


def test_it_is_taken_over_once(passed: socket.socket) -> None:
    environ = environment()
    taken = inherited_socket(environ, first=passed.detach())

    again = inherited_socket(environ)

    assert taken is not None
    taken.close()
    assert (again, environ) == (None, {})


@pytest.mark.parametrize("environ", [{}, environment(LISTEN_PID="1"), environment(LISTEN_FDS="0")])
def test_nothing_was_passed_to_us(environ: dict[str, str]) -> None:
    assert inherited_socket(environ) is None


def test_of_several_none_is_guessed() -> None:
    with pytest.raises(ConfigError, match="one ListenStream"):
        inherited_socket(environment(LISTEN_FDS="2"))
