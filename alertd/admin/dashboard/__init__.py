"""The dashboard's files, read once and served from memory; what is not listed here cannot be asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from alertd import __version__

FOLDERS: Final = ("", "pages", "vendor")
MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SHELL: Final = "index.html"


@dataclass(frozen=True, slots=True)
class File:
    """One file as browsers get it; `tag` changes when its content does."""

    media_type: str
    content: bytes = field(repr=False)
    tag: str


@cache
def listed() -> Mapping[str, File]:
    """Every style, script and picture, by its path below `/ui/`."""
    root = files(__name__)
    found = (each for folder in FOLDERS for each in _in(root, folder))
    return {path: _file(MEDIA_TYPES[_ending(path)], source.read_bytes()) for path, source in found}


@cache
def shell(*, signing_in: bool) -> File:
    """The one page, which the scripts fill; `signing_in` false: nobody needs a key."""
    text = (files(__name__) / SHELL).read_text(encoding="utf-8")
    text = text.replace("{signing_in}", "yes" if signing_in else "no").replace("{version}", __version__)
    return _file("text/html", text.encode())


def _in(root: Traversable, folder: str) -> list[tuple[str, Traversable]]:
    lead = f"{folder}/" if folder else ""
    place = root / folder if folder else root
    return [(lead + each.name, each) for each in place.iterdir() if _ending(each.name) in MEDIA_TYPES]


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _file(media_type: str, content: bytes) -> File:
    return File(media_type, content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
