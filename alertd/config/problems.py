"""Turns what pydantic found into lines an operator can act on, and never shows a secret in one."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alertd.config.found import Chosen, Problem
from alertd.config.kinds import Conflicts
from alertd.config.names import Where, dotted, leaf_at

_TEXTS: Final[Mapping[str, str]] = {
    "greater_than": "must be greater than {gt:.15g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
    "mapping_type": "must be a table",
    "dict_type": "must be a table",
    "missing": "must be set",
}
_BAD_EXCHANGE_ID: Final = "must be an exchange's id as ccxt spells it: small letters, digits and _"
_MOST_SHOWN: Final = 60


def field_problems(error: ValidationError, chosen: Chosen) -> Iterator[Problem]:
    """Values that are wrong by themselves."""
    for details in error.errors(include_url=False):
        path, tail = _where(details, chosen)
        if _conflicts_of(details) is None:
            item = chosen.get(path)
            title = item.title if item is not None else dotted(path)
            yield Problem(path, f"{title}{tail}: {_text(details)}{_got(details, path)}")


def conflict_problems(error: ValidationError, chosen: Chosen) -> Iterator[Problem]:
    """Values that do not go together."""
    for details in error.errors(include_url=False):
        conflicts = _conflicts_of(details)
        for below, text in conflicts.found if conflicts else ():
            path = (*_where(details, chosen)[0], *below.split("."))
            item = chosen.get(path)
            yield Problem(path, f"{item.title if item is not None else dotted(path)}: {text}")


def _conflicts_of(details: ErrorDetails) -> Conflicts | None:
    cause = details.get("ctx", {}).get("error")
    return cause if isinstance(cause, Conflicts) else None


def _where(details: ErrorDetails, chosen: Chosen) -> tuple[Where, str]:
    """The setting, and the place inside its value: `[0]` for a list's first item."""
    steps = list(details["loc"])
    if steps[:1] == ["notify"] and len(steps) > 1 and isinstance(steps[1], int):
        steps[1] = list(dict.fromkeys(path[1] for path in chosen if path[0] == "notify"))[steps[1]]
    for length in range(len(steps), 0, -1):
        path = tuple(str(step) for step in steps[:length])
        if leaf_at(path) is not None:
            indices = [step for step in steps[length:] if isinstance(step, int)]
            return path, "".join(f"[{step}]" for step in indices)
    return tuple(str(step) for step in steps if step != "[key]"), ""


def _text(details: ErrorDetails) -> str:
    if details["loc"][-1] == "[key]":
        return _BAD_EXCHANGE_ID
    context = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    template = _TEXTS.get(details["type"])
    return template.format(**context) if template else details["msg"].lower()


def _got(details: ErrorDetails, path: Where) -> str:
    """`, got …`, unless the setting is secret or the value looks like a URL with a password."""
    leaf = leaf_at(path)
    value = details["input"]
    if leaf is None or leaf.secret or details["type"] == "missing" or isinstance(value, (dict, list)):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "@" in text:
        return ""
    shown = text if text.isprintable() and text.strip() else repr(text)
    return f", got {shown[:_MOST_SHOWN]}{'…' if len(shown) > _MOST_SHOWN else ''}"
