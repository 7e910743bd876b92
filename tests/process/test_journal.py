"""Lines in the journal's own protocol, against a real datagram socket in its place."""

import json
import logging
import os
import re
import socket
import struct
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from alertd.process import configure_logging, journal
from alertd.process.journal import MESSAGE_IDS, Entries, is_journal, priority
from alertd.process.logs import OURS, _Lines

CODE = Path(journal.__file__).parents[1]
log = structlog.get_logger("alertd.test")


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.settimeout(5)
        inbox.bind(str(tmp_path / "journal"))
        yield inbox


@pytest.fixture
def stream(tmp_path: Path, listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """Standard error of a service, after logging was configured on it."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    kept = (root.level, ours.level)
    monkeypatch.setattr(Entries.__init__, "__defaults__", (tmp_path / "journal",))
    with (tmp_path / "stderr").open("w+", encoding="utf-8") as written:
        status = os.fstat(written.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        configure_logging(level="INFO", format="json", stream=written)
        yield written
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Lines)]
    root.level, ours.level = kept
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def entry(inbox: socket.socket) -> dict[str, str]:
    """The next entry; fails on anything that journald would not read."""
    raw, fields = inbox.recv(1 << 20), {}
    while raw:
        name, _, rest = raw.partition(b"\n")
        (length,) = struct.unpack("<Q", rest[:8])
        assert rest[8 + length : 9 + length] == b"\n"
        fields[name.decode()], raw = rest[8 : 8 + length].decode(), rest[9 + length :]
    return fields


@pytest.mark.parametrize(
    ("level", "number"), [("DEBUG", 7), ("INFO", 6), ("WARNING", 4), ("ERROR", 3), ("CRITICAL", 2)]
)
def test_levels_have_the_numbers_of_syslog(level: str, number: int) -> None:
    assert priority(logging.getLevelNamesMapping()[level]) == number


@pytest.mark.usefixtures("stream")
def test_line_is_an_entry_with_its_priority(listening: socket.socket) -> None:
    log.warning("Exchange backed off", exchange="okx")

    fields = entry(listening)

    assert (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"]) == ("4", "alertd")
    assert json.loads(fields["MESSAGE"])["exchange"] == "okx"
    assert "MESSAGE_ID" not in fields


@pytest.mark.usefixtures("stream")
def test_event_worth_looking_for_has_its_id(listening: socket.socket) -> None:
    log.error("Secret store lost", store="vault")

    assert entry(listening)["MESSAGE_ID"] == MESSAGE_IDS["Secret store lost"]


@pytest.mark.usefixtures("stream")
def test_text_of_others_cannot_forge_a_field(listening: socket.socket) -> None:
    logging.getLogger("library").error("oops\nMESSAGE_ID\nPRIORITY=7")

    assert sorted(entry(listening)) == ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER"]


@pytest.mark.usefixtures("stream")
def test_nothing_secret_reaches_the_journal(listening: socket.socket) -> None:
    log.error("Trouble", token="hvs.abcdef")

    assert "abcdef" not in entry(listening)["MESSAGE"]


def test_what_the_journal_does_not_take_goes_to_the_stream(stream: TextIO, listening: socket.socket) -> None:
    listening.close()

    log.error("Nobody\nthere")

    stream.seek(0)
    written = stream.read()
    assert written.startswith('<3>{"timestamp"')
    assert written.count("\n") == 1


def test_line_too_long_for_a_datagram_is_not_lost(stream: TextIO) -> None:
    log.error("Long", text="x" * 1_000_000)

    stream.seek(0)
    assert len(stream.read()) > 1_000_000


def test_stream_that_is_not_the_journal() -> None:
    assert not is_journal(sys.__stderr__ or sys.stderr, {"JOURNAL_STREAM": "1:1"})
    assert not is_journal(StringIO(), {"JOURNAL_STREAM": "1:1"})


def test_ids_belong_to_lines_that_exist() -> None:
    said = "".join(file.read_text() for file in CODE.rglob("*.py") if file.name != "journal.py")

    assert {text for text in MESSAGE_IDS if f'"{text}"' not in said} == set()


def test_ids_are_ids_and_each_is_its_own() -> None:
    assert len(set(MESSAGE_IDS.values())) == len(MESSAGE_IDS)
    assert {one for one in MESSAGE_IDS.values() if not re.fullmatch("[0-9a-f]{32}", one)} == set()
