"""Errors as RFC 9457 says: one JSON shape for all, a sentence for the reader, nothing of our insides."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

CONTENT_TYPE: Final = "application/problem+json"

_SENTENCES: Final[Mapping[int, str]] = {
    400: "The request could not be understood.",
    401: "A valid key or token is needed.",
    403: "This key may not do that.",
    404: "There is nothing at this address.",
    405: "This address does not answer this method.",
    413: "The request is too large.",
    415: "This media type is not understood here.",
    429: "Too many requests; come back later.",
    500: "Something went wrong on our side; the log has more under this request id.",
    503: "Not ready.",
}


def problem(
    status: int,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> web.Response:
    """An error answer. Without `detail` it is the usual sentence for this status; `members` extend the object."""
    title = HTTPStatus(status).phrase
    content = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or _SENTENCES.get(status, title),
        **members,
    }
    return web.Response(
        status=status,
        body=json.dumps(content, allow_nan=False).encode(),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
