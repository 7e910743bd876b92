"""The one parser of request bodies: bytes that are late, large, or not exactly JSON never reach a handler."""

import asyncio
import json
import math
from datetime import timedelta
from typing import Final, Self, TypeVar

from aiohttp import hdrs, web
from pydantic import ValidationError

from alertd.admin.flaws import invalid_body
from alertd.admin.shapes import Body

B = TypeVar("B", bound=Body)

JSON: Final = "application/json"
CSV: Final = "text/csv"
PATIENCE: Final = timedelta(seconds=15)
MAX_DEPTH: Final = 32
_MOST_DIGITS: Final = 19  # what fits into 64 bits has no more
_SMALL: Final = 256 * 1024  # larger ones would hold up everybody else


class CsvBody(Body):
    """A body that may also come as `text/csv`."""

    @classmethod
    def from_csv(cls, text: str) -> Self:
        """Raises Invalid, whose flaws name lines."""
        raise NotImplementedError


async def receive(request: web.Request, *, max_bytes: int, patience: timedelta = PATIENCE) -> bytes:
    """All of the body. Raises 413 before more than `max_bytes` are kept, 408 when it does not come in time."""
    if request.content_length is not None and request.content_length > max_bytes:
        raise _too_large(max_bytes, request.content_length)
    body = bytearray()
    try:
        async with asyncio.timeout(patience.total_seconds()):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > max_bytes:
                    raise _too_large(max_bytes, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):  # broken chunks, or nobody there any more
        raise web.HTTPBadRequest(text="The body broke off, or its chunks are malformed.") from None
    return bytes(body)


def _too_large(max_bytes: int, actual: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(max_bytes, actual, text=f"The body may have at most {max_bytes} bytes.")


async def parse(raw: bytes, *, request: web.Request, model: type[B]) -> B:
    """The body as its model; none at all counts as an empty object. Raises 400, 415 or Invalid (422)."""
    if not raw:
        return _validated(b"{}", model)
    media_type = _media_type(request, model)
    if len(raw) <= _SMALL:
        return _read(raw, media_type, model)
    return await asyncio.to_thread(_read, raw, media_type, model)


def _media_type(request: web.Request, model: type[Body]) -> str:
    known = (JSON, CSV) if issubclass(model, CsvBody) else (JSON,)
    encoded = request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity"
    charset = request.charset or "utf-8"
    unknown = hdrs.CONTENT_TYPE not in request.headers or request.content_type not in known
    if unknown or encoded or charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
        text = f"The body must be {' or '.join(known)} in UTF-8, not compressed, and Content-Type must say so."
        raise web.HTTPUnsupportedMediaType(text=text, headers={"Accept": ", ".join(known)})
    return request.content_type


def _read(raw: bytes, media_type: str, model: type[B]) -> B:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="The body is not UTF-8.") from None
    if media_type == CSV and issubclass(model, CsvBody):
        if "\0" in text:
            raise web.HTTPBadRequest(text="The body contains NUL.")
        return model.from_csv(text.removeprefix("\ufeff"))
    check_json(text)
    return _validated(raw, model)


def _validated(raw: bytes, model: type[B]) -> B:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise invalid_body(error) from None


def check_json(text: str) -> None:
    """Raises 400 for what is no JSON, and for JSON that two readers could understand differently."""
    try:
        value = json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_no_constant, parse_float=_finite, parse_int=_short
        )
        _check_inside(value)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise web.HTTPBadRequest(text=f"The body is not valid JSON ({place}).") from None
    except _Odd as odd:
        raise web.HTTPBadRequest(text=f"The body {odd}.") from None
    except RecursionError:
        raise web.HTTPBadRequest(text=f"The body is nested deeper than {MAX_DEPTH} levels.") from None


class _Odd(Exception):
    """What is wrong with a body that json alone would accept; never with a value of it."""


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Odd("names a field twice")
    return found


def _no_constant(_: str) -> object:
    raise _Odd("contains NaN or Infinity, which are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Odd("contains a number that is too large")
    return number


def _short(text: str) -> int:
    if len(text.removeprefix("-")) > _MOST_DIGITS:
        raise _Odd("contains a number that is too large")
    return int(text)


def _check_inside(value: object) -> None:
    """Level by level, so that no depth of theirs is a depth of ours."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        nested = [item for item in level if isinstance(item, (dict, list))]
        for text in (item for item in level if isinstance(item, str)):
            _check_text(text)
        level = [part for item in nested for part in (item if isinstance(item, list) else _parts(item))]
        if not level:
            return
    raise _Odd(f"is nested deeper than {MAX_DEPTH} levels")


def _parts(item: dict[str, object]) -> list[object]:
    return [*item.keys(), *item.values()]


def _check_text(text: str) -> None:
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise _Odd("contains NUL or half a character")
