"""Reads path and query into a route's parameters; a value that cannot be makes a path one that is not there."""

from collections.abc import Collection
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from alertd.admin.flaws import invalid_query
from alertd.admin.problems import Flaw, Invalid
from alertd.admin.shapes import Params

P = TypeVar("P", bound=Params)


def read_parameters(request: web.Request, model: type[P], *, bad_path: type[web.HTTPException]) -> P:
    """Raises `bad_path` for a wrong value in the path, Invalid (422) for one in the query."""
    path = request.match_info
    query = request.query
    if any(_odd(value) for value in path.values()):
        raise bad_path
    flaws = [
        Flaw(
            name[:64], "must occur once" if query.getall(name).__len__() > 1 else "must not contain control characters"
        )
        for name in dict.fromkeys(query)
        if len(query.getall(name)) > 1 or _odd(query[name]) or _odd(name)
    ]
    if flaws:
        raise Invalid(flaws)
    shadowed = [Flaw(name, "is part of the path") for name in query if name in path]
    if shadowed:
        raise Invalid(shadowed)
    try:
        return model.model_validate_strings({**query, **path})
    except ValidationError as error:
        if _concerns(error, path):
            raise bad_path from None
        raise invalid_query(error) from None


def _concerns(error: ValidationError, names: Collection[str]) -> bool:
    return any(details["loc"] and details["loc"][0] in names for details in error.errors(include_input=False))


def _odd(text: str) -> bool:
    return any(character < " " or "\ud800" <= character <= "\udfff" for character in text)
