"""The table: what is not here does not exist. One file per resource, and one line for it below."""

from functools import cache
from typing import Final

from aiohttp import web

from alertd.admin.bodies import JSON
from alertd.admin.daemon import Daemon
from alertd.admin.openapi import document, rendered
from alertd.admin.routes import (
    alerts,
    audit,
    checks,
    credential_changes,
    credentials,
    deliveries,
    events,
    executions,
    keys,
    login,
    operations,
    overview,
    performance,
    performance_subjects,
    schedule,
    schedule_actions,
    silences,
    sweeps,
    tenants,
    ui,
    webhook_actions,
    webhooks,
)
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import NoBody, NoParams

METRICS: Final = operations.METRICS


async def show_openapi(daemon: Daemon, _call: Call[NoParams, NoBody]) -> web.Response:
    return web.Response(text=_document(daemon.settings.admin.api_key_header), content_type=JSON)


TABLE: Final[tuple[Route, ...]] = (
    *operations.ROUTES,
    *login.ROUTES,
    *overview.ROUTES,
    *performance.ROUTES,
    *performance_subjects.ROUTES,
    *credentials.ROUTES,
    *credential_changes.ROUTES,
    *checks.ROUTES,
    *sweeps.ROUTES,
    *tenants.ROUTES,
    *webhooks.ROUTES,
    *webhook_actions.ROUTES,
    *deliveries.ROUTES,
    *schedule.ROUTES,
    *schedule_actions.ROUTES,
    *executions.ROUTES,
    *events.ROUTES,
    *alerts.ROUTES,
    *silences.ROUTES,
    *keys.ROUTES,
    *audit.ROUTES,
    *ui.ROUTES,
    Route(
        method="GET",
        path="/openapi.json",
        handler=show_openapi,
        permission=None,
        summary="This document",
    ),
)


@cache
def _document(key_header: str) -> str:
    return rendered(document(TABLE, key_header=key_header))
