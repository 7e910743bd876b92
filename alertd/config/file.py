"""Settings from the TOML file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic_settings import TomlConfigSettingsSource

from alertd.config.environment import located
from alertd.config.found import Haul, Place, Problem
from alertd.config.names import Where, dotted, is_section, leaf_at, meant_key
from alertd.config.settings import Settings
from alertd.errors import ConfigError


def from_file(file: Path, environ: Mapping[str, str]) -> Haul:
    """What the file says; relative paths in it start in its folder. Raises ConfigError if it cannot be read."""
    reader = _Reader(file.absolute().parent, environ)
    reader.table(_parsed(file), (), "")
    return reader.haul


def _parsed(file: Path) -> Mapping[str, object]:
    try:
        if not file.is_file():
            raise ConfigError([f"{file}: there is no such file"])
        tables: Mapping[str, object] = TomlConfigSettingsSource(Settings, toml_file=file).toml_data
    except tomllib.TOMLDecodeError as exc:
        end = f"at line {len(file.read_text().splitlines())}, the last"
        raise ConfigError([f"{file}: is not valid TOML: {str(exc).replace('at end of document', end)}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{file}: must be text in UTF-8"]) from None
    except OSError as exc:
        raise ConfigError([f"{file}: cannot be read: {(exc.strerror or 'no reason given').lower()}"]) from None
    return tables


class _Reader:
    """Walks the tables; `written` is the key as the operator wrote it, `path` the setting it leads to."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.haul = Haul()
        self._folder = folder
        self._environ = environ

    def table(self, table: Mapping[str, object], path: Where, written: str) -> None:
        for key, value in table.items():
            name = f"{written}.{key}" if written else key
            step = key.lower() if path == ("exchanges",) else key
            self._entry(value, (*path, step), name)

    def _entry(self, value: object, path: Where, written: str) -> None:
        leaf = leaf_at(path)
        secret = _secret_of(path)
        if leaf is not None:
            is_place = leaf.is_path and isinstance(value, str)
            found = located(str(value), self._folder, self._environ) if is_place else value
            self.haul.add(path, written, Place.FILE, found)
        elif secret is not None and isinstance(value, str):
            self.haul.add_file(secret, written, Place.FILE, located(value, self._folder, self._environ))
        elif secret is not None:
            self._refuse(secret, f"{written}: must be a path")
        elif path == ("notify",):
            self._notifiers(value)
        elif not is_section(path):
            self._refuse(path, f"{written}: is not a setting{meant_key(path)}")
        elif isinstance(value, dict):
            self.table(value, path, written)
        else:
            self._refuse(path, f"{written}: must be a table, [{dotted(path)}]")

    def _notifiers(self, value: object) -> None:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self._refuse(("notify",), "notify: must be a list of tables, each under [[notify]]")
            return
        seen: set[str] = set()
        for at, entry in enumerate(value):
            name = entry.get("name")
            step = name.lower().replace("-", "_") if isinstance(name, str) else ""
            if not step or step in seen:
                text = "must be different from the other names" if step else "must be set to a text"
                self._refuse(("notify",), f"notify[{at}].name: {text}")
            else:
                seen.add(step)
                self.table(entry, ("notify", step), f"notify.{name}")

    def _refuse(self, path: Where, text: str) -> None:
        self.haul.problems.append(Problem(path, text))


def _secret_of(path: Where) -> Where | None:
    """The secret setting of which `path` names the file: `database.dsn_file` leads to `database.dsn`."""
    secret = (*path[:-1], path[-1].removesuffix("_file"))
    leaf = leaf_at(secret)
    return secret if secret != path and leaf is not None and leaf.secret else None
