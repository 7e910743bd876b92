"""A short folder for each test that the database's account can get through, and a town to watch over."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from alertd.cipher import load_or_create_key
from alertd.config import Settings
from alertd.secretstore import open_store
from tests.e2e.daemon import Home
from tests.e2e.town import Town, open_town


@pytest.fixture
def home(server_home: Path) -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(dir=server_home))
    folder.chmod(0o711)
    yield Home(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def town(home: Home) -> AsyncIterator[Town]:
    """Its keys are in the file store of `home`."""
    home.state.mkdir(mode=0o711)
    cipher = load_or_create_key(None, home.state, ciphertext_exists=False)
    async with open_store(Settings(state_dir=home.state), cipher) as store, open_town(store, cipher) as made:
        yield made
