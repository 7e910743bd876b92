"""Routes for machines: alive, ready, metrics, and how it is doing."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from alertd import metrics
from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.problems import Flaw, Invalid
from alertd.admin.routing import Call, Reply, Route
from alertd.admin.shapes import Answer, NoBody, NoParams
from alertd.db import Tx
from alertd.errors import ConfigError

METRICS: Final = "/metrics"


class Health(Answer):
    """The process runs and its event loop turns."""

    healthy: bool


class Readiness(Answer):
    """Whether the daemon can do its work, and what it is waiting for."""

    ready: bool
    waiting_for: list[str]


class Reloaded(Answer):
    """The settings that have another value now."""

    changed: list[str]


async def show_healthy(_daemon: Daemon, _call: Call[NoParams, NoBody]) -> Health:
    return Health(healthy=True)


async def show_ready(daemon: Daemon, _call: Call[NoParams, NoBody]) -> Reply:
    waiting_for = list(daemon.waiting_for())
    answer = Readiness(ready=not waiting_for, waiting_for=waiting_for)
    return Reply(answer, status=503 if waiting_for else 200)


async def show_metrics(_daemon: Daemon, _call: Call[NoParams, NoBody]) -> web.Response:
    page = await asyncio.to_thread(metrics.page)
    return web.Response(body=page, headers={hdrs.CONTENT_TYPE: metrics.CONTENT_TYPE})


async def reload_settings(daemon: Daemon, call: Call[NoParams, NoBody]) -> Reloaded:
    async def noted(tx: Tx, changed: Sequence[str]) -> None:
        await record(tx, call, action="settings.reload", object="settings", after={"changed": list(changed)})

    try:
        return Reloaded(changed=list(await daemon.live.reload(noted)))
    except ConfigError as error:
        raise Invalid([_flaw(problem) for problem in error.problems]) from None


def _flaw(problem: str) -> Flaw:
    """A problem of the settings begins with the name of one."""
    where, _, detail = problem.partition(": ")
    return Flaw(where, detail)


ROUTES: Final = (
    Route(
        method="GET",
        path="/-/healthy",
        handler=show_healthy,
        permission=None,
        summary="Whether the process is alive",
        answer=Health,
    ),
    Route(
        method="GET",
        path="/-/ready",
        handler=show_ready,
        permission=None,
        summary="Whether the daemon can do its work",
        answer=Readiness,
        others={503: Readiness},
    ),
    Route(
        method="GET",
        path=METRICS,
        handler=show_metrics,
        permission=None,
        summary="Everything countable, for Prometheus; needs a key where metrics.require_auth is set",
        media_type="text/plain",
    ),
    Route(
        method="POST",
        path="/-/reload",
        handler=reload_settings,
        permission=Permission.ADMIN,
        summary="Read the settings again and use them, all or none; a refusal names each setting at fault",
        answer=Reloaded,
        refusals=(422,),
    ),
)
