"""Errors as RFC 9457 says: one JSON shape for all, a sentence for the reader, nothing of our insides."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    415: "This media type is not understood here.",
    421: "This host is not served here; admin.allowed_hosts lists those that are.",
    422: "The request was understood, and some of its values are wrong.",
    429: "Too many requests; come back later.",
    431: "A header or the address is too long.",
    500: "Something went wrong on our side; the log has more under this request id.",
    503: "Not now; try again in a moment.",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One wrong value: where it is (`/field` of the body, or a parameter's name) and what would be right."""

    where: str
    detail: str


class Invalid(web.HTTPUnprocessableEntity):
    """Values that are well-formed and still wrong, all of them at once. Texts never repeat a value."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__()
        self.flaws = tuple(flaws)


def wrong(where: str, detail: str) -> Invalid:
    """For a handler that knows better than the model: `raise wrong("/until", "must be after since")`."""
    return Invalid([Flaw(where, detail)])


def absent(what: str) -> web.HTTPNotFound:
    """For an object that is not there, or is somebody else's: nobody can tell which."""
    return web.HTTPNotFound(text=f"There is no {what} with this id.")


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


def problem_of(error: web.HTTPException, *, request_id: str) -> web.Response:
    """Keeps what the raiser said, and headers such as `Allow`; drops aiohttp's own wording."""
    said = error.text or ""
    detail = "" if said == f"{error.status}: {error.reason}" else said
    headers = {name: value for name, value in error.headers.items() if name != "Content-Type"}
    members = {"errors": [asdict(flaw) for flaw in error.flaws]} if isinstance(error, Invalid) else {}
    return problem(error.status, detail, headers=headers, request_id=request_id, **members)
