"""Which API key a command shows to the daemon, and where it came from; its text is in no message."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import typer

from alertd.admin.bootstrap import KEY_FILE
from alertd.cli.options import Where
from alertd.config import load
from alertd.config.kinds import is_loopback

VARIABLE: Final = "ALERTD_API_KEY"
HEADER_VARIABLE: Final = "ALERT_API_KEY_HEADER"
USUAL_HEADER: Final = "X-Alert-API-Key"
REMEDY: Final = f"Set {VARIABLE}, or name a file with --key-file."


@dataclass(frozen=True, slots=True)
class Key:
    """`text` empty: there is none, and `source` says why; else where it was found."""

    text: str = field(repr=False)
    source: str
    header: str = ""  # where we read the settings, the one that they name

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """In the header that the daemon's settings may have renamed."""
        name = self.header or os.environ.get(HEADER_VARIABLE, "").strip() or USUAL_HEADER
        return [(name.encode(), self.text.encode())] if self.text else []


def find_key(where: Where) -> Key:
    """Raises BadParameter for a key that cannot be one, ConfigError where settings say wrongly where to look."""
    if where.key_file is not None:
        return _checked(_read(where.key_file), str(where.key_file))
    if given := os.environ.get(VARIABLE, "").strip():
        return _checked(given, VARIABLE)
    if not on_this_machine(where.url):
        return Key("", REMEDY)  # the key of our own daemon is nobody else's business
    return _of_first_start(where)


def on_this_machine(url: str) -> bool:
    return url.startswith("unix:") or is_loopback(urlsplit(url).hostname or "")


def _of_first_start(where: Where) -> Key:
    settings = load(where.config)
    file = settings.state_dir / KEY_FILE
    try:
        return replace(_checked(file.read_text().strip(), str(file)), header=settings.admin.api_key_header)
    except FileNotFoundError:
        return Key("", f"{REMEDY} There is no {file}.")
    except OSError as exc:
        return Key("", f"{REMEDY} {file} cannot be read: {(exc.strerror or 'no reason given').lower()}.")


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise typer.BadParameter(f"--key-file {file} cannot be read: {(reason or 'no reason given').lower()}") from None


def _checked(text: str, source: str) -> Key:
    """What no header can hold would be repeated in the client's own complaint."""
    if not text or not text.isprintable() or " " in text:
        raise typer.BadParameter(f"what is in {source} is no API key: one word is expected")
    return Key(text, source)
