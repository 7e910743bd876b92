"""Settings from variables and from the credentials directory that systemd prepares."""

from collections.abc import Mapping
from pathlib import Path

from alertd.config.found import Haul, Place, Problem
from alertd.config.names import (
    COMMAND_LINE_VARIABLES,
    CONVENTIONAL,
    PREFIX,
    leaf_at,
    meant_variable,
    path_of_credential,
    path_of_variable,
)

# Variables that start so may belong to anything; only a near miss of a published name is worth a word.
_PUBLISHED_PREFIXES = ("ALERT_", "CREDENTIAL_", "WEBHOOK_")


def from_environment(environ: Mapping[str, str]) -> Haul:
    """What the variables say. An empty variable counts as not set."""
    haul = Haul()
    celery = sorted(name for name in environ if name.startswith("CELERY_"))
    if celery:
        haul.warnings.append(f"{', '.join(celery)}: ignored; alertd needs neither Celery nor a broker")
    for name, value in sorted(environ.items()):
        if value.strip():
            _take(haul, name, value, environ)
    return haul


def from_credentials(environ: Mapping[str, str]) -> Haul:
    """What the files in $CREDENTIALS_DIRECTORY say; files with other names belong to others."""
    haul = Haul()
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        return haul
    try:
        files = sorted(Path(folder).iterdir())
    except OSError as exc:
        text = f"CREDENTIALS_DIRECTORY: cannot list {folder}: {(exc.strerror or 'no reason given').lower()}"
        haul.problems.append(Problem((), text))
        return haul
    for file in files:
        path = path_of_credential(file.name)
        if path is not None:
            haul.add_file(path, f"credential {file.name}", Place.CREDENTIAL, file)
        elif file.name.startswith("alertd."):
            haul.warnings.append(f"credential {file.name}: is not a secret setting; ignored")
    return haul


def located(text: str, folder: Path, environ: Mapping[str, str]) -> Path:
    """A path as written, absolute: `~/` is the user's home, anything relative starts in `folder`."""
    home = environ.get("HOME", "")
    if text.startswith("~/") and home:
        return Path(home) / text[2:]
    return (folder / text).absolute()


def _take(haul: Haul, name: str, value: str, environ: Mapping[str, str]) -> None:
    place = Place.CONVENTION if name.removesuffix("_FILE") in CONVENTIONAL else Place.VARIABLE
    path = path_of_variable(name)
    leaf = leaf_at(path) if path else None
    if path and leaf:
        plain = value if leaf.secret else value.strip()
        haul.add(path, name, place, located(plain, Path(), environ) if leaf.is_path else plain)
        return
    path = path_of_variable(name.removesuffix("_FILE")) if name.endswith("_FILE") else None
    leaf = leaf_at(path) if path else None
    if path and leaf and leaf.secret:
        haul.add_file(path, name, place, located(value.strip(), Path(), environ))
    else:
        _wonder(haul, name)


def _wonder(haul: Haul, name: str) -> None:
    """An unknown variable: ours, perhaps ours, or none of our business."""
    if name.startswith(PREFIX):
        if name in COMMAND_LINE_VARIABLES:
            return
        if "__" in name:
            haul.problems.append(Problem((), f"{name}: is not a setting{meant_variable(name)}"))
        else:
            haul.warnings.append(f"{name}: is not a setting, ignored{meant_variable(name)}")
    elif name.startswith(_PUBLISHED_PREFIXES):
        meant = meant_variable(name.removesuffix("_FILE"), cutoff=0.85)
        if meant:
            haul.warnings.append(f"{name}: is not a setting, ignored{meant}")
