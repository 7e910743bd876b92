"""Ways to write settings down and load them, away from any file of this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alertd.config import Settings, load
from alertd.errors import ConfigError

Loading = Callable[..., Settings]
Refusing = Callable[..., tuple[str, ...]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test: empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loading(folder: Path) -> Loading:
    """`loading(toml, VARIABLE="value")`: the settings of this file and these variables."""

    def loaded(text: str = "", **environ: str) -> Settings:
        file = folder / "settings.toml"
        file.write_text(text)
        return load(file, {"HOME": str(folder), **environ})

    return loaded


@pytest.fixture
def refusing(loading: Loading) -> Refusing:
    """As `loading`, for settings that cannot work: the problems."""

    def problems(text: str = "", **environ: str) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            loading(text, **environ)
        return caught.value.problems

    return problems
