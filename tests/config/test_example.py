"""config.example.toml is the manual of the settings, so it has to be true."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from alertd.config import load
from alertd.config.names import PUBLISHED, credential_name, leaves

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def uncommented(text: str) -> str:
    """The example with every setting in force that it shows in a comment."""
    return re.sub(r"^# (?=\[[a-z_.\[\]]+\]$|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def paths(value: object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The settings that a parsed file sets, with `*` for chosen names."""
    pattern = (prefix[0], "*", *prefix[2:]) if len(prefix) > 1 and prefix[0] in {"exchanges", "notify"} else prefix
    if pattern in leaves():
        yield pattern
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from paths(inner, (*prefix, key))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, (*prefix, "*"))
    else:
        yield prefix


def test_it_loads_as_it_stands_and_changes_nothing():
    environ = {"HOME": "/home/ops"}

    example = load(EXAMPLE, environ)

    assert example == load(None, environ)
    assert example.warnings == ()


def test_it_shows_every_setting_and_no_other():
    shown = set(paths(tomllib.loads(uncommented(EXAMPLE.read_text()))))

    assert shown == set(leaves())


def test_what_it_shows_in_comments_would_load(folder):
    """But for the secrets, which it does not spell out, and the files, which are not here."""
    left_out = r"^(tls_|ca_cert|jwt_secret|encryption_key|admin|operator|viewer|master).*$"
    text = re.sub(left_out, "", uncommented(EXAMPLE.read_text()), flags=re.MULTILINE)
    (folder / "all.toml").write_text(text)

    settings = load(folder / "all.toml", {})

    assert settings.secrets.backend == "vault"
    assert settings.notify[0].name == "ops"


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_names_every_published_variable(name):
    assert re.search(rf"\b{name}\b", EXAMPLE.read_text())


@pytest.mark.parametrize("path", [leaf.path for leaf in leaves().values() if leaf.secret], ids=".".join)
def test_it_names_every_credential(path):
    assert credential_name(path).replace("*", "<name>") in EXAMPLE.read_text()
