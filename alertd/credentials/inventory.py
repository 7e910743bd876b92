"""Keeps the table of credentials equal to what the secret store lists.

Nobody is retired because a listing came back short: many missing at once wait for a person or a day.
Listing and table are compared stretch by stretch, so that a hundred thousand keys neither fill the
memory nor hold up the event loop.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from alertd.alerts import pipeline
from alertd.credentials import inventory_store
from alertd.credentials.inventory_store import MASS_COUNT, MASS_SHARE, Found, Known
from alertd.credentials.stretches import stretches
from alertd.credentials.timetable import phase_of
from alertd.db import Db, Sql, new_id
from alertd.errors import Absent, Refused
from alertd.model import CredentialRef
from alertd.secretstore import Listing, SecretStore

log = structlog.get_logger(__name__)

STRETCH: Final = 500  # credentials compared at a time
START: Final = UUID(int=0)
VERSIONS_EACH_TIME: Final = 2000  # how many secrets are asked for their version in one discovery
MISSING_RULE: Final = "credentials_missing"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What one look at the listing changed."""

    listed: int
    added: int
    retired: int
    withheld: int  # missing, but too many at once to believe it
    skipped: tuple[str, ...]  # paths that are no credentials


class Turns:
    """Goes through many keys in the order of their ids, some at a time; after the last one it begins anew."""

    def __init__(self, keys_after: Callable[[Sql, UUID, int], Awaitable[list[Known]]]) -> None:
        self._keys_after = keys_after
        self._last = START

    async def take(self, sql: Sql, count: int) -> list[Known]:
        if count <= 0:
            return []
        found = await self._keys_after(sql, self._last, count)
        if not found and self._last != START:
            found = await self._keys_after(sql, START, count)
        self._last = found[-1].id if len(found) == count else START
        return found


class Inventory:
    """Discovers credentials, and retires those that are gone; remembers only whose turn it is to be looked at."""

    def __init__(self, db: Db, secrets: SecretStore) -> None:
        self._db = db
        self._secrets = secrets
        self._unsettled = Turns(inventory_store.unsettled_after)
        self._settled = Turns(inventory_store.settled_after)
        self._reported: frozenset[str] = frozenset()

    async def discover(self, now: datetime) -> Discovery:
        """List the store and bring the table up to date. Raises StoreDown, and then changes nothing."""
        listing = await self._secrets.list_refs()
        self._report_skipped(listing)
        closed = frozenset(skipped.path for skipped in listing.skipped)
        known_count = added = 0
        missing: list[UUID] = []
        for stretch in stretches(listing.paths, STRETCH):
            known = await inventory_store.known_of(self._db, stretch.first, stretch.last, listed_at=now)
            known_count += len(known)
            missing += _absent(known, stretch.refs, closed)
            new = await self._living(_unknown(stretch.refs, known), stretch.first, stretch.last)
            if new:
                added += await inventory_store.add(self._db, new, now)
        retired = await self._settle_missing(missing, known_count, now)
        return Discovery(
            listed=len(listing.paths),
            added=added,
            retired=retired,
            withheld=len(missing) - retired,
            skipped=tuple(skipped.path for skipped in listing.skipped),
        )

    async def _living(self, found: list[Found], first: UUID, last: UUID) -> list[Found]:
        """Without the retired ones that are still deleted: Vault goes on listing what was deleted softly."""
        retired = await inventory_store.retired_of(self._db, first, last) if found else frozenset()
        return [one for one in found if one.ref not in retired or await self._readable(one)]

    async def _readable(self, found: Found) -> bool:
        try:
            await self._secrets.version(found.ref)
        except Absent:
            return False
        except Refused:
            return True  # its check will say so
        return True

    async def notice_changed_secrets(self, now: datetime) -> int:
        """Make credentials due whose secret was replaced; how many.

        Keys that do not work come first, because somebody waits for their recovery; of the others a slice
        each time, so that a store with very many keys is not flooded.
        """
        urgent = await self._unsettled.take(self._db, VERSIONS_EACH_TIME)
        asked = urgent + await self._settled.take(self._db, VERSIONS_EACH_TIME - len(urgent))
        versions: dict[UUID, str] = {}
        for known_one in asked:
            version = await self._version(known_one, now)
            if version is not None:
                versions[known_one.id] = version
        async with self._db.transaction() as tx:
            return await inventory_store.secrets_changed(tx, versions, now)

    async def _version(self, known: Known, now: datetime) -> str | None:
        try:
            return await self._secrets.version(known.ref)
        except Absent:
            await self.retire_deleted(known.id, known.ref, now)
        except Refused:
            log.debug("Secret version not readable", tenant_id=str(known.ref.tenant_id))
        return None

    async def retire_deleted(self, credential_id: UUID, ref: CredentialRef, now: datetime) -> bool:
        """Retire a key whose secret is not in the store any more.

        False for one that a listing lacked together with many others: their retirement is decided there.
        """
        async with self._db.transaction() as tx:
            if await inventory_store.is_missing(tx, credential_id):
                return False
            await inventory_store.retire(tx, [credential_id], now)
        log.info("Credential retired: deleted in the secret store", tenant_id=str(ref.tenant_id), exchange=ref.exchange)
        return True

    async def _settle_missing(self, ids: Sequence[UUID], known_count: int, now: datetime) -> int:
        await inventory_store.mark_missing(self._db, ids, now)
        if len(ids) > max(MASS_COUNT, known_count * MASS_SHARE):
            await pipeline.platform_trouble(
                self._db,
                MISSING_RULE,
                self._secrets.name,
                f"{len(ids)} of {known_count} credentials are missing from the secret store's listing; "
                "they are kept for a day, in case they come back. If they are really gone: `alertd credentials remove` "
                "retires one at once, `alertd tenants purge` a tenant with all of his.",
                now=now,
            )
            log.warning("Credentials missing from the listing", missing=len(ids), known=known_count)
            ids = await inventory_store.missing_longer_than_a_day(self._db, now)
        else:
            await pipeline.platform_recovered(
                self._db, MISSING_RULE, self._secrets.name, "The listing is complete again.", now=now
            )
        if not ids:
            return 0
        async with self._db.transaction() as tx:
            return await inventory_store.retire(tx, ids, now)

    def _report_skipped(self, listing: Listing) -> None:
        """Log each foreign path once, when it appears."""
        for skipped in listing.skipped:
            if skipped.path not in self._reported:
                log.warning("Path skipped in the secret store", path=skipped.path, why=skipped.why)
        self._reported = frozenset(skipped.path for skipped in listing.skipped)


def _absent(known: Sequence[Known], listed: Sequence[CredentialRef], closed: frozenset[str]) -> list[UUID]:
    """Ids of what is on file and not listed; what lies in a folder that may not be listed is not gone."""
    refs = frozenset(listed)
    return [k.id for k in known if k.ref not in refs and closed.isdisjoint(_folders(k.ref))]


def _folders(ref: CredentialRef) -> tuple[str, str, str]:
    """The folders that a key lies in, from the tenant's on."""
    tenant = str(ref.tenant_id)
    return tenant, f"{tenant}/exchanges", f"{tenant}/exchanges/{ref.exchange}"


def _unknown(listed: Sequence[CredentialRef], known: Sequence[Known]) -> list[Found]:
    """What is listed and not on file, or was missing from a listing before."""
    refs = frozenset(k.ref for k in known if not k.missing)
    return [Found(new_id(), ref, phase_of(ref)) for ref in listed if ref not in refs]
