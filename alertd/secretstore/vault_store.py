"""The secret store in Vault or OpenBao: KV v2 below `<mount>/<prefix>`, walked, read and remembered."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.errors import Absent, Refused, StoreDown, StoreFault
from alertd.model import CredentialRef, Secret
from alertd.process import supervising
from alertd.secretstore.cache import Cache
from alertd.secretstore.layout import Listing, checked_path, secret_of
from alertd.secretstore.session import Session
from alertd.secretstore.vault import KUBERNETES_JWT, Vault
from alertd.secretstore.vault_server import Denied
from alertd.secretstore.walk import walk

THREADS: Final = 4
GOODBYE: Final = timedelta(seconds=1)


class VaultStore:
    """Made by `open_vault`. `clock` counts seconds for the cache."""

    name: Final = "vault"

    def __init__(
        self, vault: Vault, session: Session, *, ttl_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._vault = vault
        self._session = session
        self._cache = Cache(ttl_seconds=ttl_seconds)
        self._clock = clock

    async def list_refs(self) -> Listing:
        """Names a key whose latest version is deleted, too: KV v2 keeps listing it; reading it is Absent."""
        return await walk(self._names, tenants=await self._tenants())

    async def read(self, ref: CredentialRef) -> Secret:
        """At most `ttl_seconds` old, and never older than what `version` saw last."""
        known = self._cache.get(ref, at=self._clock())
        return known if known is not None else await self._fetch(ref)

    async def version(self, ref: CredentialRef) -> str:
        path = checked_path(ref)
        try:
            version = await self._session.call(self._vault.version, path)
        except Denied:
            return (await self._fetch(ref)).version
        except Absent:
            self._cache.drop(ref)
            raise
        self._cache.drop_unless(ref, version=version)
        return version

    async def write(self, ref: CredentialRef, fields: Mapping[str, object]) -> str:
        """Adds a version that replaces all fields. Not tried twice."""
        path = checked_path(ref)
        self._cache.drop(ref)
        return await self._session.call(self._vault.write, path, fields)

    async def remove(self, ref: CredentialRef) -> None:
        """Deletes the latest version; `vault kv undelete` brings it back. Nothing there: nothing happens."""
        path = checked_path(ref)
        self._cache.drop(ref)
        await self._session.call(self._vault.delete, path)

    def forget(self, ref: CredentialRef) -> None:
        self._cache.drop(ref)

    async def health(self) -> None:
        """Raises the StoreDown that a listing would begin with."""
        await self._tenants()

    async def _fetch(self, ref: CredentialRef) -> Secret:
        self._cache.drop(ref)
        stored = await self._session.call(self._vault.read, checked_path(ref))
        secret = secret_of(stored.fields, version=stored.version)
        self._cache.put(ref, secret, at=self._clock())
        return secret

    async def _tenants(self) -> tuple[str, ...]:
        try:
            return await self._session.call(self._vault.names, "")
        except Absent:
            await self._session.call(self._vault.check_mount)
            return ()
        except Denied as denial:
            remedy = "its policy must grant `list` and `read` on the metadata and data below the prefix"
            raise StoreDown(StoreFault.FORBIDDEN, f"{denial}; {remedy}") from denial
        except Refused as refusal:
            raise StoreDown(StoreFault.UNREACHABLE, str(refusal)) from refusal

    async def _names(self, path: str) -> tuple[str, ...]:
        return await self._session.call(self._vault.names, path)


@asynccontextmanager
async def open_vault(
    settings: Settings, _cipher: Cipher, *, kubernetes_jwt: Path = KUBERNETES_JWT
) -> AsyncIterator[VaultStore]:
    """Opens without a word to the server: a daemon must come up while Vault is sealed, and say so."""
    server = settings.secrets.vault
    vault = Vault(server, threads=THREADS, kubernetes_jwt=kubernetes_jwt)
    session = Session(vault, threads=THREADS, timeout_seconds=server.timeout_seconds)
    try:
        async with supervising(asyncio.Event(), drain=GOODBYE) as loops:
            loops.start("secret store login", session.keep)
            yield VaultStore(vault, session, ttl_seconds=settings.credentials.discovery_minutes * 60)
    finally:
        session.close()
