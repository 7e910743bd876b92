"""Reads path and query into a route's parameters; a value that cannot be makes a path one that is not there."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import ValidationError

from alertd.admin.flaws import invalid_query
from alertd.admin.problems import Flaw, Invalid
from alertd.admin.shapes import Params

P = TypeVar("P", bound=Params)

_MOST_NAMED = 64


def read_parameters(request: web.Request, model: type[P], *, bad_path: type[web.HTTPException]) -> P:
    """Raises `bad_path` for a wrong value in the path, Invalid (422) for one in the query."""
    path, query = request.match_info, request.query
    if any(_odd(value) for value in path.values()):
        raise bad_path
    flaws = list(_flaws(query, taken=path.keys()))
    if flaws:
        raise Invalid(flaws)
    try:
        return model.model_validate_strings({**query, **path})
    except ValidationError as error:
        invalid = invalid_query(error)
        if not _concerns(error, path.keys()):
            raise invalid from None
        # What is not there says nothing of why; a refusal does.
        why = "; ".join(f"{flaw.where} {flaw.detail}" for flaw in invalid.flaws)
        raise bad_path(text=None if bad_path is web.HTTPNotFound else why) from None


def _flaws(query: MultiMapping[str], *, taken: Collection[str]) -> Iterator[Flaw]:
    """What no model could tell: repeated names, those of the path, and text that no table takes."""
    for name in dict.fromkeys(query):
        values = query.getall(name)
        shown = "".join(character if character.isprintable() else "?" for character in name[:_MOST_NAMED])
        if len(values) > 1:
            yield Flaw(shown, "must occur once")
        elif name in taken:
            yield Flaw(shown, "is part of the path")
        elif _odd(name) or _odd(values[0]):
            yield Flaw(shown, "must not contain control characters")


def _concerns(error: ValidationError, names: Collection[str]) -> bool:
    return any(details["loc"] and details["loc"][0] in names for details in error.errors(include_input=False))


def _odd(text: str) -> bool:
    return any(character < " " or "\ud800" <= character <= "\udfff" for character in text)
