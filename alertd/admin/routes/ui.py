"""The dashboard as browsers get it: one page, scripts, styles. No data: that comes from the API, for a key."""

from typing import Final

from aiohttp import hdrs, web

from alertd.admin.daemon import Daemon
from alertd.admin.dashboard import File, listed, shell
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import NoBody, NoParams, Params

# Nothing inline, nothing from elsewhere, no text that becomes script or markup.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HTML: Final = "text/html"


class FilePath(Params):
    """One file of the dashboard."""

    file: str


class PartPath(FilePath):
    """One file in a folder of the dashboard."""

    folder: str


async def show_dashboard(daemon: Daemon, call: Call[NoParams, NoBody]) -> web.Response:
    return _sent(call.request, shell(signing_in=daemon.gate.enabled))


async def show_dashboard_below(daemon: Daemon, call: Call[NoParams, NoBody]) -> web.Response:
    return await show_dashboard(daemon, call)


async def show_dashboard_file(_daemon: Daemon, call: Call[FilePath, NoBody]) -> web.Response:
    return _sent(call.request, _listed(call.params.file))


async def show_dashboard_part(_daemon: Daemon, call: Call[PartPath, NoBody]) -> web.Response:
    return _sent(call.request, _listed(f"{call.params.folder}/{call.params.file}"))


def _listed(path: str) -> File:
    """Raises 404."""
    found = listed().get(path)
    if found is None:
        raise web.HTTPNotFound
    return found


def _sent(request: web.Request, file: File) -> web.Response:
    """The file, or nothing for whoever has it already: it is asked for each time, so that no old one stays."""
    headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.ETAG: file.tag, "Content-Security-Policy": POLICY}
    if request.headers.get(hdrs.IF_NONE_MATCH) == file.tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.content, content_type=file.media_type, charset="utf-8", headers=headers)


ROUTES: Final = (
    Route(
        method="GET",
        path="/",
        handler=show_dashboard,
        permission=None,
        summary="The dashboard, which asks for a key",
        media_type=HTML,
    ),
    Route(
        method="GET",
        path="/ui/",
        handler=show_dashboard_below,
        permission=None,
        summary="The dashboard again",
        media_type=HTML,
    ),
    Route(
        method="GET",
        path="/ui/{file}",
        handler=show_dashboard_file,
        permission=None,
        summary="A style or a script of the dashboard",
        params=FilePath,
        media_type="*/*",
    ),
    Route(
        method="GET",
        path="/ui/{folder}/{file}",
        handler=show_dashboard_part,
        permission=None,
        summary="A script of the dashboard",
        params=PartPath,
        media_type="*/*",
    ),
)
