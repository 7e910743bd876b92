"""One log: structlog and every other library end in the same lines, redacted at the last step.

A line is a JSON object, or readable text on a terminal; under systemd it is an entry of the journal.
Other people's loggers are heard from WARNING up; ours from the configured level.
"""

import faulthandler
import logging
import sys
import threading
from contextlib import suppress
from io import UnsupportedOperation
from types import TracebackType
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from alertd.process.journal import Entries, is_journal
from alertd.process.redaction import redact_fields

LogFormat = Literal["json", "console"]

OURS: Final = "alertd"

_FIRST: Final = ("timestamp", "level", "event", "logger")
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_LINE_ENDS: Final = {ord("\n"): "\\n"}
_MULTI_LINE: Final = ("exception", "stack")


def configure_logging(
    *,
    level: str,
    format: LogFormat,  # noqa: A002 the setting's name
    stream: TextIO | None = None,
) -> None:
    """Route all logging of this process to `stream` (standard error if None); may be called again.

    `level` is a name of the standard library (`INFO`) and counts for alertd's own loggers.
    """
    target = sys.stderr if stream is None else stream
    handler = _Lines(Entries(target) if is_journal(target) else target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redacted,
                *_renderers(format, target),
            ],
        )
    )
    logging.getLogger().handlers = [handler]
    set_level(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def set_level(level: str) -> None:
    """From now on; everything else stays as it was configured."""
    ours = logging.getLogger(OURS)
    ours.setLevel(level)
    logging.getLogger().setLevel(max(ours.level, logging.WARNING))


def report_crashes(stream: TextIO | None = None) -> None:
    """Send what nobody caught through the log, and let a fatal signal (the watchdog's) print all stacks."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda failure: _uncaught(
        failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback
    )
    with suppress(UnsupportedOperation):  # a stream without a descriptor
        faulthandler.enable(sys.stderr if stream is None else stream)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _renderers(form: LogFormat, stream: TextIO) -> list[Processor]:
    if form == "json":
        return [_ordered, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    return [_printable, console]


def _redacted(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    return redact_fields(fields)


def _ordered(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    first = {name: fields.pop(name) for name in _FIRST if name in fields}
    return {**first, **fields}


def _printable(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    """Text from outside must neither steer the terminal nor look like a line of ours."""
    for name, value in fields.items():
        if isinstance(value, str):
            text = value.translate(_CONTROL)
            fields[name] = text if name in _MULTI_LINE else text.translate(_LINE_ENDS)
    return fields


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger(__name__).critical("Uncaught exception", exc_info=(kind, error, trace))


class _Lines(logging.StreamHandler[TextIO | Entries]):
    """Writes lines; of a record that cannot be rendered it tells the origin, never the content."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the handler's lock, so that record and text belong together."""
        if isinstance(self.stream, Entries):
            self.stream.record = record
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Called by the standard library, which would print the arguments otherwise."""
        with suppress(OSError, ValueError):  # the stream itself is gone
            self.stream.write(f'{{"level": "error", "event": "Log line lost", "logger": "{record.name}"}}\n')
            self.flush()
