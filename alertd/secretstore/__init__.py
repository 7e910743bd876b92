"""Where the tenants' exchange keys lie: Vault, or sealed files on a bare machine, behind one protocol.

To add a store: one file with an `open_…`, one line in `STORES`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.model import CredentialRef, Secret
from alertd.secretstore.file import ciphertext_exists, open_file
from alertd.secretstore.layout import Listing, Skipped, listed, parse
from alertd.secretstore.vault_store import open_vault

__all__ = [
    "STORES",
    "Listing",
    "SecretStore",
    "Skipped",
    "ciphertext_exists",
    "listed",
    "open_store",
    "parse",
]


class SecretStore(Protocol):
    """What the daemon asks of a store. Every method may raise StoreDown: nothing can be read at all.

    `read` and `version` raise Absent for a key that is deleted and Refused for one that a policy or a
    broken file withholds. A version is opaque; it differs whenever the fields may.
    """

    @property
    def name(self) -> str: ...

    async def list_refs(self) -> Listing:
        """Every credential, and what is none, with the reason. May name a key that was just deleted."""

    async def read(self, ref: CredentialRef) -> Secret:
        """May be up to the discovery interval old; never older than what `version` saw last."""

    async def version(self, ref: CredentialRef) -> str:
        """Equal to `read(ref).version` until somebody writes. Cheap, never remembered."""

    async def write(self, ref: CredentialRef, fields: Mapping[str, object]) -> str:
        """Replace all fields (JSON values) and return the new version. Refused if the store forbids it."""

    async def remove(self, ref: CredentialRef) -> None:
        """Nothing there: nothing happens."""

    def forget(self, ref: CredentialRef) -> None:
        """Make the next `read` ask the store itself."""

    async def health(self) -> None:
        """Raise the StoreDown that a listing would begin with."""


Opener = Callable[[Settings, Cipher], AbstractAsyncContextManager[SecretStore]]

STORES: Final[Mapping[str, Opener]] = {
    "vault": open_vault,
    "file": open_file,
}


def open_store(settings: Settings, cipher: Cipher) -> AbstractAsyncContextManager[SecretStore]:
    """The store of `secrets.backend`. Opening asks nothing of it: it may be down, `health` tells."""
    return STORES[settings.secrets.backend](settings, cipher)
