"""A folder for the scene that the database's account can get through."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder(server_home: Path) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir=server_home))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)
