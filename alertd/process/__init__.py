"""Being a Unix process: logs without secrets, signals, systemd, background loops, clocks that jump."""

from alertd.process.clock import ClockSteps
from alertd.process.lag import LoopLag
from alertd.process.logs import LogFormat, configure_logging, report_crashes
from alertd.process.loops import LoopDied, Loops, pause, supervising, watchdog
from alertd.process.redaction import HIDDEN, redact_text
from alertd.process.signals import signals
from alertd.process.systemd import READY, STOPPING, WATCHDOG, notify, reloading, status, watchdog_interval

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
    "configure_logging",
    "notify",
    "pause",
    "redact_text",
    "reloading",
    "report_crashes",
    "signals",
    "status",
    "supervising",
    "watchdog",
    "watchdog_interval",
]
