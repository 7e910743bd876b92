"""Values as people wrote them, with where and under which name, and which one counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from alertd.config.names import Where, dotted, leaf_at

_MOST_SECRET_BYTES: Final = 65_536


class Place(Enum):
    """Where a value stood."""

    VARIABLE = auto()
    CREDENTIAL = auto()  # a file in $CREDENTIALS_DIRECTORY
    CONVENTION = auto()  # a variable of Vault's own tools
    FILE = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """One value. `name` is how its author named it: a variable, a key of the file, a credential."""

    path: Where
    name: str
    place: Place
    value: object = field(repr=False)

    @property
    def title(self) -> str:
        """What a message calls it: in the file by its key, elsewhere by setting and name."""
        return self.name if self.place is Place.FILE else f"{dotted(self.path)} ({self.name})"


@dataclass(frozen=True, slots=True)
class Problem:
    """One line for the operator, and the setting it speaks of."""

    path: Where
    text: str


@dataclass(slots=True)
class Haul:
    """What one place had to offer."""

    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: Where, name: str, place: Place, value: object) -> None:
        """Keep a value; a secret is wrapped at once, so that nothing that prints a `Found` can show it."""
        leaf = leaf_at(path)
        hidden = SecretStr(value) if leaf is not None and leaf.secret and isinstance(value, str) else value
        self.found.append(Found(path, name, place, hidden))

    def add_file(self, path: Where, name: str, place: Place, file: Path) -> None:
        """Keep what `file` holds as the value of a secret setting, without the newline that editors append."""
        try:
            with file.open("rb") as stream:
                raw = stream.read(_MOST_SECRET_BYTES + 1)
            text = raw.decode().rstrip("\r\n")
        except OSError as exc:
            self.refuse(path, name, place, f"cannot read {file}: {(exc.strerror or 'no reason given').lower()}")
        except UnicodeDecodeError:
            self.refuse(path, name, place, f"{file} must be text in UTF-8")
        else:
            if not text or len(raw) > _MOST_SECRET_BYTES:
                self.refuse(path, name, place, f"{file} is {'too large' if text else 'empty'}")
            else:
                self.add(path, name, place, text)

    def refuse(self, path: Where, name: str, place: Place, text: str) -> None:
        self.problems.append(Problem(path, f"{Found(path, name, place, None).title}: {text}"))


Chosen = Mapping[Where, Found]


def settle(found: Iterable[Found]) -> tuple[Chosen, list[Problem]]:
    """One value for each setting: variables beat the file; equals that differ are a problem.

    A credential never loses silently: it must agree with whatever else would have counted.
    """
    groups: dict[Where, list[Found]] = {}
    for item in found:
        groups.setdefault(item.path, []).append(item)
    chosen: dict[Where, Found] = {}
    problems: list[Problem] = []
    for path, group in groups.items():
        rivals = _rivals(group)
        chosen[path] = rivals[0]
        if any(_compared(rival) != _compared(rivals[0]) for rival in rivals[1:]):
            names = " and ".join(dict.fromkeys(rival.name for rival in rivals))
            problems.append(Problem(path, f"{dotted(path)}: {names} have different values; keep one of them"))
    return chosen, problems


def nested(chosen: Chosen) -> dict[str, Any]:
    """The chosen values as tables within tables."""
    tree: dict[str, Any] = {}
    for path, item in chosen.items():
        table = tree
        for step in path[:-1]:
            table = table.setdefault(step, {})
        table[path[-1]] = item.value
    return tree


def _rivals(group: Sequence[Found]) -> Sequence[Found]:
    by_place = {place: [item for item in group if item.place is place] for place in Place}
    credentials = by_place[Place.CREDENTIAL]
    if by_place[Place.VARIABLE]:
        return by_place[Place.VARIABLE] + credentials
    if by_place[Place.CONVENTION] and not credentials:
        return by_place[Place.CONVENTION]
    return credentials + by_place[Place.FILE]


def _compared(item: Found) -> object:
    """Text without its case, since `true` and `True` say the same; secrets as they are."""
    return item.value.casefold() if isinstance(item.value, str) else item.value
