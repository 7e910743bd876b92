"""The dead man's switch: tells somebody outside each minute that all is well; his alarm is our silence.

Every other alarm needs a process that lives and a network that works.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from alertd.live import Live
from alertd.process import pause
from alertd.webhooks.addresses import Address
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import policy_of
from alertd.webhooks.post import Poster, Request, open_poster

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=1)
SOON: Final = timedelta(seconds=1)  # after a trouble nobody is to wait for the good news
TIMEOUT: Final = timedelta(seconds=10)


async def keep_beating(
    stop: asyncio.Event,
    *,
    live: Live,
    names: Names,
    own: frozenset[tuple[Address, int]],
    well: Callable[[], bool],
    now: Callable[[], datetime],
    every: timedelta = EVERY,
) -> None:
    """POST nothing to `metrics.heartbeat_url` while `well`, until `stop`; the rules for tenants' addresses hold."""
    accepted = True
    async with open_poster(policy_of(live.settings.webhooks, own), names, timeout=TIMEOUT) as poster:
        live.follow(lambda new: poster.adopt(policy_of(new.webhooks, own), TIMEOUT))
        while not stop.is_set():
            url = live.settings.metrics.heartbeat_url
            due = well()
            if due and url is not None:
                accepted = await _beat(poster, url.get_secret_value(), now(), before=accepted)
            await pause(stop, every if due else SOON)


async def _beat(poster: Poster, url: str, at: datetime, *, before: bool) -> bool:
    """Whether it was accepted; said when that is no longer what it was `before`. The URL is a secret."""
    outcome = await poster.post(Request(url, {}, b""), at=at)
    accepted = outcome.label == "success"
    if before and not accepted:
        log.warning("Heartbeat not accepted", status=outcome.status, error=outcome.error)
    if accepted and not before:
        log.info("Heartbeat accepted again")
    return accepted
