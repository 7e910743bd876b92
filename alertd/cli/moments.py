"""Times as people type them: a date, a time, or a distance from now such as 90m, 24h, 7d."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DISTANCE: Final = re.compile(r"(\d{1,6})([smhdw])")
SHAPE: Final = (
    "is a date or a time (2026-01-05, 2026-01-05T12:00Z; UTC unless it says otherwise) or a distance (24h, 7d)"
)


def ago(text: str | None, now: datetime) -> str | None:
    """A distance counts backwards. Raises BadParameter."""
    return None if text is None else _iso(_moment(text, now, -1))


def ahead(text: str | None, now: datetime) -> str | None:
    """A distance counts forwards. Raises BadParameter."""
    return None if text is None else _iso(_moment(text, now, 1))


def _moment(text: str, now: datetime, sign: int) -> datetime:
    found = DISTANCE.fullmatch(text)
    try:
        if found:
            return now + sign * timedelta(**{UNITS[found[2]]: int(found[1])})
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r}: a time {SHAPE}") from None


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
