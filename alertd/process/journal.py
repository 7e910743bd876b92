"""Log lines as the journal likes them: with a priority each, and ids for the events that people look for."""

import logging
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TextIO

ADDRESS: Final = Path("/run/systemd/journal/socket")
IDENTIFIER: Final = "alertd"

# An event's id stays when its text changes: `journalctl MESSAGE_ID=…`. Made with `systemd-id128 new`.
MESSAGE_IDS: Final[Mapping[str, str]] = {
    "alertd is running": "b62d909438304514b1a112f755b74d33",
    "Stopped": "d90fb3a1e77f42c38fe5180f079de529",
    "Settings reloaded": "8c4d1c1cccd1497eb95ec91846ee93d8",
    "Settings not reloaded; the old ones stay": "8b8c16d328ca45b5b8024a11491a1e7f",
    "Background loop died": "b34b9b54c4cc499496f2025b858d56ce",
    "Background loop stuck": "be1bb59ff5d549278b9711f9ba233a05",
    "Database lost": "2bac5c02ad114ee9998d1064a46ae4a3",
    "Database answers": "442b35687d984fb296cccde6b419db5c",
    "Secret store lost": "db07f3b2a59345fda388e979bd29dd06",
    "Secret store recovered": "027a6beedbd642509a4be7406efd8446",
    "Scheduled runs missed": "38e0fc4cab734e61b6c09b39ed974bc7",
    "Credentials missing from the listing": "e87cc20b799e46378ca5d88b775c5e78",
    "Messages too old to send are held for a person": "f4412b23f5ab4a6f88308dd46ca26a42",
    "Wall clock was set": "88d71b06b0a44bc1970a5390f77c372d",
}

_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7


def is_journal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether what is written to `stream` ends in the journal: `JOURNAL_STREAM` names its device and inode."""
    given = (os.environ if environ is None else environ).get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream of the tests, or one that is closed
        return False
    return given == f"{status.st_dev}:{status.st_ino}"


class Entries:
    """A stream for a log handler: sends what is written as an entry of the journal.

    `record` is what the next text was made of. A text that the journal's socket does not take goes to the
    stream that was there before, with its priority in front.
    """

    def __init__(self, stream: TextIO, address: Path = ADDRESS) -> None:
        self.record: logging.LogRecord | None = None
        self._stream = stream
        self._address = str(address)
        # It does not block: a journal that is stuck must not hold the event loop.
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_UNIX, kind)

    def write(self, text: str) -> None:
        level = logging.ERROR if self.record is None else self.record.levelno
        line, number = text.rstrip("\n"), priority(level)
        try:
            self._socket.sendto(datagram(line, number, _event_of(self.record)), self._address)
        except OSError:  # too long for a datagram, too many of them, or nobody there
            self._stream.write(f"<{number}>" + line.replace("\n", " ") + "\n")

    def flush(self) -> None:
        self._stream.flush()


def priority(level: int) -> int:
    """The number that syslog has for a level of the standard library."""
    return next((number for least, number in _PRIORITIES if level >= least), _DEBUG)


def _event_of(record: logging.LogRecord | None) -> str:
    """The fixed text of a line of ours; of other people's there is none."""
    return str(record.msg.get("event", "")) if record is not None and isinstance(record.msg, dict) else ""


def datagram(line: str, number: int, event: str) -> bytes:
    """One entry in the journal's own protocol. Lengths are given, so a line end in a text ends no field."""
    fields = {"MESSAGE": line, "PRIORITY": str(number), "SYSLOG_IDENTIFIER": IDENTIFIER}
    if event in MESSAGE_IDS:
        fields["MESSAGE_ID"] = MESSAGE_IDS[event]
    return b"".join(_field(name, value.encode(errors="replace")) for name, value in fields.items())


def _field(name: str, value: bytes) -> bytes:
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
