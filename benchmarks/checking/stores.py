"""Secret stores filled with keys of the simulated exchange: one that costs nothing, sealed files, and OpenBao."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

import hvac

from alertd.cipher import load_or_create_key
from alertd.model import CredentialRef, CredentialType, Secret
from alertd.secretstore import Listing
from alertd.secretstore.file import FOLDER
from benchmarks.checking.exchange import key_pair

KEYS_OF_A_TENANT: Final = 2
REVOKED_ONE_IN: Final = 100
VERSION: Final = "1"


class Free:
    """Makes the keys up, so that a sweep costs what it costs without reading secrets."""

    name = "free"

    def __init__(self, count: int) -> None:
        self._paths = tuple(sorted(ref.path for ref in refs(count)))

    async def list_refs(self) -> Listing:
        return Listing(self._paths)

    async def read(self, ref: CredentialRef) -> Secret:
        fields = fields_of(number_of(ref))
        return Secret(fields["api_key"], fields["api_secret"], version=VERSION)

    async def version(self, ref: CredentialRef) -> str:  # noqa: ARG002 - the protocol's
        return VERSION

    def forget(self, ref: CredentialRef) -> None: ...

    async def health(self) -> None: ...


def refs(count: int) -> list[CredentialRef]:
    """The credentials of `count // 2` tenants; the label is the key's number."""
    return [
        CredentialRef(UUID(int=number // KEYS_OF_A_TENANT), "binance", CredentialType.TRADING, str(number))
        for number in range(count)
    ]


def number_of(ref: CredentialRef) -> int:
    return int(ref.label)


def fields_of(number: int) -> Mapping[str, str]:
    """As they lie in a store; one key in a hundred was revoked."""
    key, secret = key_pair(number, revoked=number % REVOKED_ONE_IN == 0)
    return {"api_key": key, "api_secret": secret}


def fill_files(state_dir: Path, count: int) -> None:
    """As `FileStore.write` does, without waiting for the disk each time."""
    cipher = load_or_create_key(None, state_dir, ciphertext_exists=False)
    for ref in refs(count):
        file = state_dir / FOLDER / ref.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(cipher.seal(json.dumps(fields_of(number_of(ref))).encode(), ref.path) + "\n")


def fill_vault(client: hvac.Client, count: int) -> None:
    for ref in refs(count):
        client.secrets.kv.v2.create_or_update_secret(
            path=f"tenants/{ref.path}", secret=dict(fields_of(number_of(ref))), mount_point="secret"
        )
