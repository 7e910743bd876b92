"""Reads every place where settings may stand and answers with all of them, or with everything that is wrong."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from alertd.config.admin import weaknesses
from alertd.config.environment import from_credentials, from_environment, located
from alertd.config.file import from_file
from alertd.config.found import Chosen, Found, Place, Problem, nested, settle
from alertd.config.kinds import is_loopback
from alertd.config.names import Where, dotted
from alertd.config.problems import conflict_problems, field_problems
from alertd.config.settings import Settings
from alertd.errors import ConfigError

DEFAULT_FILES: Final = (Path("alertd.toml"), Path("/etc/alertd/alertd.toml"))


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `path`, else $ALERTD_CONFIG, else the first of DEFAULT_FILES that exists, else defaults.

    Variables beat the file. Raises ConfigError with every problem at once. Reads files, asks no network.
    """
    environ = os.environ if environ is None else environ
    file = _file(path, environ)
    hauls = [from_environment(environ), from_credentials(environ)]
    hauls += [from_file(file, environ)] if file is not None else []
    chosen, disputes = settle(item for haul in hauls for item in haul.found)
    problems = [problem for haul in hauls for problem in haul.problems] + disputes
    if ("state_dir",) not in chosen:
        chosen = {("state_dir",): _default_state_dir(environ), **chosen}
    settings = _validated(chosen, problems)
    if settings is None or problems:
        raise ConfigError(list(dict.fromkeys(problem.text for problem in problems)))
    settings._file = file.absolute() if file is not None else None
    settings._warnings = (*(line for haul in hauls for line in haul.warnings), *_cautions(settings, chosen))
    return settings


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = environ.get("ALERTD_CONFIG", "").strip()
    if path is not None or named:
        return path if path is not None else located(named, Path(), environ)
    return next((file for file in DEFAULT_FILES if _may_exist(file)), None)


def _may_exist(file: Path) -> bool:
    """A file in a folder that we may not enter counts: reading it then says so, instead of the defaults."""
    try:
        return file.exists()
    except OSError:
        return True


def _default_state_dir(environ: Mapping[str, str]) -> Found:
    """systemd's folder, else the user's state folder, else (a bare root, as in a container) the system's."""
    managed = environ.get("STATE_DIRECTORY", "").split(":")[0]
    states = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME", "")
    if managed:
        value = Path(managed)
    elif states.startswith("/"):
        value = Path(states) / "alertd"
    elif home:
        value = Path(home) / ".local" / "state" / "alertd"
    else:
        value = Path("/var/lib/alertd")
    return Found(("state_dir",), "default", Place.FILE, value.absolute())


def _validated(chosen: Chosen, problems: list[Problem]) -> Settings | None:
    """The settings, or None with what is wrong appended to `problems`.

    Values are compared with each other only where each is right by itself, so after a failure the
    wrong ones are left out and the rest is looked at once more.
    """
    try:
        return Settings(**nested(chosen))
    except ValidationError as error:
        known = {problem.path for problem in problems}
        wrong = [problem for problem in field_problems(error, chosen) if problem.path not in known]
        known |= {problem.path for problem in wrong}
        clashes = list(conflict_problems(error, chosen))
    rest = {path: item for path, item in chosen.items() if not _touches(path, known)}
    if len(rest) < len(chosen):
        try:
            Settings(**nested(rest))
        except ValidationError as error:
            clashes += conflict_problems(error, rest)
    problems += wrong
    problems += [problem for problem in clashes if problem.path not in known]
    return None


def _touches(path: Where, others: set[Where]) -> bool:
    return any(other == path[: len(other)] for other in others if other)


def _cautions(settings: Settings, chosen: Chosen) -> Iterator[str]:
    """What is accepted, although it would be refused, or is unwise, elsewhere."""
    for below, text in weaknesses(settings.admin) if settings.admin.on_loopback else ():
        path = ("admin", *below.split("."))
        title = chosen[path].title if path in chosen else dotted(path)
        yield f"{title}: {text}; accepted only because {settings.admin.host} is a loopback address"
    vault = urlsplit(settings.secrets.vault.address or "")
    if settings.secrets.backend == "vault" and vault.scheme == "http" and not is_loopback(vault.hostname or ""):
        yield "secrets.vault.address: is plain http; exchange keys cross the network unencrypted"
