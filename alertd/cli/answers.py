"""What the daemon answers, read by name. What is not there reads as nothing, so that an older daemon can be asked."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WORDS: Final = {True: "yes", False: "no", None: ""}
UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
SOON_SECONDS: Final = 1
SMALL: Final = 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object of the daemon, received `at`. A path such as `permissions.read` leads into objects."""

    raw: Mapping[str, Any]
    at: datetime

    def value(self, path: str) -> object:
        """The JSON value; None: null, or not there."""
        found: object = self.raw
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def text(self, path: str) -> str:
        """The value as people read it: times in UTC and relative, lists with commas, null as nothing."""
        return spoken(self.value(path), self.at)

    def number(self, path: str) -> int:
        """0 for what is no integer."""
        found = self.value(path)
        return found if isinstance(found, int) else 0

    def words(self, path: str) -> tuple[str, ...]:
        """The texts of a list."""
        found = self.value(path)
        return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()

    def inner(self, path: str) -> "Answer":
        """The object there; an empty one where there is none."""
        found = self.value(path)
        return Answer(found if isinstance(found, Mapping) else {}, self.at)

    def each(self, path: str) -> tuple["Answer", ...]:
        """The objects of a list; what is no object is passed over."""
        found = self.value(path)
        items = found if isinstance(found, list) else []
        return tuple(Answer(item, self.at) for item in items if isinstance(item, Mapping))

    def facts(self, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Every field with a value, in order; an object's are named `object field`."""
        found: list[tuple[str, str]] = []
        for name, value in self.raw.items():
            title = name.replace("_", " ")
            if name in without:
                continue
            if isinstance(value, Mapping):
                found += [(f"{title} {inner}", text) for inner, text in Answer(value, self.at).facts()]
            elif value not in (None, "", []):
                found.append((title, spoken(value, self.at)))
        return found


def spoken(value: object, at: datetime) -> str:
    match value:
        case None | bool():
            return WORDS[value]
        case float():
            return f"{value:.2g}" if 0 < abs(value) < SMALL else str(round(value, 4))
        case str():
            return spoken_time(value, at) if TIME.fullmatch(value) else value
        case list() if not any(isinstance(item, Mapping | list) for item in value):
            return ", ".join(spoken(item, at) for item in value)
        case Mapping() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def spoken_time(text: str, at: datetime) -> str:
    """`2026-01-05 12:00:00Z (5 min ago)`."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}Z ({distance(moment - at)})"


def distance(apart: timedelta) -> str:
    """In the largest unit that fits; the future is positive."""
    seconds = round(abs(apart.total_seconds()))
    if seconds < SOON_SECONDS:
        return "now"
    unit, size = next((unit, size) for unit, size in UNITS if seconds >= size)
    amount = f"{seconds // size} {unit}"
    return f"in {amount}" if apart > timedelta() else f"{amount} ago"
