"""Turns what pydantic found into flaws a client can act on: they name fields and rules, never a value."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alertd.admin.problems import Flaw, Invalid

MOST: Final = 1000
_MOST_NAMED: Final = 64

_TEXTS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "datetime_type": "must be a time such as 2026-01-05T12:00:00Z",
    "datetime_parsing": "must be a time such as 2026-01-05T12:00:00Z",
    "datetime_from_date_parsing": "must be a time such as 2026-01-05T12:00:00Z",
    "timezone_aware": "must name its time zone, as in 2026-01-05T12:00:00Z",
    "date_type": "must be a date such as 2026-01-05",
    "date_parsing": "must be a date such as 2026-01-05",
    "date_from_datetime_parsing": "must be a date such as 2026-01-05",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def invalid_body(error: ValidationError) -> Invalid:
    """Where: a JSON pointer into the body."""
    return Invalid(list(_found(error, lead="/", between="/")))


def invalid_query(error: ValidationError) -> Invalid:
    """Where: the name of the parameter."""
    return Invalid(list(_found(error, lead="", between=".")))


def _found(error: ValidationError, *, lead: str, between: str) -> Iterator[Flaw]:
    errors = error.errors(include_url=False, include_input=False)
    for details in errors[:MOST]:
        steps = between.join(_shown(step) for step in details["loc"])
        yield Flaw(lead + steps if steps else "", _text(details))
    if len(errors) > MOST:
        yield Flaw("", f"and {len(errors) - MOST} more flaws")


def _shown(step: object) -> str:
    """A name that the client made up, as far as it is fit to be seen; `/` and `~` as JSON pointers have them."""
    text = "".join(character if character.isprintable() else "?" for character in str(step)[:_MOST_NAMED])
    return text.replace("~", "~0").replace("/", "~1")


def _text(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if details["type"] == "value_error":  # raised by a validator of ours
        return str(context["error"])
    template = _TEXTS.get(details["type"])
    return template.format(**context) if template else "is not a value that is understood here"
