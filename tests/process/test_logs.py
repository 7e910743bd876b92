"""The log: one shape for everybody's lines, and nothing in them that must not be written."""

import json
import logging
import sys
import threading
import warnings
from io import StringIO

import pytest
import structlog
from pydantic import SecretStr

from alertd.process import configure_logging, report_crashes
from alertd.process.logs import OURS, _Lines

log = structlog.get_logger("alertd.test")


@pytest.fixture(autouse=True)
def nobody_was_silenced() -> None:
    """Another test may have opened the operators' channel, which silences urllib3 for good."""
    logging.getLogger("urllib3").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def restored_logging(monkeypatch: pytest.MonkeyPatch):
    """Logging is one for the whole process: what a test configures must not reach the next."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    kept = (root.level, ours.level)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Lines)]
    root.level, ours.level = kept
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def out() -> StringIO:
    stream = StringIO()
    configure_logging(level="INFO", format="json", stream=stream)
    return stream


def line(out: StringIO) -> dict:
    """The only line that was written."""
    return json.loads(out.getvalue())


def fail(text: str) -> None:
    hidden_local = "local-value"  # must not show up in a traceback
    raise RuntimeError(text + hidden_local[:0])


def test_line_has_time_level_text_logger_and_fields(out):
    log.info("Something happened", exchange="binance", tries=2)

    written = line(out)

    assert list(written) == ["timestamp", "level", "event", "logger", "exchange", "tries"]
    assert written["timestamp"].endswith("Z")
    assert (written["level"], written["logger"]) == ("info", "alertd.test")


def test_one_event_is_one_line_whatever_its_text(out):
    log.info("Two\nlines", text="a\r\nb")

    assert out.getvalue().count("\n") == 1


def test_context_is_on_every_line(out):
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        log.info("Asked")

    assert line(out)["request_id"] == "r1"


def test_secret_field_is_hidden(out):
    log.info("Signed in", password="hunter2", key=SecretStr("hunter2"))

    assert (line(out)["password"], line(out)["key"]) == ("***", "***")


def test_secret_in_the_text_of_an_exception_is_hidden(out):
    try:
        fail("cannot open postgres://alertd:hunter2@db/alertd")
    except RuntimeError:
        log.exception("Failed")

    assert "hunter2" not in out.getvalue()
    assert "RuntimeError: cannot open postgres://***@db/alertd" in line(out)["exception"]


def test_traceback_holds_no_local_values(out):
    try:
        fail("x")
    except RuntimeError:
        log.exception("Failed")

    assert "hidden_local = " not in line(out)["exception"]


def test_level_is_ours_to_choose(out):
    log.debug("Too quiet")

    assert out.getvalue() == ""


def test_level_can_be_changed_while_running(out):
    configure_logging(level="DEBUG", format="json", stream=out)

    log.debug("Heard now")

    assert line(out)["event"] == "Heard now"


@pytest.mark.parametrize("name", ["apscheduler.scheduler", "aiohttp.access", "urllib3.connectionpool", "hvac"])
def test_other_libraries_are_heard_from_warning_up(out, name):
    configure_logging(level="DEBUG", format="json", stream=out)
    logging.getLogger(name).info("Chatter")
    logging.getLogger(name).warning("Trouble with %s", "it")

    assert (line(out)["event"], line(out)["logger"]) == ("Trouble with it", name)


def test_other_libraries_are_as_quiet_as_we_are(out):
    configure_logging(level="ERROR", format="json", stream=out)
    logging.getLogger("urllib3").warning("Trouble")

    assert out.getvalue() == ""


def test_secret_in_the_message_of_another_library_is_hidden(out):
    logging.getLogger("hvac").warning("login with %s failed", "hvs.CAESIJabc")

    assert line(out)["event"] == "login with *** failed"


def test_exception_of_another_library_is_redacted(out):
    try:
        fail("token=abcdef")
    except RuntimeError:
        logging.getLogger("urllib3").exception("Failed")

    assert "RuntimeError: token=***" in line(out)["exception"]


def test_warning_becomes_a_line(out):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old thing", UserWarning, stacklevel=1)

    assert "old thing" in line(out)["event"]


def test_unwritable_value_costs_the_line_and_tells_no_content(out):
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("hunter2")

    configure_logging(level="INFO", format="json", stream=out)  # alone, without pytest's own handlers
    log.info("hunter3", value=Broken())

    assert line(out) == {"level": "error", "event": "Log line lost", "logger": "alertd.test"}


def test_console_is_readable_text():
    out = StringIO()
    configure_logging(level="INFO", format="console", stream=out)

    log.info("Something happened", exchange="binance")

    assert "[info     ] Something happened" in out.getvalue()
    assert "exchange=binance" in out.getvalue()


def test_console_shows_control_characters_instead_of_obeying_them():
    out = StringIO()
    configure_logging(level="INFO", format="console", stream=out)

    log.info("Named", label="\x1b[2Jgone\nnext line")

    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_console_keeps_the_lines_of_a_traceback():
    out = StringIO()
    configure_logging(level="INFO", format="console", stream=out)

    try:
        fail("x")
    except RuntimeError:
        log.exception("Failed")

    assert "\nRuntimeError: x" in out.getvalue()


def test_uncaught_exception_goes_through_the_log(out):
    report_crashes(out)

    sys.excepthook(RuntimeError, RuntimeError("password=hunter2"), None)

    assert line(out)["level"] == "critical"
    assert "password=***" in line(out)["exception"]


def test_uncaught_exception_of_a_thread_goes_through_the_log(out):
    report_crashes(out)
    thread = threading.Thread(target=fail, args=("token=abc",))

    thread.start()
    thread.join()

    assert "RuntimeError: token=***" in line(out)["exception"]


def test_interrupt_from_the_keyboard_is_no_crash(out):
    report_crashes(out)

    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert out.getvalue() == ""
