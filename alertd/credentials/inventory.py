"""Keeps the table of credentials equal to what the secret store lists.

Nobody is retired because a listing came back short: many missing at once wait for a person or a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from alertd.alerts import pipeline
from alertd.credentials import inventory_store
from alertd.credentials.inventory_store import MASS_COUNT, MASS_SHARE, Found, Known
from alertd.credentials.timetable import phase_of
from alertd.db import Db, new_id
from alertd.errors import Absent, Refused
from alertd.secretstore import Listing, SecretStore

log = structlog.get_logger(__name__)

BATCH: Final = 5000
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
        self._rotation = 0
        self._reported: frozenset[str] = frozenset()

    async def discover(self, now: datetime) -> Discovery:
        """List the store and bring the table up to date. Raises StoreDown, and then changes nothing."""
        listing = await self._secrets.list_refs()
        self._report_skipped(listing)
        found = [Found(new_id(), ref, phase_of(ref)) for ref in listing.refs]
        before = await inventory_store.known(self._db)
        added = 0
        for start in range(0, len(found), BATCH):
            added += await inventory_store.add(self._db, found[start : start + BATCH], now)
        listed = frozenset(listing.refs)
        missing = [known for known in before if known.ref not in listed]
        retired = await self._settle_missing(missing, len(before), now)
        return Discovery(
            listed=len(found),
            added=added,
            retired=retired,
            withheld=len(missing) - retired,
            skipped=tuple(skipped.path for skipped in listing.skipped),
        )

    async def notice_changed_secrets(self, now: datetime) -> int:
        """Make credentials due whose secret was replaced; how many.

        Every key that does not work is asked for, because somebody waits for its recovery; of the
        others a slice each time, so that a store with very many keys is not flooded.
        """
        known = await inventory_store.known(self._db)
        urgent = [k for k in known if not k.settled and k.secret_version]
        rest = [k for k in known if k.settled]
        asked = urgent[:VERSIONS_EACH_TIME] + self._slice(rest, VERSIONS_EACH_TIME - len(urgent))
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

    def _slice(self, settled: Sequence[Known], count: int) -> list[Known]:
        if not settled or count <= 0:
            return []
        start = self._rotation % len(settled)
        self._rotation += count
        return list(islice((*settled[start:], *settled[:start]), min(count, len(settled))))

    async def _settle_missing(self, missing: Sequence[Known], known_count: int, now: datetime) -> int:
        ids = [known.id for known in missing]
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
