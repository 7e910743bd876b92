"""Reads values out of an exchange's JSON without trusting its shape; what is absent stays unknown. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from alertd.credentials.quirks.shape import Said

CENTURY_DAYS: Final = 36525


def at(body: object, *path: str | int) -> object:
    """The value under keys and list positions, None where there is none."""
    for step in path:
        if isinstance(body, dict):
            body = body.get(step)
        elif isinstance(step, int) and isinstance(body, list) and -len(body) <= step < len(body):
            body = body[step]
        else:
            return None
    return body


def table(body: object, *path: str | int) -> Mapping[str, object] | None:
    found = at(body, *path)
    return found if isinstance(found, dict) else None


def listed(body: object, *path: str | int) -> list[object] | None:
    found = at(body, *path)
    return found if isinstance(found, list) else None


def word(body: object, *path: str | int) -> str:
    """Text and whole numbers as text; anything else, and what is absent, as empty text."""
    found = at(body, *path)
    if isinstance(found, bool):
        return ""
    return str(found) if isinstance(found, str | int) else ""


def words(body: object, *path: str | int) -> frozenset[str]:
    """The strings of a list."""
    return frozenset(item for item in listed(body, *path) or () if isinstance(item, str))


def parts(body: object, *path: str | int) -> frozenset[str]:
    """The pieces of a comma-separated string."""
    return frozenset(piece.strip() for piece in word(body, *path).split(",") if piece.strip())


def flag(body: object, *path: str | int) -> bool | None:
    """True and false also as "true", 1, "1" and so on: recorded answers have all of these."""
    return truth(at(body, *path))


def truth(found: object) -> bool | None:
    """What `flag` makes of a value."""
    if found is True or found is False:
        return found
    if isinstance(found, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(found.lower())
    return bool(found) if isinstance(found, int) and found in {0, 1} else None


def any_of(flags: Iterable[bool | None]) -> bool | None:
    """True if one is true, None if none is known, else False."""
    known = [value for value in flags if value is not None]
    return any(known) if known else None


def restricted(addresses: Iterable[str]) -> bool:
    """Whether a list of allowed addresses restricts anything: empty, blank and `*` entries do not."""
    return any(address.strip() not in {"", "*"} for address in addresses)


def moment(seconds: float) -> datetime | None:
    """Unix seconds; zero and less, and times beyond the calendar, are how exchanges say "never"."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None


def moment_s(body: object, *path: str | int) -> datetime | None:
    return moment(_number(at(body, *path)))


def moment_ms(body: object, *path: str | int) -> datetime | None:
    return moment(_number(at(body, *path)) / 1000)


def moment_iso(body: object, *path: str | int) -> datetime | None:
    """An ISO 8601 time; 1970 is how exchanges say "never", a time without zone is UTC."""
    try:
        found = datetime.fromisoformat(word(body, *path))
    except ValueError:
        return None
    return moment(found.replace(tzinfo=found.tzinfo or UTC).timestamp())


def days_left(body: object, *path: str | int) -> timedelta | None:
    """A count of days; zero and less, and more than a century, are how exchanges say "never"."""
    days = _number(at(body, *path))
    return timedelta(days=days) if 0 < days <= CENTURY_DAYS else None


def said(code: str, message: str) -> Said:
    return Said(code=code, message=message.lower())


def _number(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return 0.0
    try:
        return float(found)
    except ValueError:
        return 0.0
