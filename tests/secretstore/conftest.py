"""One OpenBao for the whole run, and a store on a corner of it for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from alertd.cipher import Cipher
from alertd.secretstore import SecretStore, open_store
from tests.bao import Bao, dev_server
from tests.secretstore.corner import Corner


@pytest.fixture(scope="session")
def bao() -> Iterator[Bao]:
    with dev_server() as server:
        yield server


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([b"k" * 32])


@pytest.fixture
def corner(bao: Bao, tmp_path: Path) -> Corner:
    return Corner(bao, tmp_path)


@pytest.fixture
async def store(corner: Corner, cipher: Cipher) -> AsyncIterator[SecretStore]:
    async with open_store(corner.settings(), cipher) as store:
        yield store
