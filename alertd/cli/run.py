"""`alertd run`: the daemon."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

import structlog
import uvloop

from alertd import app
from alertd.cli.options import ConfigFile
from alertd.config import Settings, load
from alertd.process import Stopped, configure_logging, report_crashes, signals

EXAMPLE: Final = "Example: alertd run -c /etc/alertd/alertd.toml"

log = structlog.get_logger(__name__)


def run(config: ConfigFile = None) -> None:
    """Run the daemon until SIGTERM; without any configuration it runs on an embedded database."""
    settings = load(config)
    configure_logging(level=settings.logging.level, format=settings.logging.format)
    report_crashes()
    for warning in settings.warnings:
        log.warning("Setting", problem=warning)
    uvloop.run(_run(settings, config))


async def _run(settings: Settings, config: Path | None) -> None:
    stop, reload = asyncio.Event(), asyncio.Event()
    with signals(stop, reload):
        try:
            await app.run(settings, stop, read=partial(load, config), reload=reload)
        except Stopped:
            log.info("Stopped before it was up")
