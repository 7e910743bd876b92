"""What requests and answers are made of: strict models, and the kinds of values in them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, LiteralString, TypeVar, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from alertd.model import iso_utc

Item = TypeVar("Item")

MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50


_ANY: Final = ("string_type", re.compile(".*", re.DOTALL))
_FORMS: Final[Mapping[object, tuple[LiteralString, re.Pattern[str]]]] = {
    bool: ("bool_parsing", re.compile("true|false")),
    int: ("int_parsing", re.compile("-?(0|[1-9][0-9]*)")),
    float: ("float_parsing", re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")),
    UUID: ("uuid_parsing", re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
}


class Body(BaseModel):
    """What a request carries: unknown fields and values of another type are refused, none is converted."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Params(BaseModel):
    """The parameters in path and query: a field that the path names is read there, every other in the query.

    Values are text, so they are converted. Unknown names are refused; a name may occur once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _written_one_way(cls, value: object, info: ValidationInfo) -> object:
        """No `+5`, `1_0`, ` 5` or `yes`: whoever reads the same address, a proxy or a log, reads the same value."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        fault, form = next((_FORMS[kind] for kind in (annotation, *get_args(annotation)) if kind in _FORMS), _ANY)
        if isinstance(value, str) and not form.fullmatch(value):
            raise PydanticCustomError(fault, "must be written in the usual way")
        return value


class Answer(BaseModel):
    """What is sent back. Only what is named here leaves the house."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class NoBody(Body):
    """For routes that need nothing; an empty body and an empty object are the same."""


class NoParams(Params):
    """For routes without any."""


class PageParams(Params):
    """What every list understands."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="How many items at most.")] = DEFAULT_PAGE
    cursor: Annotated[str | None, Field(max_length=1024, description="`next_cursor` of the page before; opaque.")] = (
        None
    )


class Page(Answer, Generic[Item]):
    """One page of a list; `next_cursor` null: it is the last."""

    items: Sequence[Item]
    next_cursor: str | None


def _plain(value: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        raise ValueError("must not contain control characters")
    return value


def _dated(value: object) -> object:
    """A bare number is no time (does it count seconds or milliseconds?), and a date has no time of day."""
    if isinstance(value, datetime) or (isinstance(value, str) and ":" in value):
        return value
    raise PydanticCustomError("datetime_parsing", "must be a time")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that exists in UTC") from None


_TIME_SCHEMA: Final = {"type": "string", "format": "date-time", "examples": ["2026-01-05T12:00:00Z"]}

# The same in the document: pydantic knows nothing of what a function of ours refuses.
PLAIN: Final = r"^[^\x00-\x08\x0b-\x1f]*$"
_VISIBLE: Final = r"^[^\x00-\x08\x0b-\x1f]*[^\s\x00-\x1f][^\x00-\x08\x0b-\x1f]*$"

# A line or more of text; the database takes no NUL.
Text = Annotated[
    str,
    StringConstraints(max_length=4096),
    AfterValidator(_plain),
    Field(json_schema_extra={"pattern": PLAIN}),
]
# A name that people gave to something.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_plain),
    Field(json_schema_extra={"pattern": _VISIBLE}),
]
# A word of ours or of an exchange: an id, a reason, an event type.
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:*-]{1,100}$")]
# An instant that came with a request: text that names its zone, and UTC from here on.
When = Annotated[AwareDatetime, Strict(strict=False), BeforeValidator(_dated), AfterValidator(_in_utc)]
# An instant in an answer: ISO 8601 with Z, to the second.
Time = Annotated[datetime, PlainSerializer(iso_utc, return_type=str), WithJsonSchema(_TIME_SCHEMA)]
