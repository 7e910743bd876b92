"""Being a Unix process: logs without secrets, signals, systemd, background loops, clocks that jump."""

from alertd.process.clock import ClockSteps
from alertd.process.lag import LoopLag
from alertd.process.logs import LogFormat, configure_logging, report_crashes, set_level
from alertd.process.loops import LoopDied, Loops, first_of, pause, supervising, watchdog
from alertd.process.redaction import HIDDEN, redact_text
from alertd.process.signals import signals
from alertd.process.sockets import inherited_socket
from alertd.process.stopping import Stopped, beside, giving_up_at
from alertd.process.systemd import (
    READY,
    STOPPING,
    WATCHDOG,
    answer_reload,
    notify,
    reloading,
    status,
    taking_long,
    watchdog_interval,
)

__all__ = [
    "HIDDEN",
    "READY",
    "STOPPING",
    "WATCHDOG",
    "ClockSteps",
    "LogFormat",
    "LoopDied",
    "LoopLag",
    "Loops",
    "Stopped",
    "answer_reload",
    "beside",
    "configure_logging",
    "first_of",
    "giving_up_at",
    "inherited_socket",
    "notify",
    "pause",
    "redact_text",
    "reloading",
    "report_crashes",
    "set_level",
    "signals",
    "status",
    "supervising",
    "taking_long",
    "watchdog",
    "watchdog_interval",
]
