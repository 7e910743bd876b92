"""Options that many commands share, as one parameter: each field of a dataclass becomes an option of the command."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Final, get_type_hints

KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer understands it. Fields need an `Annotated` option and a default."""
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}
    own = [each.replace(annotation=hints[each.name]) for each in parameters if each.name not in groups]
    options = [option for kind in groups.values() for option in _options(kind)]

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    flat.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    flat.__annotations__ = {each.name: each.annotation for each in [*own, *options]}
    return flat


def _options(kind: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(field.name, KEYWORD, default=field.default, annotation=hints[field.name])
        for field in fields(kind)
    ]
