"""Keeps the table of credentials equal to what the secret store lists.

Nobody is retired because a listing came back short: many missing at once wait for a person or a day.
Listing and table are compared stretch by stretch, so that a hundred thousand keys neither fill the
memory nor hold up the event loop.
"""

from collections.abc import Sequence
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
from alertd.db import Db, new_id
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


class Inventory:
    """Discovers credentials; remembers only where the rotation through secret versions stands."""

    def __init__(self, db: Db, secrets: SecretStore) -> None:
        self._db = db
        self._secrets = secrets
        self._rotation = START
        self._reported: frozenset[str] = frozenset()

    async def discover(self, now: datetime) -> Discovery:
        """List the store and bring the table up to date. Raises StoreDown, and then changes nothing."""
        listing = await self._secrets.list_refs()
        self._report_skipped(listing)
        closed = frozenset(skipped.path for skipped in listing.skipped)
        known_count = added = 0
        missing: list[UUID] = []
        for stretch in stretches(listing.paths, STRETCH):
            known = await inventory_store.known_of(self._db, stretch.first, stretch.last)
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

        Every key that does not work is asked for, because somebody waits for its recovery; of the
        others a slice each time, so that a store with very many keys is not flooded.
        """
        urgent = await inventory_store.unsettled(self._db, VERSIONS_EACH_TIME)
        asked = urgent + await self._next_settled(VERSIONS_EACH_TIME - len(urgent))
        versions: dict[UUID, str] = {}
        for known_one in asked:
            version = await self._version(known_one, now)
            if version is not None:
                versions[known_one.id] = version
        return await inventory_store.secrets_changed(self._db, versions, now)

    async def _version(self, known: Known, now: datetime) -> str | None:
        try:
            return await self._secrets.version(known.ref)
        except Absent:
            await inventory_store.retire(self._db, [known.id], now)
            log.info("Credential retired", tenant_id=str(known.ref.tenant_id), exchange=known.ref.exchange)
        except Refused:
            log.debug("Secret version not readable", tenant_id=str(known.ref.tenant_id))
        return None

    async def _next_settled(self, count: int) -> list[Known]:
        """The next slice of keys that work; after the last one it begins anew."""
        if count <= 0:
            return []
        found = await inventory_store.settled_after(self._db, self._rotation, count)
        if not found and self._rotation != START:
            self._rotation = START
            found = await inventory_store.settled_after(self._db, START, count)
        self._rotation = found[-1].id if len(found) == count else START
        return found

    async def _settle_missing(self, ids: Sequence[UUID], known_count: int, now: datetime) -> int:
        await inventory_store.mark_missing(self._db, ids, now)
        if len(ids) > max(MASS_COUNT, known_count * MASS_SHARE):
            await pipeline.platform_trouble(
                self._db,
                MISSING_RULE,
                self._secrets.name,
                f"{len(ids)} of {known_count} credentials are missing from the secret store's listing; "
                "they are kept and go on being checked until a person confirms, or for a day.",
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
        return await inventory_store.retire(self._db, ids, now)

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
