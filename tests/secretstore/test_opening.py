"""The settings choose the store."""

from pathlib import Path

import pytest

from alertd.cipher import Cipher
from alertd.config import SecretsSettings, Settings
from alertd.secretstore import STORES, open_store
from tests.secretstore.corner import ref, vault_settings


async def test_the_file_store_lies_in_the_state_directory(tmp_path: Path, cipher: Cipher) -> None:
    settings = Settings(state_dir=tmp_path, secrets=SecretsSettings(backend="file"))

    async with open_store(settings, cipher) as store:
        await store.write(ref(), {"api_key": "k"})

    assert store.name == "file"
    assert (tmp_path / "secrets" / ref().path).is_file()


async def test_the_vault_store_opens_without_a_server(tmp_path: Path, cipher: Cipher) -> None:
    async with open_store(vault_settings(tmp_path, address="http://127.0.0.1:1"), cipher) as store:
        assert store.name == "vault"


@pytest.mark.parametrize("backend", STORES)
def test_every_registered_store_is_one_the_settings_know(tmp_path: Path, backend: str) -> None:
    vault = vault_settings(tmp_path, address="http://127.0.0.1:1").secrets.vault

    assert SecretsSettings(backend=backend, vault=vault).backend == backend
